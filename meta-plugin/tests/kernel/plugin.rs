//! Plexus as the runtime's plugin, in stand-alone mode.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use cni_core::testkit::Invocation;
use cni_net::At;
use plexus::cni::Meta;
use serde_json::{Value, json};

use crate::fixture::{Container, Ground, Machine};

/// A runtime that knows one conflist entry.
struct Runtime {
    meta: Meta,
    entry: Value,
    dir: PathBuf,
}

const NAD: &str = r#"
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: { name: lab, namespace: default }
spec:
  config: '{ "cniVersion": "0.3.1", "type": "macvlan", "master": "up0",
    "ipam": { "type": "host-local", "dataDir": "DIR/ipam", "subnet": "10.11.0.0/24" } }'
"#;

const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: default
  annotations: { k8s.v1.cni.cncf.io/networks: lab }
"#;

impl Runtime {
    fn new(ground: &Ground, machine: &Machine) -> Self {
        let dir = ground.dir.clone();
        let mut meta = Meta::new();
        meta.net = Arc::clone(&machine.node.net);
        meta.resolver = machine.node.resolver.clone();
        meta.policy = dir.join("config.json");
        fs::create_dir_all(dir.join("nads")).unwrap();
        fs::create_dir_all(dir.join("pods/default")).unwrap();
        fs::write(
            dir.join("nads/lab.yaml"),
            NAD.replace("DIR", dir.to_str().unwrap()),
        )
        .unwrap();
        fs::write(dir.join("pods/default/p.yaml"), POD).unwrap();
        let ipam = json!({ "type": "host-local", "dataDir": dir.join("ipam"), "subnet": "10.10.0.0/24" });
        let default = json!({ "cniVersion": "1.1.0", "name": "cluster", "type": "bridge", "bridge": "br0", "ipam": ipam });
        let entry = json!({
            "cniVersion": "1.1.0", "name": "pods", "type": "plexus", "mode": "standalone", "delegates": [default],
            "nads": dir.join("nads"), "pods": dir.join("pods"), "stateDir": dir.join("state"),
            "capabilities": { "ips": true },
        });
        Self { meta, entry, dir }
    }

    fn call(&self, verb: &str, pod: &Container, more: Value) -> (bool, Value) {
        let mut config = self.entry.clone();
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let outcome = Invocation::new(verb)
            .with_env("CNI_CONTAINERID", pod.id().container.as_str())
            .with_env("CNI_NETNS", pod.path.as_path())
            .with_env(
                "CNI_ARGS",
                "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p",
            )
            .with_env("TRACEPARENT", "00-parent")
            .with_env("TRACESTATE", "a=1")
            .with_env("BAGGAGE", "b=2")
            .run(&self.meta, config.to_string());
        let answer = serde_json::from_str(&outcome.stdout).unwrap_or(Value::Null);
        (outcome.succeeded(), answer)
    }

    #[track_caller]
    fn done(&self, verb: &str, pod: &Container, more: Value) -> Value {
        let (succeeded, answer) = self.call(verb, pod, more);
        assert!(succeeded, "{verb}: {answer}");
        answer
    }

    #[track_caller]
    fn refused(&self, verb: &str, pod: &Container, more: Value) -> (u64, String) {
        let (succeeded, answer) = self.call(verb, pod, more);
        assert!(!succeeded, "{verb}: {answer}");
        (
            answer["code"].as_u64().unwrap(),
            answer["msg"].as_str().unwrap().to_owned(),
        )
    }
}

#[test]
fn a_pod_lives_through_all_verbs() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let runtime = Runtime::new(&ground, &machine);
    let pod = Container::new("c1");
    runtime.done("STATUS", &pod, json!({}));
    let result = runtime.done("ADD", &pod, json!({ "cniVersion": "1.0.0" }));
    assert_eq!(result["cniVersion"], "1.0.0");
    assert_eq!(result["ips"][0]["address"], "10.10.0.2/24");
    let links = machine.links(At::Netns(&pod.netns));
    assert_eq!(links.into_iter().collect::<Vec<_>>(), ["eth0", "net1"]);
    runtime.done("CHECK", &pod, json!({ "prevResult": result }));
    let valid = json!([{ "containerID": "c1", "ifname": "eth0" }]);
    runtime.done("GC", &pod, json!({ "cni.dev/valid-attachments": valid }));
    assert_eq!(machine.addresses(), ["10.10.0.2", "10.11.0.2"]);
    assert!(runtime.done("VERSION", &pod, json!({}))["supportedVersions"].is_array());
    runtime.done("DEL", &pod, json!({ "prevResult": result }));
    runtime.done("DEL", &pod, json!({}));
    machine.assert_clean();
}

