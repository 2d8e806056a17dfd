//! `macvlan` on the kernel.

use cni_core::spec::Success;
use cni_net::link::{Change, LinkKind, MacvlanMode, NewBridge, NewMacvlan, PASSING_NAME};
use cni_net::route::Route;
use cni_net::{Addr, Addrs, At, Links, Routes, Sysctl};
use serde_json::{Value, json};

use crate::fixture::{Conf, Node, Pod, fails, interfaces, ips};

/// A node whose interface `up0` is up, has an MTU of 1500 and an address.
fn node() -> Node {
    let node = Node::new();
    node.net
        .ensure_bridge(&NewBridge::new("up0".parse().unwrap()))
        .unwrap();
    let address = Addr::new("10.5.0.9/24".parse().unwrap());
    node.net.add_addrs(At::Host, "up0", &[address]).unwrap();
    node
}

fn conf(node: &Node, keys: Value) -> Conf {
    let mut conf = json!({ "type": "macvlan", "master": "up0" });
    conf.as_object_mut()
        .unwrap()
        .extend(keys.as_object().unwrap().clone());
    node.conf(conf)
}

fn ipam(subnet: &str) -> Value {
    json!({ "type": "host-local", "ranges": [[{ "subnet": subnet }]], "routes": [{ "dst": "10.0.0.0/8" }] })
}

#[track_caller]
fn round_trip(node: &Node, conf: &Conf, assert: impl FnOnce(&Pod, &Success)) {
    let pod = Pod::new(node, "c1");
    let success = node.add(&pod, conf).unwrap();
    interfaces(&success, &["eth0@pod"]);
    node.has(&["up0"]);
    pod.has(node, &["eth0"]);
    assert(&pod, &success);
    node.check(&pod, conf, &success).unwrap();
    node.del(&pod, conf, Some(&success)).unwrap();
    nothing_is_left(node, &pod);
    node.del(&pod, conf, Some(&success)).unwrap();
    node.del_at(&pod, conf, None, None).unwrap();
}

#[track_caller]
fn nothing_is_left(node: &Node, pod: &Pod) {
    node.has(&["up0"]);
    pod.has(node, &[]);
    node.reserved(&[]);
}

#[test]
fn an_attachment_with_addresses_comes_and_goes() {
    let node = node();
    let ranges = json!([[{ "subnet": "10.9.0.0/24" }], [{ "subnet": "fd09::/64" }]]);
    let dual = json!({ "type": "host-local", "ranges": ranges, "routes": [{ "dst": "0.0.0.0/0" }] });
    round_trip(&node, &conf(&node, json!({ "ipam": dual })), |pod, success| {
        ips(
            success,
            &["0 10.9.0.2/24 via 10.9.0.1", "0 fd09::2/64 via fd09::1"],
        );
        assert_eq!(pod.addresses(&node), ["10.9.0.2/24", "fd09::2/64"]);
        assert_eq!(pod.routes(&node), ["0.0.0.0/0 via 10.9.0.1"]);
        let link = pod.link(&node);
        assert_eq!(
            link.kind,
            LinkKind::Macvlan {
                mode: MacvlanMode::Bridge
            }
        );
        assert_eq!(link.alias.as_deref(), Some("plexus:blue/c1/eth0"));
        let notify = node
            .net
            .sysctl(At::Netns(&pod.netns), "ipv6/conf/eth0/ndisc_notify");
        assert_eq!(notify.unwrap(), "1");
    });
}

#[test]
fn mode_mtu_and_hardware_address_reach_the_kernel() {
    let node = node();
    let keys = json!({
        "mode": "private", "mtu": 1400, "mac": "02:00:00:00:00:01", "bcqueuelen": 500,
        "runtimeConfig": { "mac": "02:00:00:00:00:02" }
    });
    round_trip(&node, &conf(&node, keys), |pod, _| {
        let link = pod.link(&node);
        assert_eq!(
            link.kind,
            LinkKind::Macvlan {
                mode: MacvlanMode::Private
            }
        );
        assert_eq!((link.mtu, link.up), (1400, true));
        assert_eq!(link.mac.map(String::from).as_deref(), Some("02:00:00:00:00:02"));
    });
}

#[test]
fn the_master_is_the_default_routes_interface_when_none_is_named() {
    let node = node();
    let conf = conf(&node, json!({ "master": "" }));
    fails(
        node.add(&Pod::new(&node, "c1"), &conf),
        120,
        "no default route interface found",
    );
    let mut route = Route::new("0.0.0.0/0".parse().unwrap());
    route.gw = Some("10.5.0.1".parse().unwrap());
    node.net.add_routes(At::Host, &[route]).unwrap();
    let up0 = node.net.link(At::Host, "up0").unwrap().unwrap().index;
    round_trip(&node, &conf, |pod, _| {
        assert_eq!(pod.link(&node).parent, Some(up0))
    });
}

#[test]
fn the_master_may_be_in_the_container() {
    let node = node();
    let pod = Pod::new(&node, "c1");
    pod.in_it()
        .ensure_bridge(&NewBridge::new("in0".parse().unwrap()))
        .unwrap();
    let conf = conf(&node, json!({ "master": "in0", "linkInContainer": true }));
    let success = node.add(&pod, &conf).unwrap();
    pod.has(&node, &["eth0", "in0"]);
    node.check(&pod, &conf, &success).unwrap();
    node.del(&pod, &conf, Some(&success)).unwrap();
    pod.has(&node, &["in0"]);
}

