//! Files and annotations that nobody means well with: cut, of the wrong types, deep, huge, exploding. Each is
//! read or refused, in no time, and nothing panics.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cni_core::plugin::PANICKED;
use cni_core::spec::{CniArgs, ConfList, Object};
use cni_core::testkit::Invocation;
use plexus::cni::Meta;
use plexus::config::{ClusterNetwork, Entry, Policy};
use plexus::npwg::{NETWORKS, Pod};
use plexus::plan::{self, Files};
use plexus::validate;
use serde_json::{Value, json};

/// A definition with a chain in it.
fn definition() -> Value {
    let ipam = json!({"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}]]});
    let bridge =
        json!({"type": "bridge", "capabilities": {"ips": true}, "ipam": ipam, "args": {"cni": {"a": 1}}});
    let config =
        json!({"cniVersion": "1.0.0", "plugins": [bridge, {"type": "tuning", "sysctl": {"a": "b"}}]});
    json!({"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "a", "namespace": "default", "annotations": {"x": "y"}},
        "spec": {"config": config.to_string()}})
}

fn annotation() -> Value {
    json!([{"name": "a", "namespace": "default", "ips": ["10.1.0.2/24"], "mac": "02:00:00:00:00:01",
        "interface": "net7", "default-route": ["10.1.0.1"], "cni-args": {"k": [1, {"v": null}]},
        "portMappings": [{"hostPort": 1, "containerPort": 2, "protocol": "udp"}],
        "bandwidth": {"ingressRate": 1, "ingressBurst": 2}, "infiniband-guid": "24:8a:07:03:00:8d:ae:2f"}])
}

fn pod(annotation: &str) -> Value {
    json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "default", "uid": "u",
        "annotations": {NETWORKS: annotation}}})
}

fn entry() -> Value {
    json!({"cniVersion": "1.0.0", "name": "n", "type": "plexus", "mode": "standalone", "nads": "/a", "pods": "/b",
        "networks": "a", "stateDir": "/c", "delegates": [{"name": "d", "type": "bridge"}],
        "capabilities": {"ips": true}})
}

fn policy() -> Value {
    json!({"external": ["bridge"], "capabilityCheck": "warn", "namespaceIsolation": true,
        "globalNamespaces": ["a"], "confDir": "/c", "deadlines": {"plugin": "5s"}})
}

/// Files of every kind that is read.
const NAMES: [&str; 4] = ["a.yaml", "a.json", "a.conflist", "a.conf"];

/// Every way from the outside in, with `text` in the place of what it reads.
fn feed(dir: &Path, names: &[&str], text: &[u8]) {
    for name in names {
        fs::write(dir.join(name), text).unwrap();
        for problem in validate::file(&dir.join(name)).problems {
            assert!(problem.what.len() < 20_000, "a message as long as its input");
        }
        drop(plan(dir, "default/a,kube-system/a"));
        fs::remove_file(dir.join(name)).unwrap();
    }
    drop(Policy::parse(text));
    drop(Object::from_slice(text).map(|object| Entry::parse(&object).map(drop)));
    drop(ConfList::from_bytes(text));
    drop(plan(dir, &String::from_utf8_lossy(text)));
}

/// Plans a pod with `networks`, definitions and configurations in `dir`.
fn plan(dir: &Path, networks: &str) -> Result<usize, String> {
    let mut pod = Pod::new("default".parse().unwrap(), "p".parse().unwrap());
    pod.annotations.insert(NETWORKS.to_owned(), networks.to_owned());
    let planned = plan::plan(&plan::Request {
        pod: &pod,
        ifname: "eth0".parse().unwrap(),
        args: CniArgs::default(),
        capability_args: Object::new(),
        cluster_network: Some(&ClusterNetwork::Named(dir.display().to_string())),
        policy: &Policy::default(),
        networks: &Files::load(Some(dir), dir),
    });
    planned
        .map(|plan| plan.attachments.len())
        .map_err(|e| e.to_string())
}

#[track_caller]
fn at_once(what: &str, work: impl FnOnce()) {
    let started = Instant::now();
    work();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(60), "{what}: {took:?}");
}

#[test]
fn what_is_cut_anywhere_is_read_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    for good in [
        definition(),
        annotation(),
        pod(&annotation().to_string()),
        entry(),
        policy(),
    ] {
        let text = good.to_string().into_bytes();
        for cut in 0..text.len() {
            feed(dir.path(), &NAMES, &text[..cut]);
        }
    }
}

/// Every document that differs from `good` in one value.
fn mutations(good: &Value) -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("../../x"),
        json!("a\u{0}\n\u{1b}[2J"),
        json!("x".repeat(70_000)),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"": {}}),
        deep,
    ];
    let mut all: Vec<Value> = others.to_vec();
    match good {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                for changed in mutations(item) {
                    let mut copy = items.clone();
                    copy[at] = changed;
                    all.push(copy.into());
                }
            }
        }
        Value::Object(members) => {
            for (key, item) in members {
                for changed in mutations(item) {
                    let mut copy = members.clone();
                    copy.insert(key.clone(), changed);
                    all.push(copy.into());
                }
            }
        }
        _ => {}
    }
    all
}