#[test]
fn f04_del_needs_neither_definition_nor_pod_nor_a_good_entry() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let runtime = Runtime::new(&ground, &machine);
    let pod = Container::new("c1");
    runtime.done("ADD", &pod, json!({}));
    fs::remove_dir_all(runtime.dir.join("nads")).unwrap();
    fs::remove_dir_all(runtime.dir.join("pods")).unwrap();
    fs::write(runtime.dir.join("config.json"), "{").unwrap();
    assert_eq!(runtime.refused("CHECK", &pod, json!({})).0, 6);
    runtime.done("DEL", &pod, json!({ "mode": "none", "typo": 1, "delegates": [] }));
    machine.assert_clean();
}

#[test]
fn what_the_runtime_asks_for_in_vain_is_refused_by_add_alone() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let runtime = Runtime::new(&ground, &machine);
    let pod = Container::new("c1");
    let ports = json!([{ "hostPort": 8080, "containerPort": 80, "protocol": "tcp" }]);
    let asked = |more: Value| {
        let mut call = json!({ "runtimeConfig": { "portMappings": ports } });
        call.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        call
    };
    let (code, msg) = runtime.refused("ADD", &pod, asked(json!({})));
    assert_eq!(code, 2);
    assert!(
        msg.starts_with(r#"the runtime's "runtimeConfig": no plugin of network "cluster""#),
        "{msg}"
    );
    machine.assert_clean();
    let policy = runtime.dir.join("config.json");
    fs::write(&policy, r#"{ "capabilityCheck": "warn" }"#).unwrap();
    let result = runtime.done("ADD", &pod, asked(json!({})));
    fs::remove_file(&policy).unwrap();
    runtime.done("STATUS", &pod, asked(json!({})));
    runtime.done("CHECK", &pod, asked(json!({ "prevResult": result })));
    let valid = json!([{ "containerID": "c1", "ifname": "eth0" }]);
    runtime.done("GC", &pod, asked(json!({ "cni.dev/valid-attachments": valid })));
    runtime.done("DEL", &pod, asked(json!({ "prevResult": result })));
    machine.assert_clean();
}

#[test]
fn a_pod_without_file_is_served_only_if_the_entry_says_what_it_gets() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let runtime = Runtime::new(&ground, &machine);
    let pod = Container::new("c1");
    fs::remove_file(runtime.dir.join("pods/default/p.yaml")).unwrap();
    let (code, msg) = runtime.refused("ADD", &pod, json!({}));
    assert_eq!(code, 11);
    assert!(msg.starts_with(r#"find pod "default/p""#), "{msg}");
    runtime.done("ADD", &pod, json!({ "networks": "lab,lab" }));
    assert_eq!(machine.links(At::Netns(&pod.netns)).len(), 3);
    runtime.done("DEL", &pod, json!({}));
    machine.assert_clean();
}

#[test]
fn daemon_mode_says_that_it_is_not_there_and_del_works_all_the_same() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let mut runtime = Runtime::new(&ground, &machine);
    let pod = Container::new("c1");
    runtime.done("ADD", &pod, json!({}));
    let state = runtime.dir.join("state");
    runtime.entry = json!({ "cniVersion": "1.1.0", "name": "pods", "type": "plexus", "mode": "daemon" });
    for (verb, code) in [("ADD", 11), ("CHECK", 11), ("GC", 11), ("STATUS", 50)] {
        let (found, msg) = runtime.refused(verb, &pod, json!({ "cni.dev/valid-attachments": [] }));
        assert_eq!(
            (found, msg.as_str()),
            (code, "daemon mode is not in this version"),
            "{verb}"
        );
    }
    runtime.done("DEL", &pod, json!({ "stateDir": state }));
    machine.assert_clean();
}

#[test]
fn cn2_the_callers_trace_reaches_every_delegate_in_every_verb() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let mut runtime = Runtime::new(&ground, &machine);
    let ipam = json!({ "type": "foreign-ipam" });
    let plugins = json!([{ "type": "bridge", "bridge": "br0", "ipam": ipam }, { "type": "foreign" }]);
    runtime.entry["delegates"] = json!([{ "cniVersion": "1.1.0", "name": "cluster", "plugins": plugins }]);
    let pod = Container::new("c1");
    let valid = json!([{ "containerID": "c1", "ifname": "eth0" }]);
    for (verb, more) in [
        ("STATUS", json!({})),
        ("ADD", json!({})),
        ("CHECK", json!({})),
        ("GC", json!({ "cni.dev/valid-attachments": valid })),
        ("DEL", json!({})),
    ] {
        runtime.done(verb, &pod, more);
        let expected = ["foreign", "foreign-ipam"].map(|plugin| format!("{verb} {plugin} 00-parent a=1 b=2"));
        assert_eq!(machine.scripted.traces(), expected.into(), "{verb}");
    }
}
