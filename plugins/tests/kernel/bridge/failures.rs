//! ADDs that fail.

use std::process::Command;

use cni_core::spec::Mac;
use cni_net::Links;
use cni_net::link::NewBridge;
use serde_json::{Value, json};

use super::{layer_2, only_the_bridge, with_ipam};
use crate::fixture::{Node, Pod, fails};

#[test]
fn keys_for_vlans_are_refused_by_name_and_value() {
    let node = Node::new();
    let refused = |keys: Value, message: &str| {
        fails(
            node.add(&Pod::new(&node, "c1"), &layer_2(&node, keys)),
            2,
            message,
        );
        node.has(&[]);
    };
    refused(json!({ "vlan": 100 }), "key \"vlan\" with value 100");
    refused(
        json!({ "vlanTrunk": [{ "id": 7 }] }),
        "key \"vlanTrunk\" with value [{\"id\":7}]",
    );
    refused(
        json!({ "preserveDefaultVlan": true }),
        "key \"preserveDefaultVlan\" with value true",
    );
    let harmless = json!({ "vlan": 0, "preserveDefaultVlan": false });
    node.add(&Pod::new(&node, "c1"), &layer_2(&node, harmless))
        .unwrap();
}

/// Runs the test again as a process of its own, whose `/proc/sys` cannot be written to.
#[test]
fn read_only_kernel_parameters_matter_only_where_they_are_wrong() {
    const INSIDE: &str = "READ_ONLY";
    if !std::env::args().any(|argument| argument == INSIDE) {
        let read_only =
            "mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec \"$@\"";
        let mut alone = Command::new("unshare");
        alone.args(["--mount", "sh", "-c", read_only, "sh"]);
        alone.arg(std::env::current_exe().unwrap());
        let name = "bridge::failures::read_only_kernel_parameters_matter_only_where_they_are_wrong";
        alone.args(["--exact", name, "--skip", INSIDE]);
        let ended = alone.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{ended:?}");
        return;
    }
    let node = Node::new();
    let pod = Pod::new(&node, "c1");
    node.add(&pod, &with_ipam(&node, json!({}))).unwrap();
    node.del(&pod, &with_ipam(&node, json!({})), None).unwrap();
    let gateway = with_ipam(&node, json!({ "isGateway": true }));
    fails(
        node.add(&pod, &gateway),
        100,
        "write \"1\" to sysctl \"ipv4/ip_forward\"",
    );
    only_the_bridge(&node, &pod);
}

#[test]
fn results_before_0_3_0_need_an_address_and_nothing_is_made_without() {
    let node = Node::new();
    let conf = layer_2(&node, json!({ "cniVersion": "0.2.0" }));
    fails(
        node.add(&Pod::new(&node, "c1"), &conf),
        7,
        "attach without addresses",
    );
    node.has(&[]);
}

#[test]
fn a_bad_namespace_is_refused_before_anything_is_made() {
    let node = Node::new();
    let pod = Pod::new(&node, "c1");
    let conf = with_ipam(&node, json!({}));
    fails(node.add(&pod.elsewhere("/dev/null"), &conf), 8, "");
    fails(node.add(&pod.elsewhere("/run/netns/is-not-there"), &conf), 8, "");
    node.has(&[]);
    node.reserved(&[]);
}

#[test]
fn a_second_add_fails_and_leaves_the_first_as_it_is() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "isGateway": true }));
    let pod = Pod::new(&node, "c1");
    let first = node.add(&pod, &conf).unwrap();
    fails(
        node.add(&pod, &conf),
        166,
        "container veth name (\"eth0\") already exists",
    );
    // The same attachment in another namespace: its host end shows that it is there.
    let elsewhere = Pod::new(&node, "c1");
    fails(
        node.add(&elsewhere, &conf),
        7,
        "interface \"eth0\" of container \"c1\" is already attached",
    );
    node.check(&pod, &conf, &first).unwrap();
    node.reserved(&["10.9.0.2"]);
    node.del(&pod, &conf, Some(&first)).unwrap();
    only_the_bridge(&node, &pod);
}

#[test]
fn an_add_that_fails_leaves_nothing_but_the_bridge() {
    let node = Node::new();
    let pod = Pod::new(&node, "c1");
    // Two addresses: the second is the gateway's, which is never given out; one pod, and it is full.
    let full = json!({ "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/30" }]] });
    let conf = with_ipam(&node, json!({ "isGateway": true, "ipam": full }));
    let first = Pod::new(&node, "first");
    let success = node.add(&first, &conf).unwrap();
    fails(node.add(&pod, &conf), 140, "failed to allocate for range 0");
    node.has(&["br0", "veth"]);
    pod.has(&node, &[]);
    node.reserved(&["10.9.0.2"]);
    node.del(&first, &conf, Some(&success)).unwrap();

    // After IPAM: the bridge has another network's gateway.
    let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": "10.8.0.0/24" }]] });
    let other = with_ipam(&node, json!({ "isGateway": true, "ipam": ipam }));
    fails(
        node.add(&pod, &other),
        167,
        "\"br0\" already has an IP address different from 10.8.0.1/24",
    );
    only_the_bridge(&node, &pod);

    // After addresses and gateways: a route that the kernel refuses.
    let routes = json!([{ "dst": "192.168.0.0/16", "gw": "172.16.0.1" }]);
    let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/30" }]], "routes": routes });
    let unreachable = with_ipam(&node, json!({ "isGateway": true, "ipam": ipam }));
    fails(node.add(&pod, &unreachable), 100, "");
    only_the_bridge(&node, &pod);

    // Somebody else's interface of that name.
    let mut eth0 = NewBridge::new("eth0".parse().unwrap());
    eth0.mac = Some(Mac([2, 0, 0, 0, 0, 9]));
    pod.in_it().ensure_bridge(&eth0).unwrap();
    fails(
        node.add(&pod, &conf),
        166,
        "container veth name (\"eth0\") already exists",
    );
    node.has(&["br0"]);
    pod.has(&node, &["eth0"]);
    node.reserved(&[]);
}
