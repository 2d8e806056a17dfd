//! The suite that any executable can be put through: a good plugin passes, and each fault is named.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use cni_core::spec::{Success, Version};
use cni_core::testkit::{Leniency, Report, Subject, conformance};
use faults::{BROAD, FAULTS};

/// Where cargo puts the scripted plugin: beside the directory of this test.
fn scripted() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples/scripted");
    assert!(path.is_file(), "first run `cargo build -p cni-core --examples`");
    path
}

/// The scripted plugin, or what stands before it, run after another; it keeps its attachments in `dir`.
fn subject(path: &Path, dir: &Path) -> Subject {
    let prev = r#"{"interfaces":[{"name":"a"}],"ips":[{"address":"10.0.0.1/8"}]}"#;
    let kept = dir.join("kept");
    Subject::new(path)
        .with_config(&format!(
            r#"{{"interface":"eth0","address":"10.0.0.2/24","keep":{kept:?}}}"#
        ))
        .with_netns("/nowhere/ns")
        .with_prev(Success::decode(Version::V1_1_0, prev.as_bytes()).unwrap())
}

#[test]
fn the_scripted_plugin_conforms() {
    conformance(&scripted()).assert();
    let dir = scratch("good");
    let report = conformance(subject(&scripted(), &dir));
    fs::remove_dir_all(dir).unwrap();
    report.assert();
    assert!(report.to_string().ends_with("29 of 29 cases hold\n"), "{report}");
}

#[test]
fn a_plugin_that_keeps_nothing_conforms_if_it_says_so() {
    let conforms = |leniencies: &[Leniency]| {
        let subject = Subject::new(scripted()).with_netns("/nowhere/ns");
        let report = conformance(subject.lenient(leniencies.iter().copied()));
        failed(&report)
    };
    assert_eq!(conforms(&[]), [faults::DELETES]);
    assert_eq!(conforms(&[Leniency::CheckAfterDel]), <[&str; 0]>::default());
}

#[test]
fn what_cannot_be_started_fails_one_case_and_says_why() {
    let report = conformance("/nowhere/plugin");
    assert_eq!(failed(&report), ["the executable can be started"]);
    let why = "/nowhere/plugin cannot be started: No such file or directory (os error 2)\n";
    assert!(report.to_string().starts_with(why), "{report}");
}

#[test]
fn an_add_that_never_succeeds_is_said_first_and_once() {
    let refuses = r#"{"fail":{"ADD":{"code":100,"msg":"no prevResult"}}}"#;
    let subject = Subject::new(scripted())
        .with_netns("/nowhere/ns")
        .with_config(refuses);
    let text = conformance(subject).to_string();
    assert!(
        text.starts_with("ADD never succeeded: no prevResult; is `with_config`"),
        "{text}"
    );
    assert!(
        text.contains("7 more were not run for want of an ADD that succeeds"),
        "{text}"
    );
    assert_eq!(text.matches("- does not hold").count(), 1, "{text}");
}

#[test]
fn cases_that_need_a_namespace_are_counted_without_one() {
    let report = conformance(&scripted()).to_string();
    let end = "21 of 21 cases hold; 8 more were not run for want of a namespace: `Subject::with_netns`\n";
    assert!(report.ends_with(end), "{report}");
}

fn scratch(name: &str) -> PathBuf {
    let name = format!("cni-core-conformance-{}-{name}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Puts a script that stands before the scripted plugin through the suite.
fn report(place: usize, script: &str) -> Report {
    let dir = scratch(&place.to_string());
    let path = dir.join("faulty");
    let shared = include_str!("faults.sh");
    let text = format!(
        "#!/bin/sh\nSCRIPTED={}\n{shared}\n{script}\n",
        scripted().display()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let report = conformance(subject(&path, &dir));
    fs::remove_dir_all(dir).unwrap();
    report
}

fn failed(report: &Report) -> Vec<&'static str> {
    report.failed().map(|case| case.name).collect()
}

#[test]
fn each_fault_fails_the_cases_that_are_about_it_and_no_others() {
    let reports: Vec<Report> = thread::scope(|scope| {
        let scripts = FAULTS.iter().map(|(script, _)| *script).enumerate();
        let run = |(place, script)| scope.spawn(move || report(place, script));
        let running: Vec<_> = scripts.map(run).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut wrong = Vec::new();
    for ((script, cases), report) in FAULTS.iter().zip(&reports) {
        if failed(report) != *cases {
            wrong.push(format!("{script}\nmust fail {cases:#?}\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let fallen: BTreeSet<&str> = FAULTS.iter().flat_map(|(_, cases)| *cases).copied().collect();
    let spared = reports[0]
        .cases()
        .iter()
        .map(|case| case.name)
        .filter(|name| !fallen.contains(name));
    assert_eq!(
        spared.collect::<Vec<_>>(),
        <[&str; 0]>::default(),
        "no fault fails these"
    );
}

#[test]
fn a_fault_of_every_answer_fails_the_cases_about_answers() {
    for (place, (script, case)) in BROAD.iter().enumerate() {
        let report = report(100 + place, script);
        assert!(failed(&report).contains(case), "{script}: {report}");
        assert!(report.to_string().contains(case), "{report}");
    }
}
