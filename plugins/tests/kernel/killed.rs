//! Plugins that are killed in the middle of an ADD, as when a node runs out of memory.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use cni_net::link::NewBridge;
use cni_net::netns::within;
use cni_net::nft::{Chain, Family};
use cni_net::{At, Links, Namespaces, Nft};
use serde_json::json;

use crate::fixture::{Conf, Node, Pod};

/// How many moments of an ADD are tried.
const MOMENTS: u32 = 30;

/// Starts an ADD and kills it after `time`, or lets it end.
fn add(node: &Node, pod: &Pod, conf: &Conf, time: Option<Duration>) {
    let bin = node.dir.join("bin");
    let mut command = Command::new(bin.join(conf.0["type"].as_str().unwrap()));
    command
        .env_clear()
        .env("CNI_COMMAND", "ADD")
        .env("CNI_IFNAME", "eth0");
    command
        .env("CNI_CONTAINERID", &pod.id)
        .env("CNI_NETNS", pod.path().to_string());
    command
        .env("CNI_PATH", &bin)
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let host = node.net.open(node.path()).unwrap();
    let mut child = within(&host, || command.spawn().unwrap()).unwrap();
    let config = conf.0.to_string();
    child.stdin.take().unwrap().write_all(config.as_bytes()).unwrap();
    if let Some(time) = time {
        sleep(time);
        child.kill().unwrap();
    }
    child.wait().unwrap();
}

#[track_caller]
fn nothing_is_left(node: &Node, conf: &Conf, links: &[&str]) {
    let started = Instant::now();
    add(node, &Pod::new(node, "whole"), conf, None);
    let whole = started.elapsed();
    node.del(&Pod::new(node, "whole"), conf, None).unwrap();
    for moment in 0..MOMENTS {
        let pod = Pod::new(node, "c1");
        add(node, &pod, conf, Some(whole * moment / MOMENTS));
        match moment % 2 {
            0 => node.del(&pod, conf, None).unwrap(),
            _ => node.del_at(&pod, conf, None, None).unwrap(),
        }
        node.has(links);
        node.reserved(&[]);
        let rules = Chain::new(Family::Inet, "cni_plugins_masquerade", "masq_checks");
        assert_eq!(node.net.rules(At::Host, &rules).unwrap(), []);
    }
}

#[test]
fn after_a_kill_at_any_moment_of_add_a_del_leaves_only_the_bridge() {
    let node = Node::new();
    let ranges = json!([[{ "subnet": "10.9.0.0/24" }], [{ "subnet": "fd09::/64" }]]);
    let conf = node.conf(json!({
        "type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipMasq": true,
        "ipam": { "type": "host-local", "ranges": ranges }
    }));
    nothing_is_left(&node, &conf, &["br0"]);
}

#[test]
fn after_a_kill_at_any_moment_of_add_of_macvlan_a_del_leaves_nothing() {
    let node = Node::new();
    node.net
        .ensure_bridge(&NewBridge::new("up0".parse().unwrap()))
        .unwrap();
    let conf = node.conf(json!({
        "type": "macvlan", "master": "up0", "ipam": { "type": "host-local", "subnet": "10.9.0.0/24" }
    }));
    nothing_is_left(&node, &conf, &["up0"]);
}
