//! `bridge` on the kernel.

mod add;
mod del;
mod failures;
mod rules;

use cni_core::spec::Success;
use serde_json::{Value, json};

use crate::fixture::{Conf, Node, Pod, interfaces};

/// `keys` as a configuration of `bridge` with addresses of 10.9.0.0/24.
fn with_ipam(node: &Node, keys: Value) -> Conf {
    let mut conf = json!({
        "type": "bridge", "bridge": "br0",
        "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/24" }]] }
    });
    conf.as_object_mut()
        .unwrap()
        .extend(keys.as_object().unwrap().clone());
    node.conf(conf)
}

/// `keys` as a configuration of `bridge` without addresses.
fn layer_2(node: &Node, keys: Value) -> Conf {
    let mut conf = json!({ "type": "bridge", "bridge": "br0" });
    conf.as_object_mut()
        .unwrap()
        .extend(keys.as_object().unwrap().clone());
    node.conf(conf)
}

/// ADD, CHECK, DEL and DEL again; afterwards only the bridge is there.
#[track_caller]
fn round_trip(node: &Node, conf: &Conf, assert: impl FnOnce(&Pod, &Success)) {
    let pod = Pod::new(node, "c1");
    let success = node.add(&pod, conf).unwrap();
    interfaces(&success, &["br0", "veth", "eth0@pod"]);
    node.has(&["br0", "veth"]);
    pod.has(node, &["eth0"]);
    assert(&pod, &success);
    node.check(&pod, conf, &success).unwrap();
    node.del(&pod, conf, Some(&success)).unwrap();
    only_the_bridge(node, &pod);
    node.del(&pod, conf, Some(&success)).unwrap();
    node.del_at(&pod, conf, None, None).unwrap();
}

#[track_caller]
fn only_the_bridge(node: &Node, pod: &Pod) {
    node.has(&["br0"]);
    pod.has(node, &[]);
    node.reserved(&[]);
}
