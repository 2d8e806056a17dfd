//! What a segment is, from its first container to its last.

use std::path::Path;

use cni_core::spec::Success;
use cni_net::link::{Change, LinkKind};
use cni_net::{At, Links, Mtu};
use serde_json::json;

use super::{Fabric, PAIR, at, conf, floods_to, has, link, reaches};
use crate::fixture::{Conf, Node, Pod, fails, interfaces, ips};

#[test]
fn vx1_containers_of_one_network_on_three_nodes_reach_each_other() {
    let fabric = Fabric::new(3);
    for (peers, prefix) in [
        (["192.0.2.1", "192.0.2.2", "192.0.2.3"], ["10.7.0.", "fd07::"]),
        (
            ["2001:db8::1", "2001:db8::2", "2001:db8::3"],
            ["10.8.0.", "fd08::"],
        ),
    ] {
        let attach = |(at, node): (usize, &Node)| {
            let pod = Pod::new(node, &format!("c{at}"));
            let ips = [
                format!("{}{}/24", prefix[0], at + 1),
                format!("{}{}/64", prefix[1], at + 1),
            ];
            let conf = conf(node, json!({ "peers": peers, "runtimeConfig": { "ips": ips } }));
            let success = node.add(&pod, &conf).unwrap();
            node.check(&pod, &conf, &success).unwrap();
            (pod, conf, success)
        };
        let pods: Vec<(Pod, Conf, Success)> = fabric.nodes.iter().enumerate().map(attach).collect();
        for from in 0..3 {
            for to in (0..3).filter(|to| *to != from) {
                for prefix in prefix {
                    reaches(&pods[from].0, &pods[to].0, &format!("{prefix}{}", to + 1));
                }
            }
        }
        for (node, (pod, conf, success)) in fabric.nodes.iter().zip(&pods) {
            node.del(pod, conf, Some(success)).unwrap();
            has(node, &[]);
        }
    }
}

#[test]
fn the_first_container_makes_the_segment_and_the_last_removes_it() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    let (conf_one, conf_two) = (at(node, "10.7.0.1/24"), at(node, "10.7.0.2/24"));
    let first = node.add(&one, &conf_one).unwrap();
    let (bridge, device) = (link(node, "vb"), link(node, "vx"));
    interfaces(&first, &[&bridge.name, "veth", "eth0@pod"]);
    ips(&first, &["2 10.7.0.1/24"]);
    assert_eq!((bridge.mtu, device.mtu, one.link(node).mtu), (1450, 1450, 1450));
    assert_eq!(device.master, Some(bridge.index));
    let LinkKind::Vxlan { vni, port, local, .. } = device.kind else {
        panic!("{device:?}")
    };
    assert_eq!((vni, port, local), (7, 4789, Some("192.0.2.1".parse().unwrap())));
    floods_to(node, &["192.0.2.2", "192.0.2.3"]);

    let second = node.add(&two, &conf_two).unwrap();
    reaches(&one, &two, "10.7.0.2");
    node.del(&one, &conf_one, Some(&first)).unwrap();
    node.check(&two, &conf_two, &second).unwrap();
    has(node, &["vb", "veth", "vx"]);
    node.del_at(&two, &conf_two, None, None).unwrap();
    has(node, &[]);
    node.del_at(&two, &conf_two, None, None).unwrap();
    node.del(&two, &conf_two, Some(&second)).unwrap();
    let lock = Path::new(conf_two.0["dataDir"].as_str().unwrap()).join("blue.lock");
    assert!(!lock.exists());
    // An ADD that was killed before it made anything else leaves the lock's file.
    std::fs::write(&lock, "").unwrap();
    node.del_at(&two, &conf_two, None, None).unwrap();
    assert!(!lock.exists());
}

#[test]
fn del_after_the_container_died_removes_the_segment() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let conf = at(node, "10.7.0.1/24");
    node.add(&pod, &conf).unwrap();
    node.net.del_link(At::Netns(&pod.netns), "eth0").unwrap();
    has(node, &PAIR);
    node.del(&pod, &conf, None).unwrap();
    has(node, &[]);
}

