//! The examples as far as they need no kernel: what they look like, and the one that talks to a service alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "shared/place.rs"]
mod place;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::thread;

use cni_core::spec::Code;
use cni_core::testkit::{Invocation, Subject, conformance};
use place::{example, folder};
use serde_json::json;

/// Folder, the programs in it, and the lines that each source must have fewer of.
const EXAMPLES: &[(&str, &[&str], usize)] = &[
    ("async-plugin", &["leases"], 120),
    ("chained-plugin", &["label"], 120),
    ("main-plugin", &["segment"], 120),
    ("meta-plugin", &["both"], 80),
    ("runtime", &["runtime"], 120),
];

#[test]
fn each_example_has_a_page_that_names_its_commands() {
    for (name, programs, _) in EXAMPLES {
        let page = fs::read_to_string(folder(name).join("README.md")).unwrap();
        assert!((15..=70).contains(&page.lines().count()), "{name}");
        for program in *programs {
            assert!(
                page.contains(&format!("--example {program}")),
                "{name}: {program}"
            );
        }
    }
}

#[test]
fn each_example_is_as_short_as_it_is_said_to_be() {
    let mut folders: Vec<&str> = Vec::new();
    for (name, _, most) in EXAMPLES {
        let sources = fs::read_dir(folder(name))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let sources = sources.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let lines: usize = sources
            .map(|path| fs::read_to_string(path).unwrap().lines().count())
            .sum();
        assert!((1..*most).contains(&lines), "{name} has {lines} lines");
        folders.push(name);
    }
    let found = fs::read_dir(folder(""))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found = found.filter(|path| path.join("README.md").exists()).count();
    assert_eq!(found, folders.len(), "an example is not in the table");
}

#[test]
fn the_first_plugin_of_the_readme_is_the_chained_example() {
    let readme = fs::read_to_string(folder("../README.md")).unwrap();
    let label = fs::read_to_string(folder("chained-plugin/main.rs")).unwrap();
    assert!(readme.contains(&label));
}

/// A service of addresses, at the socket that is answered: as many as asked for, each caller its own.
fn service(dir: &tempfile::TempDir) -> std::path::PathBuf {
    let path = dir.path().join("leases.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        let mut leases: BTreeMap<String, usize> = BTreeMap::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let next = leases.len() + 2;
            let answer = match line.trim().split_once(' ') {
                Some(("lease", id)) if id.contains("refused") => "error no address is left".to_owned(),
                Some(("lease", id)) => format!("10.8.0.{}/24", leases.entry(id.to_owned()).or_insert(next)),
                _ => "ok".to_owned(),
            };
            writeln!(stream, "{answer}").unwrap();
        }
    });
    path
}

#[test]
fn the_async_plugin_leases_from_a_service() {
    let dir = tempfile::tempdir().unwrap();
    let ipam = json!({"type": "leases", "socket": service(&dir)});
    let config = json!({"cniVersion": "1.1.0", "name": "n", "ipam": ipam});
    let call = |container| Invocation::new("ADD").with_env("CNI_CONTAINERID", container);
    let add = |container| {
        call(container)
            .exec(&example("leases"), config.to_string())
            .unwrap()
            .result()
    };
    assert_eq!(add("a").unwrap().ips[0].address.to_string(), "10.8.0.2/24");
    assert_eq!(add("b").unwrap().ips[0].address.to_string(), "10.8.0.3/24");
    assert_eq!(add("refused").unwrap_err().details, "no address is left");

    let subject = Subject::new(example("leases")).with_config(&json!({"ipam": ipam}).to_string());
    conformance(subject.with_netns("/nowhere/ns")).assert();
}

#[test]
fn the_async_plugin_says_to_try_again_when_the_service_is_away() {
    let config = json!({"cniVersion": "1.1.0", "name": "n", "ipam": {"socket": "/nowhere/leases.sock"}});
    let outcome = |verb| {
        Invocation::new(verb)
            .exec(&example("leases"), config.to_string())
            .unwrap()
    };
    assert_eq!(outcome("ADD").result().unwrap_err().code, Code::TRY_AGAIN);
    assert_eq!(outcome("STATUS").done().unwrap_err().code, Code::UNAVAILABLE);
}
