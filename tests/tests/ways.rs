//! Every document goes through a plugin that is linked in, as values, and through the same plugin as an executable and
//! as a library, as bytes: what it is asked, and what it answers, must be equal.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not all documents of the table are results or errors")]
#[path = "peers/types/document.rs"]
mod document;
#[path = "../../cni-core/tests/dylib/made.rs"]
mod made;
#[path = "peers/types/results.rs"]
mod results;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use cni_core::invoke::{Builtin, Call, Exec, Invoke, Target, Verb};
use cni_core::spec::{AttachmentId, Error, NetnsPath, Object, Success};
use cni_core::testkit::Scripted;
use document::{Document, Kind, rows};
use made::Dir;
use plexus_tests::root;
use serde_json::Value;

/// What a plugin was asked, as it has noted it, and what came of it; CHECK and DEL have no result.
type Seen = (String, Result<Option<Success>, Error>);

/// The ways, and what every call is made with.
struct Ways {
    ways: [Box<dyn Invoke>; 3],
    target: Target,
    log: PathBuf,
    _files: [Arc<Dir>; 2],
}

impl Ways {
    fn new() -> Self {
        let (plugins, logs) = (made::scripted(), Arc::new(Dir::new()));
        let builtin = Builtin::new().with(Scripted);
        let id = AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap());
        let mut target = Target::of(id, Some(NetnsPath::new("/nowhere/ns")));
        target.path.push(plugins.0.clone());
        Self {
            ways: [Box::new(builtin), Box::new(Exec::new()), Box::new(made::dylib())],
            target,
            log: logs.0.join("log"),
            _files: [plugins, logs],
        }
    }

    /// One call, with a configuration of `version`: it must be the same in every way.
    #[track_caller]
    fn agree(&self, what: &str, verb: Option<Verb>, version: &str, keys: &str, prev: Option<&Success>) {
        let log = self.log.display();
        let config = format!(r#"{{"cniVersion":"{version}","name":"n","log":"{log}"{keys}}}"#);
        let config = Object::from_slice(config.as_bytes()).unwrap();
        let [builtin, exec, dylib] = self
            .ways
            .each_ref()
            .map(|way| self.seen(&**way, verb, &config, prev));
        assert_eq!(
            exec, builtin,
            "{what}, {verb:?} in {version}: executed, linked in"
        );
        assert_eq!(dylib, builtin, "{what}, {verb:?} in {version}: loaded, linked in");
    }

    /// ADD if there is no other verb.
    fn seen(&self, way: &dyn Invoke, verb: Option<Verb>, config: &Object, prev: Option<&Success>) -> Seen {
        let plugin = "scripted".parse().unwrap();
        let mut call = Call::new(&plugin, config, &self.target);
        call.prev = prev;
        let outcome = match verb {
            None => way.add(&call).map(Some),
            Some(verb) => way.run(verb, &call).map(|()| None),
        };
        let noted = fs::read_to_string(&self.log).unwrap_or_default();
        drop(fs::remove_file(&self.log));
        (noted, outcome)
    }
}

/// The results of the table, and those that stand for a version each.
fn documents() -> impl Iterator<Item = Document> {
    let golden = root().join("cni-core/src/spec/result/golden");
    let golden = fs::read_dir(golden).unwrap().map(|file| {
        let file = file.unwrap().path();
        let version = file.file_stem().unwrap().to_str().unwrap();
        let name = format!("golden {version}");
        Document::result(version, &[], name, fs::read_to_string(&file).unwrap())
    });
    golden.chain(results::table().filter(|document| document.kind == Kind::Result))
}

const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

#[test]
fn each_result_is_the_same_request_and_the_same_answer_in_every_way() {
    let ways = Ways::new();
    let mut fed = 0;
    for (place, document) in documents().enumerate() {
        let Document {
            name, version, text, ..
        } = document;
        // A result that cannot be read reaches nobody as a value.
        let Ok(prev) = Success::decode(version.parse().unwrap(), text.as_bytes()) else {
            continue;
        };
        fed += 1;
        ways.agree(&name, None, &version, "", Some(&prev));
        // Each of the first ones, which stand for a version, in every version; of the others here and there one.
        let (golden, other) = (place < VERSIONS.len(), VERSIONS[place / 5 % VERSIONS.len()]);
        for version in VERSIONS {
            if golden || (place % 5 == 0 && version == other) {
                ways.agree(&name, None, version, "", Some(&prev));
                ways.agree(&name, Some(Verb::Del), version, "", Some(&prev));
            }
            // Below 0.4.0 no runtime asks for it.
            if golden && version >= "0.4.0" {
                ways.agree(&name, Some(Verb::Check), version, "", Some(&prev));
            }
        }
    }
    assert!(fed >= 300, "{fed} documents are too few");
}

#[test]
fn each_error_is_the_same_in_every_way() {
    let ways = Ways::new();
    for (name, text) in rows(include_str!("peers/types/errors.txt")) {
        // What is no JSON cannot be part of a configuration.
        if serde_json::from_str::<Value>(text).is_err() {
            continue;
        }
        let keys = format!(r#","fail":{{"ADD":{text},"DEL":{text}}}"#);
        for verb in [None, Some(Verb::Del)] {
            ways.agree(name, verb, "1.1.0", &keys, None);
        }
    }
}