#[test]
fn an_attachment_without_addresses_is_layer_2_alone() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let conf = conf(
        node,
        json!({ "ipam": {}, "mtu": 1300, "runtimeConfig": { "mac": "02:00:00:00:00:09" } }),
    );
    let success = node.add(&pod, &conf).unwrap();
    ips(&success, &[]);
    let eth0 = pod.link(node);
    assert_eq!((eth0.mtu, eth0.up), (1300, true));
    assert_eq!(eth0.mac, Some("02:00:00:00:00:09".parse().unwrap()));
    node.check(&pod, &conf, &success).unwrap();
    node.del(&pod, &conf, Some(&success)).unwrap();
    has(node, &[]);
}

#[test]
fn vx5_the_mtu_is_what_the_underlay_leaves() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let mut smaller = Change::default();
    smaller.mtu = Some(Mtu::try_from(1400).unwrap());
    for (keys, expected) in [
        (json!({}), 1450),
        (json!({ "peers": ["2001:db8::2"] }), 1430),
        (json!({ "peers": null }), 1450),
        (json!({ "peers": null, "device": "eth0" }), 1450),
        (json!({ "peers": ["198.51.100.1"] }), 1450),
        (json!({ "mtu": 9000 }), 9000),
    ] {
        let conf = conf(node, keys);
        node.add(&pod, &conf).unwrap();
        assert_eq!(pod.link(node).mtu, expected, "{}", conf.0);
        node.del(&pod, &conf, None).unwrap();
    }
    node.net.set_link(At::Host, "eth0", &smaller).unwrap();
    let conf = conf(node, json!({ "peers": null, "device": "eth0" }));
    node.add(&pod, &conf).unwrap();
    assert_eq!(pod.link(node).mtu, 1350);
}

#[test]
fn a_gateway_has_the_same_addresses_on_every_node() {
    let fabric = Fabric::new(2);
    let macs: Vec<_> = fabric
        .nodes
        .iter()
        .enumerate()
        .map(|(at, node)| {
            let pod = Pod::new(node, "c1");
            let ips = [format!("10.7.0.{}/24", at + 2), format!("fd07::{}/64", at + 2)];
            let keys = json!({ "isDefaultGateway": true, "ipMasq": true, "runtimeConfig": { "ips": ips } });
            let conf = conf(node, keys);
            let success = node.add(&pod, &conf).unwrap();
            let bridge = link(node, "vb");
            assert_eq!(node.addresses(&bridge.name), ["10.7.0.1/24", "fd07::1/64"]);
            assert_eq!(pod.routes(node), ["0.0.0.0/0 via 10.7.0.1", "::/0 via fd07::1"]);
            node.check(&pod, &conf, &success).unwrap();
            bridge.mac.unwrap()
        })
        .collect();
    assert_eq!(macs[0], macs[1]);
}

#[test]
fn vx12_a_multicast_group_stands_for_all_nodes() {
    let fabric = Fabric::new(2);
    let keys = |at: usize| {
        json!({ "peers": null, "group": "239.1.1.7", "device": "eth0",
                "runtimeConfig": { "ips": [format!("10.7.0.{at}/24")] } })
    };
    let pods: Vec<Pod> = (1..=2)
        .map(|at| {
            let node = &fabric.nodes[at - 1];
            let (pod, conf) = (Pod::new(node, "c1"), conf(node, keys(at)));
            let success = node.add(&pod, &conf).unwrap();
            node.check(&pod, &conf, &success).unwrap();
            pod
        })
        .collect();
    // Twice, so that the list of peers is brought up to date while the group's own entry is there.
    fabric.nodes[0]
        .add(
            &Pod::new(&fabric.nodes[0], "c2"),
            &conf(&fabric.nodes[0], keys(9)),
        )
        .unwrap();
    reaches(&pods[0], &pods[1], "10.7.0.2");
    let absent = conf(
        &fabric.nodes[0],
        json!({ "name": "green", "vni": 9, "group": "239.1.1.7", "device": "nope" }),
    );
    fails(
        fabric.nodes[0].status(&absent),
        50,
        "find underlay device \"nope\": Link not found",
    );
}
