//! Results in files that a crash has left in whatever state, and what GC says on the wire.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use cni_core::chain::{self, NoResults, Runtime};
use cni_core::invoke::Exec;
use cni_core::spec::{AttachmentId, ConfList, ValidAttachment};
use cni_core::store::Store;
use serde_json::{Value, json};

use crate::stage::{every_way, id, netns, object, order, prevs};
use crate::step;

/// A directory that goes away with it.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("cni-core-kept-{}-{number}", std::process::id())))
    }

    fn file(&self, id: &AttachmentId) -> PathBuf {
        self.0.join(format!("results/net-{}-{}", id.container, id.ifname))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn a_file_that_was_left_empty_or_half_keeps_nobody_from_anything() {
    let (_, calls) = every_way(|stage| {
        let dir = Dir::new();
        let store = Store::new(&dir.0);
        let list = stage.list("1.1.0", &[step("a", &[])]);
        for left in ["", "{\"kind\":\"cniCa", "\0\0\0\0"] {
            let (one, other) = (id("c1"), id("c2"));
            for id in [&one, &other] {
                chain::add(&list, id, &netns(), &stage.runtime, &store).unwrap();
            }
            fs::write(dir.file(&one), left).unwrap();
            chain::check(&list, &one, &netns(), &stage.runtime, &store).unwrap();
            let valid: BTreeSet<_> = [&one, &other].map(ValidAttachment::from).into();
            chain::gc(&list, Some(&valid), &stage.runtime, &store).unwrap();
            chain::del(&list, &one, None, &stage.runtime, &store).unwrap();
            assert!(!dir.file(&one).exists(), "{left:?}");
            // It takes nobody else with it.
            chain::del(&list, &other, None, &stage.runtime, &store).unwrap();
        }
    });
    assert_eq!(
        order(&calls[..6]),
        ["ADD 0", "ADD 0", "CHECK 0", "GC 0", "DEL 0", "DEL 0"]
    );
    assert_eq!(prevs(&calls[2..6]), [None, None, None, Some("a".to_owned())]);
}

#[test]
fn a_dead_runtime_s_attachments_are_deleted_with_the_arguments_of_add() {
    let (_, calls) = every_way(|stage| {
        let dir = Dir::new();
        let store = Store::new(&dir.0);
        let list = stage.list("1.1.0", &[json!({ "capabilities": { "ips": true } })]);
        let mut first = stage.runtime.clone();
        first.args = "OF=first".parse().unwrap();
        first.capability_args = object(&json!({ "ips": ["10.0.0.1"], "dns": {} }));
        chain::add(&list, &id("c1"), &netns(), &first, &store).unwrap();
        chain::gc(&list, Some(&BTreeSet::new()), &stage.runtime, &store).unwrap();
        assert_eq!(store.attachments(None).unwrap(), []);
    });
    assert_eq!(order(&calls), ["ADD 0", "DEL 0", "GC 0"]);
    for key in ["id", "netns", "args", "runtimeConfig"] {
        assert_eq!(calls[1][key], calls[0][key], "{key}");
        assert_ne!(calls[1][key], Value::Null, "{key}");
    }
}

/// The configuration that a plugin receives on stdin for a GC.
fn on_the_wire(valid: Option<&BTreeSet<ValidAttachment>>) -> Value {
    let dir = Dir::new();
    fs::create_dir_all(&dir.0).unwrap();
    let (file, seen) = (dir.0.join("plain"), dir.0.join("seen"));
    fs::write(&file, format!("#!/bin/sh\ncat >{}\n", seen.display())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let list = br#"{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"plain"}]}"#;
    let list = ConfList::from_bytes(list).unwrap();
    let exec = Exec::new();
    chain::gc(&list, valid, &Runtime::new(&exec, [dir.0.clone()]), &NoResults).unwrap();
    serde_json::from_slice(&fs::read(seen).unwrap()).unwrap()
}

#[test]
fn gc_says_that_nothing_is_in_use_and_does_not_say_what_it_does_not_know() {
    let unknown = on_the_wire(None);
    assert_eq!(
        unknown,
        json!({ "cniVersion": "1.1.0", "name": "net", "type": "plain" })
    );
    let with = |valid: Value| {
        let mut all = unknown.clone();
        all["cni.dev/valid-attachments"] = valid.clone();
        all["cni.dev/attachments"] = valid;
        all
    };
    assert_eq!(on_the_wire(Some(&BTreeSet::new())), with(json!([])));
    let one = ValidAttachment::from(&id("c1"));
    let expected = json!([{ "containerID": "c1", "ifname": "eth0" }]);
    assert_eq!(on_the_wire(Some(&[one].into())), with(expected));
}
