//! ADD: what is changed, what is answered, and what a failure leaves.

use cni_core::chain::{self, InMemory, Runtime};
use cni_core::spec::{ConfList, Object, Success};
use cni_net::link::NewBridge;
use cni_net::{At, Links};
use serde_json::{Value, json};

use super::{attached, conf, files, kept, state, sysctl};
use crate::fixture::{Node, Pod, fails, interfaces};

#[test]
fn a_list_with_bridge_and_tuning_comes_and_goes() {
    let node = Node::new();
    let pod = Pod::new(&node, "c1");
    let ipam =
        json!({ "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/24" }]], "dataDir": node.dir });
    let list = json!({ "cniVersion": "1.1.0", "name": "blue", "plugins": [
        { "type": "bridge", "bridge": "br0", "isGateway": true, "ipam": ipam },
        { "type": "tuning", "dataDir": node.dir.join("tuning"), "capabilities": { "mac": true }, "mtu": 1400,
          "promisc": true, "allmulti": true, "txQLen": 17, "sysctl": { "net.ipv4.conf.IFNAME.arp_filter": "1" } }
    ]});
    let list = ConfList::from_bytes(list.to_string().as_bytes()).unwrap();
    let mut runtime = Runtime::new(&*node.plugins, ["/nowhere".into()]);
    runtime.capability_args = Object::from_slice(br#"{"mac":"02:00:00:00:00:AB"}"#).unwrap();
    let (id, results) = (pod.attachment(), InMemory::default());

    let success = chain::add(&list, &id, pod.path(), &runtime, &results).unwrap();
    interfaces(&success, &["br0", "veth", "eth0@pod"]);
    let [bridge, host, eth0] = &success.interfaces[..] else {
        panic!("{success:?}")
    };
    assert_eq!((&*eth0.mac, eth0.mtu), ("02:00:00:00:00:ab", Some(1400)));
    assert!(bridge.mac != eth0.mac && host.mac != eth0.mac && host.mtu == Some(1500));
    let tuned = "02:00:00:00:00:ab promisc true mtu 1400 allmulti true txQLen 17";
    assert_eq!(state(&node, &pod), tuned);
    assert_eq!(sysctl(&node, &pod, "ipv4/conf/eth0/arp_filter"), "1");
    assert_eq!(files(&node), ["c1_eth0.json"]);
    assert!(pod.reaches("10.9.0.1"));

    chain::check(&list, &id, pod.path(), &runtime, &results).unwrap();
    chain::status(&list, &runtime).unwrap();
    for _ in 0..2 {
        chain::del(&list, &id, Some(pod.path()), &runtime, &results).unwrap();
        node.has(&["br0"]);
        pod.has(&node, &[]);
        node.reserved(&[]);
        assert!(files(&node).is_empty());
    }
}

#[test]
fn every_version_that_has_interfaces_tells_of_them() {
    for version in ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
        let (node, pod, mut prev) = attached();
        prev.ips = vec![cni_core::spec::IpConfig::new("10.9.0.2/24".parse().unwrap())];
        let keys = json!({ "cniVersion": version, "mac": "02:00:00:00:00:AB", "mtu": 1400 });
        let success = node.add_after(&pod, &conf(&node, keys), &prev).unwrap();
        let eth0 = success.interfaces.iter().find(|i| i.name == "eth0");
        let expected = (version >= "0.3.0").then_some("02:00:00:00:00:ab");
        assert_eq!(eth0.map(|i| &*i.mac), expected, "{version}");
    }
}

#[test]
fn an_interface_of_the_host_with_the_same_name_keeps_its_address() {
    let (node, pod, mut prev) = attached();
    prev.interfaces[0].name = "eth0".to_owned();
    let before = prev.interfaces[0].clone();
    let keys = json!({ "mac": "02:00:00:00:00:ab", "mtu": 1400 });
    let success = node.add_after(&pod, &conf(&node, keys), &prev).unwrap();
    assert_eq!(success.interfaces[0], before);
    assert_eq!(success.interfaces[2].mac, "02:00:00:00:00:ab");
}

#[test]
fn nothing_asked_for_changes_nothing() {
    let (node, pod, prev) = attached();
    let before = state(&node, &pod);
    let success = node.add_after(&pod, &conf(&node, json!({})), &prev).unwrap();
    assert_eq!((success, state(&node, &pod)), (prev, before));
    assert!(files(&node).is_empty());
}