#[test]
fn what_cannot_be_served_is_refused_and_nothing_made() {
    let node = node();
    let refused = |keys: Value, code: u32, message: &str| {
        let pod = Pod::new(&node, "c1");
        fails(node.add(&pod, &conf(&node, keys)), code, message);
        nothing_is_left(&node, &pod);
    };
    refused(json!({ "master": "eth9" }), 101, "Link not found");
    refused(json!({ "mode": "l2" }), 7, "unknown macvlan mode: \"l2\"");
    refused(
        json!({ "mtu": 9000 }),
        7,
        "invalid MTU 9000, must be [0, master MTU(1500)]",
    );
    refused(json!({ "mac": "zz" }), 7, "read the MAC address");
    refused(json!({ "cniVersion": "0.2.0" }), 7, "attach without addresses");
    refused(
        json!({ "ipam": { "type": "static" } }),
        160,
        "IPAM plugin returned missing IP config",
    );
    let routes = json!([{ "dst": "192.168.0.0/16", "gw": "172.16.0.1" }]);
    let unreachable =
        json!({ "type": "static", "addresses": [{ "address": "10.9.0.2/24" }], "routes": routes });
    refused(json!({ "ipam": unreachable }), 100, "");
}

#[test]
fn a_second_add_fails_and_leaves_the_first_as_it_is() {
    let node = node();
    let conf = conf(&node, json!({ "ipam": ipam("10.9.0.0/24") }));
    let pod = Pod::new(&node, "c1");
    let first = node.add(&pod, &conf).unwrap();
    fails(node.add(&pod, &conf), 100, "");
    node.check(&pod, &conf, &first).unwrap();
    node.reserved(&["10.9.0.2"]);
}

#[test]
fn del_needs_neither_namespace_nor_master_and_spares_foreign_links() {
    let node = node();
    let conf = conf(&node, json!({ "ipam": ipam("10.9.0.0/24") }));
    let pod = Pod::new(&node, "c1");
    let success = node.add(&pod, &conf).unwrap();
    let other = Pod::new(&node, "c2");
    node.add(&other, &conf).unwrap();
    node.del_at(&pod, &conf, Some(&success), Some(other.path().as_path()))
        .unwrap();
    other.has(&node, &["eth0"]);
    node.reserved(&["10.9.0.3"]);
    node.net.del_link(At::Host, "up0").unwrap();
    other.has(&node, &[]);
    node.del(&other, &conf, None).unwrap();
    node.reserved(&[]);
}

#[test]
fn del_does_without_a_namespace_of_the_result_that_nobody_can_open() {
    let node = node();
    let conf = conf(&node, json!({ "ipam": ipam("10.9.0.0/24") }));
    let pod = Pod::new(&node, "c1");
    let mut success = node.add(&pod, &conf).unwrap();
    for nowhere in [format!("/{}", "x".repeat(300)), "/run/a\0b".to_owned()] {
        success.interfaces[0].sandbox = nowhere;
        node.del_at(&pod, &conf, Some(&success), None).unwrap();
    }
    node.reserved(&[]);
}

#[test]
fn del_removes_a_device_that_was_not_given_its_name_any_more() {
    let node = node();
    let pod = Pod::new(&node, "c1");
    let parent = node.net.link(At::Host, "up0").unwrap().unwrap().index;
    let new = NewMacvlan::new(&pod.netns, PASSING_NAME.parse().unwrap(), At::Host, parent);
    node.net.add_macvlan(&new).unwrap();
    node.del(&pod, &conf(&node, json!({})), None).unwrap();
    nothing_is_left(&node, &pod);
}

#[test]
fn check_finds_a_link_that_is_down_and_another_master() {
    let node = node();
    let conf = conf(&node, json!({}));
    let pod = Pod::new(&node, "c1");
    let success = node.add(&pod, &conf).unwrap();
    node.net
        .ensure_bridge(&NewBridge::new("up1".parse().unwrap()))
        .unwrap();
    let moved = node.conf(json!({ "type": "macvlan", "master": "up1" }));
    fails(
        node.check(&pod, &moved, &success),
        163,
        "check interface \"eth0\": hangs on another master",
    );
    node.net
        .set_link(At::Netns(&pod.netns), "eth0", &Change::down())
        .unwrap();
    fails(
        node.check(&pod, &conf, &success),
        163,
        "check interface \"eth0\": is down",
    );
}

#[test]
fn gc_frees_the_addresses_of_what_is_not_valid() {
    let node = node();
    let conf = conf(&node, json!({ "ipam": ipam("10.9.0.0/24") }));
    let pods = ["c1", "c2"].map(|id| Pod::new(&node, id));
    for pod in &pods {
        node.add(pod, &conf).unwrap();
    }
    node.gc(&conf, None).unwrap();
    node.reserved(&["10.9.0.2", "10.9.0.3"]);
    node.gc(&conf, Some(&[&pods[1]])).unwrap();
    node.reserved(&["10.9.0.3"]);
}

#[test]
fn del_removes_a_link_that_a_killed_add_had_not_marked_yet() {
    let node = node();
    let conf = conf(&node, json!({}));
    let pod = Pod::new(&node, "c1");
    let master = node.net.link(At::Host, "up0").unwrap().unwrap();
    let new = NewMacvlan::new(&pod.netns, "eth0".parse().unwrap(), At::Host, master.index);
    node.net.add_macvlan(&new).unwrap();
    node.del(&pod, &conf, None).unwrap();
    nothing_is_left(&node, &pod);
}
