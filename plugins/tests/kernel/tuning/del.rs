//! DEL and GC: what is restored, what is left alone, and which files go.

use std::fs;

use cni_core::spec::Success;
use cni_net::link::{Change, NewBridge};
use cni_net::{At, Links};
use serde_json::{Value, json};

use super::{attached, conf, files, state};
use crate::fixture::{Conf, Node, Pod};

/// Everything that DEL restores.
fn keys() -> Value {
    json!({ "mac": "02:00:00:00:00:AB", "mtu": 1400, "promisc": true, "allmulti": true, "txQLen": 17 })
}

/// A container with a tuned `eth0`: its state before, and the result.
fn tuned() -> (Node, Pod, Conf, String, Success) {
    let (node, pod, prev) = attached();
    let before = state(&node, &pod);
    let conf = conf(&node, keys());
    let success = node.add_after(&pod, &conf, &prev).unwrap();
    assert_ne!(state(&node, &pod), before);
    assert_eq!(files(&node), ["c1_eth0.json"]);
    (node, pod, conf, before, success)
}

/// Makes of the file what the reference would have written.
fn forget_the_owner(node: &Node) {
    let mut kept = super::kept(node);
    kept.as_object_mut().unwrap().remove("plexus").unwrap();
    let path = node.dir.join("tuning/c1_eth0.json");
    fs::write(path, serde_json::to_vec_pretty(&kept).unwrap()).unwrap();
}

#[test]
fn del_restores_with_and_without_the_result_and_twice() {
    for with_result in [true, false] {
        let (node, pod, conf, before, success) = tuned();
        for _ in 0..2 {
            node.del(&pod, &conf, with_result.then_some(&success)).unwrap();
            assert_eq!(state(&node, &pod), before);
            assert!(files(&node).is_empty());
        }
    }
}

#[test]
fn the_file_goes_when_the_interface_or_the_namespace_has_gone() {
    let (node, pod, conf, ..) = tuned();
    node.net.del_link(At::Netns(&pod.netns), "eth0").unwrap();
    node.del(&pod, &conf, None).unwrap();
    assert!(files(&node).is_empty());
    for path in [None, Some("/run/netns/is-not-there"), Some("/etc/hostname")] {
        let (node, pod, conf, _, success) = tuned();
        node.del_at(&pod, &conf, Some(&success), path.map(str::as_ref))
            .unwrap();
        assert!(files(&node).is_empty(), "{path:?}");
    }
}

#[test]
fn the_same_interface_of_another_namespace_is_left_alone() {
    for legacy in [false, true] {
        let (node, pod, conf, _, success) = tuned();
        let other = Pod::new(&node, "c2");
        let bridge = node.conf(json!({ "type": "bridge", "bridge": "br0", "mtu": 1300 }));
        node.add(&other, &bridge).unwrap();
        let (theirs, ours) = (state(&node, &other), state(&node, &pod));
        if legacy {
            forget_the_owner(&node);
        }
        let at = Some(other.path().as_path());
        node.del_at(&pod, &conf, legacy.then_some(&success), at).unwrap();
        assert_eq!((state(&node, &other), state(&node, &pod)), (theirs, ours));
        assert!(files(&node).is_empty());
    }
}

#[test]
fn what_the_reference_kept_is_restored_with_and_without_the_result() {
    for with_result in [true, false] {
        let (node, pod, conf, before, mut success) = tuned();
        forget_the_owner(&node);
        // The reference answers the address as it was typed.
        success.interfaces[2].mac = "02:00:00:00:00:AB".to_owned();
        node.del(&pod, &conf, with_result.then_some(&success)).unwrap();
        assert_eq!(state(&node, &pod), before);
        assert!(files(&node).is_empty());
    }
}

#[test]
fn a_file_of_the_reference_whose_interface_is_another_is_removed_and_nothing_changed() {
    let (node, pod, conf, ..) = tuned();
    forget_the_owner(&node);
    let mut change = Change::default();
    change.mtu = Some(1300.try_into().unwrap());
    node.net.set_link(At::Netns(&pod.netns), "eth0", &change).unwrap();
    let before = state(&node, &pod);
    node.del(&pod, &conf, None).unwrap();
    assert_eq!(state(&node, &pod), before);
    assert!(files(&node).is_empty());
}

#[test]
fn half_a_file_of_the_reference_keeps_no_del_from_succeeding() {
    let (node, pod, conf, ..) = tuned();
    fs::write(node.dir.join("tuning/c1_eth0.json"), r#"{ "mac": "02"#).unwrap();
    node.del(&pod, &conf, None).unwrap();
    assert!(files(&node).is_empty());
}

#[test]
fn what_the_kernel_does_not_take_back_keeps_no_del_from_succeeding() {
    let node = Node::new();
    let up0 = NewBridge::new("up0".parse().unwrap());
    node.net.ensure_bridge(&up0).unwrap();
    let pod = Pod::new(&node, "c1");
    let macvlan = node.conf(json!({ "type": "macvlan", "master": "up0" }));
    let prev = node.add(&pod, &macvlan).unwrap();
    let mac = pod.link(&node).mac;
    let conf = conf(&node, json!({ "mtu": 1200, "mac": "02:00:00:00:00:01" }));
    node.add_after(&pod, &conf, &prev).unwrap();
    // The device can have no larger MTU than its master.
    let mut change = Change::default();
    change.mtu = Some(1300.try_into().unwrap());
    node.net.set_link(At::Host, "up0", &change).unwrap();
    node.del(&pod, &conf, None).unwrap();
    let link = pod.link(&node);
    assert_eq!((link.mtu, link.mac), (1200, mac));
    assert!(files(&node).is_empty());
}

#[test]
fn gc_removes_the_files_of_what_is_not_valid() {
    let (node, pod, conf, ..) = tuned();
    let other = node.conf(json!({ "type": "tuning", "name": "red" }));
    node.gc(&conf, None).unwrap();
    node.gc(&conf, Some(&[&pod])).unwrap();
    node.gc(&other, Some(&[])).unwrap();
    assert_eq!(files(&node), ["c1_eth0.json"]);
    node.gc(&conf, Some(&[])).unwrap();
    assert!(files(&node).is_empty());
    node.gc(&conf, Some(&[])).unwrap();
    node.status(&conf).unwrap();
}