#[test]
fn a_repeated_add_keeps_the_values_from_before_the_first() {
    let (node, pod, prev) = attached();
    let before = state(&node, &pod);
    let mac = prev.interfaces[2].mac.clone();
    let first = conf(&node, json!({ "mac": "02:00:00:00:00:01", "mtu": 1400 }));
    node.add_after(&pod, &first, &prev).unwrap();
    let second = conf(&node, json!({ "mac": "02:00:00:00:00:02", "txQLen": 3 }));
    node.add_after(&pod, &second, &prev).unwrap();
    let kept = kept(&node);
    assert_eq!(
        (&kept["mac"], &kept["mtu"], &kept["txQLen"]),
        (&json!(mac), &json!(1500), &json!(1000))
    );
    node.del(&pod, &second, None).unwrap();
    assert_eq!(state(&node, &pod), before);
    assert!(files(&node).is_empty());
}

/// That an ADD with `keys` on a macvlan device fails so, and leaves everything as it was.
#[track_caller]
fn fails_and_leaves_nothing(keys: Value, code: u32, message: &str) {
    let node = Node::new();
    node.net
        .ensure_bridge(&NewBridge::new("up0".parse().unwrap()))
        .unwrap();
    let pod = Pod::new(&node, "c1");
    let macvlan = node.conf(json!({ "type": "macvlan", "master": "up0" }));
    let prev = node.add(&pod, &macvlan).unwrap();
    let look = || {
        let parameters = ["ipv4/conf/eth0/arp_filter", "ipv4/ip_local_port_range"];
        (state(&node, &pod), parameters.map(|key| sysctl(&node, &pod, key)))
    };
    let before = look();
    fails(node.add_after(&pod, &conf(&node, keys), &prev), code, message);
    assert_eq!(look(), before);
    assert!(files(&node).is_empty());
}

#[test]
fn a_failed_add_restores_what_it_changed() {
    let good = json!({ "net.ipv4.conf.IFNAME.arp_filter": "1", "net.ipv4.ip_local_port_range": "2000 3000" });
    // A macvlan device has no larger MTU than its master.
    let keys = json!({ "sysctl": good, "mac": "02:00:00:00:00:01", "promisc": true, "mtu": 9000 });
    fails_and_leaves_nothing(keys, 158, "set mtu 9000 of interface \"eth0\"");
    let absent = json!({ "net.ipv4.conf.IFNAME.arp_filter": "1", "net.ipv4.conf.IFNAME.absent": "1" });
    fails_and_leaves_nothing(
        json!({ "sysctl": absent }),
        100,
        "read sysctl \"ipv4/conf/eth0/absent\"",
    );
    let refused = json!({ "net.ipv4.conf.IFNAME.arp_filter": "1", "net.ipv4.ip_local_port_range": "x" });
    let message = "write \"x\" to sysctl \"ipv4/ip_local_port_range\"";
    fails_and_leaves_nothing(json!({ "sysctl": refused }), 100, message);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_touched() {
    let sysctl =
        |key: &str| json!({ "sysctl": { "net.ipv4.conf.IFNAME.arp_filter": "1", key: "1" }, "mtu": 1400 });
    fails_and_leaves_nothing(
        sysctl("kernel.panic"),
        7,
        "invalid net sysctl key: \"kernel.panic\"",
    );
    let twice = sysctl("net/ipv4/conf/IFNAME/arp_filter");
    fails_and_leaves_nothing(twice, 7, "duplicated sysctl keys are not allowed");
    fails_and_leaves_nothing(
        json!({ "mac": "01:00:00:00:00:00", "mtu": 1400 }),
        7,
        "MAC address",
    );
    fails_and_leaves_nothing(json!({ "mtu": 1, "mac": "02:00:00:00:00:01" }), 7, "MTU 1");
}

#[test]
fn it_needs_an_earlier_plugin_and_its_interface() {
    let (node, pod, prev) = attached();
    let keys = conf(&node, json!({ "mtu": 1400 }));
    fails(node.add(&pod, &keys), 7, "required prevResult missing");
    node.net.del_link(At::Netns(&pod.netns), "eth0").unwrap();
    fails(
        node.add_after(&pod, &keys, &prev),
        101,
        "Link not found: \"eth0\"",
    );
    assert!(files(&node).is_empty());
    let gone = pod.elsewhere("/run/netns/is-not-there");
    fails(node.add_after(&gone, &keys, &prev), 8, "network namespace");
}

#[test]
fn a_parameter_that_nobody_can_read_is_written() {
    let (node, pod, prev) = attached();
    let keys = conf(&node, json!({ "sysctl": { "net.ipv4.route.flush": "1" } }));
    let success: Success = node.add_after(&pod, &keys, &prev).unwrap();
    node.check(&pod, &keys, &success).unwrap();
}
