//! The trace of a call: carried to every plugin and every delegate.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cni_core::chain::{self, NoResults, Runtime};
use cni_core::invoke::{Builtin, Exec, Invoke, Resolver, TraceContext};
use cni_core::spec::{AttachmentId, ConfList, NetnsPath};
use cni_core::testkit::{Invocation, Scripted};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn trace() -> TraceContext {
    TraceContext::read(&|name| match name {
        "TRACEPARENT" => Some(PARENT.into()),
        "TRACESTATE" => Some("a=1".into()),
        "BAGGAGE" => Some("user=b".into()),
        _ => None,
    })
}

/// A directory with a plugin that notes the trace in its environment, once for each call.
fn delegate(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("cni-core-trace-{}-{name}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let (file, log) = (dir.join("noting"), dir.join("log"));
    let note = r#""$CNI_COMMAND ${TRACEPARENT-none} ${TRACESTATE-none} ${BAGGAGE-none}""#;
    let script = format!("#!/bin/sh\necho {note} >>{}\necho '{{}}'\n", log.display());
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// What it noted; the directory is gone then.
fn noted(dir: &Path) -> String {
    let log = fs::read_to_string(dir.join("log")).unwrap();
    fs::remove_dir_all(dir).unwrap();
    log
}

/// Runs every verb of a list, and what its plugin delegates to, by `invoke`.
fn run_all(invoke: &dyn Invoke, dir: &Path, trace: TraceContext) {
    let plugin = r#"{"type":"scripted","delegate":"noting"}"#;
    let list = format!(r#"{{"cniVersion":"1.1.0","name":"net","plugins":[{plugin},{{"type":"noting"}}]}}"#);
    let list = ConfList::from_bytes(list.as_bytes()).unwrap();
    let id = AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap());
    let netns = NetnsPath::new("/nowhere/ns");
    let mut runtime = Runtime::new(invoke, [dir.to_owned()]);
    runtime.trace = trace;
    chain::add(&list, &id, &netns, &runtime, &NoResults).unwrap();
    chain::check(&list, &id, &netns, &runtime, &NoResults).unwrap();
    chain::del(&list, &id, Some(&netns), &runtime, &NoResults).unwrap();
    chain::gc(&list, None, &runtime, &NoResults).unwrap();
    chain::status(&list, &runtime).unwrap();
}

#[test]
fn the_trace_reaches_every_plugin_and_its_delegates_in_every_verb() {
    let expected: String = ["ADD", "CHECK", "DEL", "GC", "STATUS"]
        .iter()
        .map(|verb| format!("{verb} {PARENT} a=1 user=b\n").repeat(2))
        .collect();
    for base in [None, Some([("PATH".into(), "/usr/bin:/bin".into())])] {
        let dir = delegate("reaches");
        let exec = match base {
            None => Exec::new(),
            Some(base) => Exec::new().with_environment(base),
        };
        let resolver = Resolver::new(Builtin::new().with(Scripted)).with_exec(exec);
        run_all(&resolver, &dir, trace());
        assert_eq!(noted(&dir), expected);
    }
}

#[test]
fn a_trace_replaces_all_of_the_environments_and_none_leaves_it() {
    let stale = [
        ("PATH", "/usr/bin:/bin"),
        ("TRACEPARENT", "stale"),
        ("BAGGAGE", "stale"),
    ];
    let exec = || Exec::new().with_environment(stale.map(|(name, value)| (name.into(), value.into())));
    let run = |trace| {
        let dir = delegate("replaces");
        let resolver = Resolver::new(Builtin::new().with(Scripted)).with_exec(exec());
        run_all(&resolver, &dir, trace);
        noted(&dir).lines().next().unwrap().to_owned()
    };
    let mut parent_only = trace();
    (parent_only.state, parent_only.baggage) = (None, Some("a\0b".to_owned()));
    assert_eq!(run(parent_only), format!("ADD {PARENT} none none"));
    assert_eq!(run(TraceContext::default()), "ADD stale none stale");
}

#[test]
fn the_skeleton_takes_the_trace_from_the_environment_and_hands_it_on() {
    let dir = delegate("skeleton");
    let config = r#"{"cniVersion":"1.1.0","name":"net","type":"scripted","delegate":"noting"}"#;
    let call = Invocation::new("DEL")
        .with_env("CNI_PATH", &dir)
        .with_env("TRACEPARENT", PARENT)
        .with_env("TRACESTATE", "a=1")
        .with_env("BAGGAGE", "user=b");
    call.run(&Scripted, config).done().unwrap();
    assert_eq!(noted(&dir), format!("DEL {PARENT} a=1 user=b\n"));
}
