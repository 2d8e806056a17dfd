//! The trace of a call: carried to every delegate, and on the span of each verb.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod recorder;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cni_core::chain::{self, NoResults, Runtime};
use cni_core::invoke::{Builtin, Exec, Invoke, Resolver, TraceContext};
use cni_core::plugin::DynPlugin;
use cni_core::spec::{AttachmentId, ConfList, NetnsPath};
use cni_core::testkit::{Invocation, Scripted};
use recorder::Recorder;

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
        let resolver = Resolver::new(Builtin::new([Box::new(Scripted) as Box<dyn DynPlugin>]), exec);
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
        let resolver = Resolver::new(Builtin::new([Box::new(Scripted) as Box<dyn DynPlugin>]), exec());
        run_all(&resolver, &dir, trace);
        noted(&dir).lines().next().unwrap().to_owned()
    };
    let mut parent_only = trace();
    (parent_only.state, parent_only.baggage) = (None, Some("a\0b".to_owned()));
    assert_eq!(run(parent_only), format!("ADD {PARENT} none none"));
    assert_eq!(run(TraceContext::default()), "ADD stale none stale");
}

/// Runs one verb of the scripted plugin as a program.
fn run_as_program(dir: &Path, verb: &str, config: &str) {
    let call = Invocation::new(verb)
        .with_env("CNI_PATH", dir)
        .with_env("TRACEPARENT", PARENT)
        .with_env("TRACESTATE", "a=1")
        .with_env("BAGGAGE", "user=b");
    call.run(&Scripted, config).done().unwrap();
}

#[test]
fn the_skeleton_takes_the_trace_from_the_environment_and_hands_it_on() {
    let dir = delegate("skeleton");
    let config = r#"{"cniVersion":"1.1.0","name":"net","type":"scripted","delegate":"noting"}"#;
    run_as_program(&dir, "DEL", config);
    assert_eq!(noted(&dir), format!("DEL {PARENT} a=1 user=b\n"));
}

#[test]
fn each_verb_is_a_span_however_the_plugin_is_run() {
    let config = r#"{"cniVersion":"1.1.0","name":"net","type":"scripted","surplus":1}"#;
    let as_program = Recorder::record(|| run_as_program(Path::new("/"), "CHECK", config));
    let linked_in = Recorder::record(|| {
        let builtin = Builtin::new([Box::new(Scripted) as Box<dyn DynPlugin>]);
        let list = ConfList::from_plugin_bytes(config.as_bytes()).unwrap();
        let id = AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap());
        let mut runtime = Runtime::new(&builtin, []);
        runtime.trace = trace();
        chain::check(&list, &id, &NetnsPath::new("/nowhere/ns"), &runtime, &NoResults).unwrap();
    });
    let span = format!(
        "cni verb=CHECK plugin=scripted network=net container=c1 ifname=eth0 traceparent={PARENT} tracestate=a=1 baggage=user=b"
    );
    for recorded in [as_program, linked_in] {
        assert_eq!(recorded.spans, [&*span]);
        // The plugin does not know the key, which is logged, and logged there.
        let surplus = recorded
            .events
            .iter()
            .find(|(_, event)| event.contains("surplus"));
        assert_eq!(surplus.unwrap().0.as_ref(), Some(&span));
    }
}

#[test]
fn a_verb_without_attachment_and_trace_has_a_span_with_the_network_alone() {
    let recorded = Recorder::record(|| {
        let builtin = Builtin::new([Box::new(Scripted) as Box<dyn DynPlugin>]);
        let list = br#"{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"scripted"}]}"#;
        chain::status(&ConfList::from_bytes(list).unwrap(), &Runtime::new(&builtin, [])).unwrap();
    });
    assert_eq!(recorded.spans, ["cni verb=STATUS plugin=scripted network=net"]);
}