#[test]
fn values_of_every_other_kind_are_taken_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    for good in [definition(), annotation(), entry(), policy()] {
        for bad in mutations(&good) {
            feed(dir.path(), &NAMES, bad.to_string().as_bytes());
        }
    }
    let config: Value = serde_json::from_str(definition()["spec"]["config"].as_str().unwrap()).unwrap();
    for bad in mutations(&config) {
        let mut nad = definition();
        nad["spec"]["config"] = json!(bad.to_string());
        feed(dir.path(), &NAMES, nad.to_string().as_bytes());
    }
    for bad in mutations(&annotation()) {
        feed(dir.path(), &NAMES, pod(&bad.to_string()).to_string().as_bytes());
    }
}

/// Calls the plugin in a container whose namespace is not there; the code of its error.
fn call(verb: &str, state: &Path, input: &[u8]) -> u32 {
    let mut meta = Meta::new();
    meta.policy = state.join("config.json");
    let outcome = Invocation::new(verb).run(&meta, input);
    outcome.done().map_or_else(|error| error.code.0, |()| 0)
}

const VERBS: [&str; 5] = ["ADD", "CHECK", "DEL", "GC", "STATUS"];

#[test]
fn plexus_refuses_input_that_is_cut_anywhere_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut entry = entry();
    entry["stateDir"] = json!(dir.path().join("state"));
    let good = entry.to_string();
    for (verb, cut) in VERBS
        .iter()
        .flat_map(|verb| (0..good.len()).map(move |cut| (verb, cut)))
    {
        let code = call(verb, dir.path(), &good.as_bytes()[..cut]);
        assert_eq!(code, 6, "{verb} cut at {cut}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn plexus_refuses_an_entry_with_values_of_every_other_kind_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let mut entry = entry();
    entry["stateDir"] = json!(state);
    // Of a container that is not there an ADD makes nothing, whatever the entry says.
    for bad in mutations(&entry)
        .into_iter()
        .filter(|bad| bad["stateDir"] == entry["stateDir"])
    {
        for verb in VERBS {
            let code = call(verb, dir.path(), bad.to_string().as_bytes());
            assert_ne!(code, PANICKED.0, "{verb}: {bad:.300}");
            assert!(verb != "ADD" || code != 0, "{bad:.300}");
        }
        let left = fs::read_dir(state.join("attachments"))
            .into_iter()
            .flatten()
            .count();
        assert_eq!(left, 0, "{bad:.300}");
    }
}

#[test]
fn depth_size_and_aliases_exhaust_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let nested = |open: &str, inner: &str, close: &str, n: usize| open.repeat(n) + inner + &close.repeat(n);
    let mut aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..30 {
        aliases += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","));
    }
    let merged: String = (0..200)
        .map(|n| format!("k{n}: &k{n} {{<<: [*k0, *k0], a{n}: 1}}\n"))
        .collect();
    let all = [
        ("lists", nested("[", "1", "]", 200_000)),
        ("objects", nested("{\"a\":", "1", "}", 200_000)),
        ("both", nested("[{\"a\":", "1", "}]", 100_000)),
        (
            "within a plugin",
            nested(
                r#"{"name":"n","plugins":[{"type":"a","x":"#,
                &nested("[", "", "]", 50_000),
                "}]}",
                1,
            ),
        ),
        ("sequences", "- ".repeat(100_000) + "x"),
        (
            "mappings",
            (0..5_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
        ),
        ("flow", nested("{a: ", "1", "}", 100_000)),
        ("aliases", aliases),
        ("an alias of itself", "a: &a [*a]\n".to_owned()),
        ("merge keys", format!("k0: &k0 {{b: 1}}\n{merged}")),
        ("documents", "---\na: 1\n".repeat(50_000)),
        ("commas", ",".repeat(1_000_000)),
        ("elements", vec!["default/a"; 100_000].join(",")),
        (
            "keys",
            format!(
                "{{{}}}",
                (0..200_000)
                    .map(|n| format!("\"k{n}\":1"))
                    .collect::<Vec<_>>()
                    .join(",")
            ),
        ),
        ("a string", format!("\"{}\"", "x".repeat(8_000_000))),
        ("nothing but NUL", "\0".repeat(1_000_000)),
        ("too much", "x".repeat(17 << 20)),
    ];
    for (what, text) in &all {
        at_once(what, || feed(dir.path(), &["a.yaml"], text.as_bytes()));
    }
}

#[test]
fn names_lead_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.json"), definition().to_string()).unwrap();
    fs::write(
        dir.path().join("10.conflist"),
        r#"{"name":"d","plugins":[{"type":"loopback"}]}"#,
    )
    .unwrap();
    assert_eq!(plan(dir.path(), "a"), Ok(2));
    for bad in [
        "../a",
        "a/../b",
        "/etc/passwd",
        "default//a",
        "a/b/c",
        "a@../x",
        "a@a/b",
        "a@.",
        "a@..",
        "a@a:1",
        "a@a%d",
        "a@0123456789abcdef",
        "a@",
        "@a",
        "A",
        "a\u{0}",
        "a b",
        "..",
        ".",
        "%2e%2e",
        "a\n../b",
    ] {
        assert!(plan(dir.path(), bad).is_err(), "{bad:?}");
        let quoted = json!([{"name": bad}]).to_string();
        assert!(plan(dir.path(), &quoted).is_err(), "{quoted}");
        for key in ["namespace", "interface"] {
            let quoted = json!([{"name": "a", key: format!("{bad}/")}]).to_string();
            assert!(plan(dir.path(), &quoted).is_err(), "{quoted}");
        }
    }
}
