//! What is refused, and that nothing is left of it.

use std::net::UdpSocket;

use cni_net::link::{LinkKind, NewBridge};
use cni_net::netns::within;
use cni_net::{Links, Namespaces};
use serde_json::json;

use super::{Fabric, PAIR, at, conf, has, link};
use crate::fixture::{Pod, fails};

#[test]
fn vx6_a_vni_that_another_device_has_is_refused_by_its_name() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    node.add(&one, &at(node, "10.7.0.1/24")).unwrap();
    let device = link(node, "vx").name;
    let green = conf(node, json!({ "name": "green" }));
    let message = format!(
        "create vxlan device of network \"green\": VNI 7 on port 4789 is taken by device \"{device}\" (alias \"plexus:blue\")"
    );
    fails(node.add(&two, &green), 130, &message);
    fails(node.status(&green), 50, &message);
    has(node, &["vb", "veth", "vx"]);
    two.has(node, &[]);
    // On another port, or with another number, there is room.
    for keys in [
        json!({ "name": "green", "port": 4790 }),
        json!({ "name": "green", "vni": 8 }),
    ] {
        let green = conf(node, keys);
        node.status(&green).unwrap();
        node.add(&two, &green).unwrap();
        has(node, &["vb", "vb", "veth", "veth", "vx", "vx"]);
        node.del(&two, &green, None).unwrap();
    }
}

#[test]
fn vx7_a_port_that_a_program_has_is_refused() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let here = node.net.open(node.path()).unwrap();
    let socket = within(&here, || UdpSocket::bind("0.0.0.0:4789").unwrap()).unwrap();
    let conf = at(node, "10.7.0.1/24");
    let message = "create vxlan device of network \"blue\": UDP port 4789 is taken by another program";
    fails(node.add(&pod, &conf), 131, message);
    has(node, &[]);
    pod.has(node, &[]);
    fails(within(&here, || node.status(&conf)).unwrap(), 50, message);
    drop(socket);
    within(&here, || node.status(&conf)).unwrap().unwrap();
    node.add(&pod, &conf).unwrap();
}

#[test]
fn a_name_that_is_anothers_is_left_alone() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let conf = at(node, "10.7.0.1/24");
    node.add(&pod, &conf).unwrap();
    let bridge = link(node, "vb");
    node.del(&pod, &conf, None).unwrap();
    let mut foreign = NewBridge::new(bridge.name.parse().unwrap());
    foreign.alias = Some("of the administrator".to_owned());
    node.net.ensure_bridge(&foreign).unwrap();
    fails(
        node.add(&pod, &conf),
        132,
        "create the segment of network \"blue\": the name ",
    );
    has(node, &["vb"]);
}

#[test]
fn a_segment_cannot_change_its_number_under_its_containers() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    let conf_one = at(node, "10.7.0.1/24");
    node.add(&one, &conf_one).unwrap();
    let other = conf(node, json!({ "vni": 8 }));
    fails(
        node.add(&two, &other),
        133,
        "join the segment of network \"blue\"",
    );
    fails(node.status(&other), 50, "join the segment of network \"blue\"");
    node.check(
        &one,
        &conf_one,
        &node.add(&two, &at(node, "10.7.0.2/24")).unwrap(),
    )
    .unwrap_err();
    node.del(&two, &other, None).unwrap();
    // A lingering pair has no containers, and is made anew.
    let linger = conf(node, json!({ "runtimeConfig": { "linger": 30 } }));
    node.del(&one, &linger, None).unwrap();
    has(node, &PAIR);
    node.add(&two, &other).unwrap();
    assert!(matches!(link(node, "vx").kind, LinkKind::Vxlan { vni: 8, .. }));
}

#[test]
fn an_add_that_fails_late_leaves_nothing() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    // The gateway is the container's own address: known only after the IPAM plugin has answered.
    let keys = json!({ "isGateway": true, "runtimeConfig": { "ips": ["10.7.0.1/24"] } });
    fails(node.add(&pod, &conf(node, keys)), 7, "find a gateway");
    has(node, &[]);
    pod.has(node, &[]);
    let no_ipam = conf(node, json!({ "ipam": { "type": "host-local" } }));
    fails(node.add(&pod, &no_ipam), 7, "no IP ranges specified");
    has(node, &[]);
    // The container has an interface of that name already.
    let neighbour = node.conf(json!({ "type": "bridge", "bridge": "br0", "name": "red" }));
    node.add(&pod, &neighbour).unwrap();
    fails(
        node.add(&pod, &at(node, "10.7.0.1/24")),
        166,
        "container veth name",
    );
    has(node, &["br0", "veth"]);
    pod.has(node, &["eth0"]);
}

#[test]
fn a_failing_add_does_not_disturb_a_container_that_is_there() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    let conf_one = at(node, "10.7.0.1/24");
    let first = node.add(&one, &conf_one).unwrap();
    fails(node.add(&one, &conf_one), 166, "container veth name");
    fails(
        node.add(&two, &conf(node, json!({ "ipam": { "type": "host-local" } }))),
        7,
        "no IP ranges",
    );
    node.check(&one, &conf_one, &first).unwrap();
}
