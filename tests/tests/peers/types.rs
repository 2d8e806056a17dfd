//! What the reference's own packages make of a document, ours make of it too.
//!
//! Nothing here says what is expected: a small program in Go, made of those packages, is asked each time. Only where
//! we differ on purpose is our side written down, in `differences.rs`, with a reason that a page of
//! `docs/decisions` explains.

#[path = "types/configurations.rs"]
mod configurations;
#[path = "types/differences.rs"]
mod differences;
#[path = "types/document.rs"]
mod document;
#[path = "types/ours.rs"]
mod ours;
#[path = "types/reference.rs"]
mod reference;
#[path = "types/results.rs"]
mod results;

use std::collections::{BTreeMap, BTreeSet};

use document::{Document, Kind, rows};
use plexus_tests::root;
use serde_json::Value;

/// What became of a document: what it is when it is encoded again, or why it was refused.
type Answer = Result<Value, String>;

/// The same value, or both refused, in whatever words.
fn same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => equal(ours, theirs),
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

/// The order of keys is no part of JSON, nor is how a number is written: 1e3 is 1000.
fn equal(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) if ours.is_f64() || theirs.is_f64() => {
            ours.as_f64() == theirs.as_f64()
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| equal(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            let in_both =
                |(key, ours): (&String, &Value)| theirs.get(key).is_some_and(|theirs| equal(ours, theirs));
            ours.len() == theirs.len() && ours.iter().all(in_both)
        }
        _ => ours == theirs,
    }
}

#[test]
fn each_document_of_the_table_is_to_us_what_it_is_to_the_reference() {
    let documents: Vec<Document> = results::table().chain(configurations::table()).collect();
    let names: BTreeSet<&str> = documents.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names.len(), documents.len(), "two documents have one name");
    assert!(
        documents.len() >= 300,
        "{} documents are too few",
        documents.len()
    );

    let mut different = Vec::new();
    for (document, theirs) in documents.iter().zip(reference::answers(&documents)) {
        let ours: BTreeMap<String, Answer> = ours::answers(document);
        for (to, theirs) in theirs {
            let ours = &ours[&to];
            if !same(ours, &theirs) {
                let Document { name, text, .. } = document;
                different.push(format!(
                    "{name} to {to:?}: {text}\n  ours   {ours:?}\n  theirs {theirs:?}"
                ));
            }
        }
    }
    assert!(
        different.is_empty(),
        "{} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}

#[test]
fn each_difference_on_purpose_is_one_and_is_as_it_is_written_down() {
    let (differences, documents): (Vec<_>, Vec<_>) = differences::table().unzip();
    for ((document, expected), theirs) in documents
        .iter()
        .zip(&differences)
        .zip(reference::answers(&documents))
    {
        let (name, text) = (&document.name, &document.text);
        for (to, ours) in ours::answers(document) {
            assert!(
                same(&ours, &expected.ours),
                "{name} to {to:?}: {text}\n  is {ours:?}"
            );
            assert!(
                !same(&ours, &theirs[&to]),
                "{name} to {to:?}: {text}\n  does not differ any more: {ours:?}"
            );
        }
    }
}

#[test]
fn each_reason_for_a_difference_is_explained_and_none_is_left_over() {
    let page =
        std::fs::read_to_string(root().join("docs/decisions/0002-differences-from-libcni.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let explained: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let given: BTreeSet<&str> = differences::table()
        .map(|(difference, _)| difference.why)
        .collect();
    assert_eq!(given, explained);
}
