//! The span of each verb: what is logged is logged in it, however the plugin is run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod recorder;

use cni_core::chain::{self, NoResults, Runtime};
use cni_core::invoke::Builtin;
use cni_core::spec::{AttachmentId, ConfList, NetnsPath};
use cni_core::testkit::{Invocation, Scripted};
use recorder::Recorder;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn each_verb_is_a_span_however_the_plugin_is_run() {
    let config = r#"{"cniVersion":"1.1.0","name":"net","type":"scripted","surplus":1}"#;
    let as_program = Recorder::record(|| {
        let call = Invocation::new("CHECK")
            .with_env("TRACEPARENT", PARENT)
            .with_env("TRACESTATE", "a=1")
            .with_env("BAGGAGE", "user=b");
        call.run(&Scripted, config).done().unwrap();
    });
    let linked_in = Recorder::record(|| {
        let builtin = Builtin::new().with(Scripted);
        let list = ConfList::from_plugin_bytes(config.as_bytes()).unwrap();
        let id = AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap());
        let mut runtime = Runtime::new(&builtin, []);
        runtime.trace.parent = Some(PARENT.to_owned());
        runtime.trace.state = Some("a=1".to_owned());
        runtime.trace.baggage = Some("user=b".to_owned());
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
        let (within, last) = recorded.events.last().unwrap();
        assert_eq!(within.as_ref(), Some(&span));
        assert!(last.contains("message=the plugin succeeded micros="), "{last}");
    }
}

#[test]
fn arguments_that_del_goes_on_without_are_logged_in_its_span() {
    let recorded = Recorder::record(|| {
        let call = Invocation::new("DEL").with_env("CNI_ARGS", "A");
        let config = r#"{"cniVersion":"1.1.0","name":"net","type":"scripted"}"#;
        call.run(&Scripted, config).done().unwrap();
    });
    let [(span, event), _] = &recorded.events[..] else {
        panic!("{:?}", recorded.events)
    };
    let container = "cni verb=DEL plugin=scripted network=net container=";
    assert!(span.as_ref().unwrap().starts_with(container), "{span:?}");
    assert!(event.contains("go on without CNI_ARGS"), "{event}");
}

#[test]
fn a_failure_is_told_once_with_its_code() {
    let recorded = Recorder::record(|| {
        let config = r#"{"cniVersion":"1.1.0","name":"net","type":"scripted","fail":{"ADD":{"code":100}}}"#;
        Invocation::new("ADD")
            .run(&Scripted, config)
            .result()
            .unwrap_err();
    });
    let [(_, event)] = &recorded.events[..] else {
        panic!("{:?}", recorded.events)
    };
    assert!(
        event.contains("message=the plugin failed code=100 micros="),
        "{event}"
    );
}

#[test]
fn a_delegate_tells_nothing_of_the_keys_of_the_plugin_that_it_works_for() {
    let recorded = Recorder::record(|| {
        let config = r#"{"cniVersion":"1.1.0","name":"net","type":"another","surplus":1}"#;
        Invocation::new("CHECK").run(&Scripted, config).done().unwrap();
    });
    let told = |word: &str| {
        recorded
            .events
            .iter()
            .filter(|(_, event)| event.contains(word))
            .count()
    };
    assert_eq!((told("surplus"), told("the plugin succeeded")), (0, 1));
}

#[test]
fn a_verb_without_attachment_and_trace_has_a_span_with_the_network_alone() {
    let recorded = Recorder::record(|| {
        let builtin = Builtin::new().with(Scripted);
        let list = br#"{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"scripted"}]}"#;
        chain::status(&ConfList::from_bytes(list).unwrap(), &Runtime::new(&builtin, [])).unwrap();
    });
    assert_eq!(recorded.spans, ["cni verb=STATUS plugin=scripted network=net"]);
}
