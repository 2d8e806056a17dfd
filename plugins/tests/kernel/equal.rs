//! Results and errors to the letter: of a plugin that is linked in, and of the same one as an executable.

use cni_core::spec::Success;
use serde_json::{Value, json};

use crate::fixture::{Node, Pod};

/// What every verb answers in the life of one attachment, without what is by chance.
fn life(node: &Node, conf: &Value) -> Vec<String> {
    let (pod, conf) = (Pod::new(node, "c1"), node.conf(conf.clone()));
    let added = node.add(&pod, &conf);
    let prev = added.as_ref().ok();
    let outcomes = [
        ("CHECK", prev.map_or(Ok(()), |prev| node.check(&pod, &conf, prev))),
        ("STATUS", node.status(&conf)),
        ("GC", node.gc(&conf, None)),
        ("GC of others", node.gc(&conf, Some(&[&pod]))),
        ("DEL", node.del(&pod, &conf, prev)),
        ("DEL again", node.del_at(&pod, &conf, None, None)),
    ];
    let texts = std::iter::once(format!("ADD {:?}", added.clone().map(without_hardware_addresses)));
    let texts = texts.chain(
        outcomes
            .iter()
            .map(|(verb, outcome)| format!("{verb} {outcome:?}")),
    );
    let dir = conf.0["ipam"]["dataDir"].as_str().unwrap_or("no directory");
    let plain = |text: String| text.replace(&pod.path().to_string(), "POD").replace(dir, "DIR");
    texts.map(plain).collect()
}

fn without_hardware_addresses(mut success: Success) -> Success {
    for interface in &mut success.interfaces {
        interface.mac.clear();
    }
    success
}

/// `ends` is how the ADD ends: with `Ok`, or with a code.
#[track_caller]
fn equal(conf: Value, ends: &str) {
    let executed = life(&Node::new(), &conf);
    let mut node = Node::new();
    node.plugins = Box::new(cni_plugins::table(&node.net));
    assert_eq!(life(&node, &conf), executed, "{conf}");
    assert!(executed[0].contains(ends), "{conf}: {}", executed[0]);
}

fn bridge(more: Value) -> Value {
    let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/24" }], [{ "subnet": "fd09::/64" }]] });
    let mut conf =
        json!({ "type": "bridge", "bridge": "br0", "isDefaultGateway": true, "mtu": 1400, "ipam": ipam });
    conf.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    conf
}

#[test]
fn bridge_is_the_same_linked_in_and_executed_in_every_version() {
    for version in ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
        equal(bridge(json!({ "cniVersion": version })), "Ok");
    }
    equal(bridge(json!({ "cniVersion": "0.2.0", "ipam": {} })), "Err");
    for version in ["1.2.0", "1.0", "x"] {
        equal(bridge(json!({ "cniVersion": version })), "code: Code(1)");
    }
    equal(bridge(json!({ "cniVersion": 1 })), "code: Code(6)");
}

#[test]
fn bridge_fails_the_same_linked_in_and_executed() {
    let fails = |more| equal(bridge(more), "Err");
    fails(json!({ "name": "a/b" }));
    fails(json!({ "name": "" }));
    fails(json!({ "mtu": "1400" }));
    fails(json!({ "mtu": -1 }));
    fails(json!({ "bridge": "a/b" }));
    fails(json!({ "bridge": "br%d" }));
    fails(json!({ "hairpinMode": true, "promiscMode": true }));
    fails(json!({ "ipam": { "type": "bridge" } }));
    fails(json!({ "ipam": { "type": "a/b" } }));
    fails(json!({ "ipam": { "type": "loopback" } }));
    fails(json!({ "ipam": { "type": "static" } }));
    fails(json!({ "ipam": { "type": "host-local" } }));
    fails(json!({ "ipam": { "type": "host-local", "subnet": "10.9.0.0/32" } }));
    fails(json!({ "prevResult": {}, "runtimeConfig": { "mac": "x" } }));
}

#[test]
fn host_local_is_the_same_linked_in_and_executed() {
    let conf = |ipam: Value| {
        let mut conf = json!({ "type": "host-local", "ipam": { "type": "host-local" } });
        let keys = ipam.as_object().unwrap().clone();
        conf["ipam"].as_object_mut().unwrap().extend(keys);
        conf
    };
    equal(conf(json!({ "subnet": "10.9.0.0/30" })), "Ok");
    equal(
        conf(json!({ "subnet": "fd09::/64", "routes": [{ "dst": "::/0" }] })),
        "Ok",
    );
    let fails = |ipam| equal(conf(ipam), "Err");
    fails(json!({}));
    fails(json!({ "subnet": "10.9.0.0" }));
    fails(json!({ "subnet": "10.9.0.0/24", "rangeStart": "10.8.0.1" }));
    fails(json!({ "ranges": [[]] }));
    fails(json!({ "subnet": "10.9.0.0/24", "resolvConf": "/nowhere" }));
    equal(json!({ "type": "host-local" }), "Err");
}
