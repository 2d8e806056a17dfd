//! The program in Go that is asked: `tests/go/types`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use plexus_tests::peers;
use serde_json::{Value, json};

use super::{Answer, Document};

/// What the reference makes of each document, by the version that it was wanted in.
pub(super) fn answers(documents: &[Document]) -> Vec<BTreeMap<String, Answer>> {
    let mut program = Command::new(peers().join("types"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = program.stdin.take().unwrap();
    let questions: String = documents.iter().map(question).collect();
    // Answers come before the last question is written: a pipe holds only so much.
    let writer = thread::spawn(move || stdin.write_all(questions.as_bytes()).unwrap());
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let stdout = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = stdout.lines().map(answer).collect();
    assert_eq!(answers.len(), documents.len());
    answers
}

fn question(document: &Document) -> String {
    let kind = format!("{:?}", document.kind).to_lowercase();
    let Document {
        version, to, text, ..
    } = document;
    json!({"kind": kind, "version": version, "to": to, "text": text}).to_string() + "\n"
}

fn answer(line: &str) -> BTreeMap<String, Answer> {
    let answers: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(line).unwrap();
    let read = |mut answer: BTreeMap<String, Value>| match answer.remove("json") {
        Some(json) => Ok(json),
        None => Err(answer["refused"].to_string()),
    };
    answers
        .into_iter()
        .map(|(to, answer)| (to, read(answer)))
        .collect()
}
