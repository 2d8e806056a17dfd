//! `tuning` on the kernel, after `bridge` or `macvlan`.

mod add;
mod check;
mod del;

use std::fs;

use cni_core::spec::Success;
use cni_net::{At, Sysctl};
use serde_json::{Value, json};

use crate::fixture::{Conf, Node, Pod};

/// A container with `eth0` from `bridge`, not tuned yet.
fn attached() -> (Node, Pod, Success) {
    let node = Node::new();
    let pod = Pod::new(&node, "c1");
    let bridge = node.conf(json!({ "type": "bridge", "bridge": "br0" }));
    let prev = node.add(&pod, &bridge).unwrap();
    (node, pod, prev)
}

/// `keys` as a configuration of `tuning`.
fn conf(node: &Node, keys: Value) -> Conf {
    let mut conf = json!({ "type": "tuning" });
    conf.as_object_mut()
        .unwrap()
        .extend(keys.as_object().unwrap().clone());
    node.conf(conf)
}

/// What the plugin changes of `eth0`, in words.
fn state(node: &Node, pod: &Pod) -> String {
    let link = pod.link(node);
    let mac = link.mac.unwrap();
    let (promisc, mtu, allmulti, txqlen) = (link.promisc, link.mtu, link.allmulti, link.txqlen);
    format!("{mac} promisc {promisc} mtu {mtu} allmulti {allmulti} txQLen {txqlen}")
}

fn sysctl(node: &Node, pod: &Pod, key: &str) -> String {
    node.net.sysctl(At::Netns(&pod.netns), key).unwrap()
}

/// The files in `dataDir`.
fn files(node: &Node) -> Vec<String> {
    let entries = fs::read_dir(node.dir.join("tuning")).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The file of the container `c1`.
fn kept(node: &Node) -> Value {
    let path = node.dir.join("tuning/c1_eth0.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
