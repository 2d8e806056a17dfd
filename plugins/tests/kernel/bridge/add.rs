//! ADDs that succeed.

use std::sync::Barrier;
use std::thread;

use cni_core::spec::Success;
use cni_net::link::OperState;
use cni_net::{At, Links, Sysctl};
use serde_json::{Value, json};

use super::{layer_2, only_the_bridge, round_trip, with_ipam};
use crate::fixture::{Node, Pod, fails, ips};

#[test]
fn an_ipv4_attachment_comes_and_goes() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "isDefaultGateway": true, "mtu": 1400 }));
    round_trip(&node, &conf, |pod, success| {
        ips(success, &["2 10.9.0.2/24 via 10.9.0.1"]);
        assert_eq!(pod.addresses(&node), ["10.9.0.2/24"]);
        assert_eq!(pod.routes(&node), ["0.0.0.0/0 via 10.9.0.1"]);
        assert_eq!(node.addresses("br0"), ["10.9.0.1/24"]);
        assert_eq!(node.sysctl("ipv4/ip_forward"), "1");
        let (host, container) = (node.host_end(), pod.link(&node));
        assert_eq!((host.mtu, container.mtu), (1400, 1400));
        assert_eq!(host.alias.as_deref(), Some("plexus:blue/c1/eth0"));
        assert_eq!((host.state, container.up), (OperState::Up, true));
        assert_eq!(
            container.mac.map(String::from).as_ref(),
            Some(&success.interfaces[2].mac)
        );
    });
}

#[test]
fn a_dual_stack_attachment_comes_and_goes() {
    let node = Node::new();
    let ranges = json!([[{ "subnet": "10.9.0.0/24" }], [{ "subnet": "fd09::/64" }]]);
    let ipam = json!({ "type": "host-local", "ranges": ranges });
    let conf = layer_2(&node, json!({ "isDefaultGateway": true, "ipam": ipam }));
    let started = std::time::Instant::now();
    round_trip(&node, &conf, |pod, success| {
        assert!(
            started.elapsed().as_millis() < 900,
            "duplicate-address detection was waited for"
        );
        ips(
            success,
            &["2 10.9.0.2/24 via 10.9.0.1", "2 fd09::2/64 via fd09::1"],
        );
        assert_eq!(pod.addresses(&node), ["10.9.0.2/24", "fd09::2/64"]);
        assert_eq!(pod.routes(&node), ["0.0.0.0/0 via 10.9.0.1", "::/0 via fd09::1"]);
        assert_eq!(node.addresses("br0"), ["10.9.0.1/24", "fd09::1/64"]);
        assert_eq!(node.sysctl("ipv6/conf/all/forwarding"), "1");
    });
}

#[test]
fn an_ipv6_attachment_waits_for_detection_when_asked_to() {
    let node = Node::new();
    let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": "fd09::/64" }]] });
    let conf = layer_2(
        &node,
        json!({ "isGateway": true, "enabledad": true, "ipam": ipam }),
    );
    round_trip(&node, &conf, |pod, success| {
        ips(success, &["2 fd09::2/64 via fd09::1"]);
        let at = At::Netns(&pod.netns);
        assert_eq!(node.net.sysctl(at, "ipv6/conf/eth0/accept_dad").unwrap(), "1");
        let addrs = cni_net::Addrs::addrs(&node.net, at, "eth0").unwrap();
        assert!(addrs.iter().all(|a| !a.tentative && !a.dad_failed));
    });
}

#[test]
fn a_layer_2_attachment_comes_and_goes_and_can_be_checked() {
    let node = Node::new();
    round_trip(&node, &layer_2(&node, json!({})), |pod, success| {
        ips(success, &[]);
        assert!(pod.link(&node).up);
    });
}

#[test]
fn the_containers_end_stays_down_when_asked_to() {
    let node = Node::new();
    let conf = layer_2(&node, json!({ "disableContainerInterface": true }));
    round_trip(&node, &conf, |pod, _| assert!(!pod.link(&node).up));
    let conf = with_ipam(&node, json!({ "disableContainerInterface": true }));
    let outcome = node.add(&Pod::new(&node, "c2"), &conf);
    fails(
        outcome,
        7,
        "cannot use IPAM when DisableContainerInterface flag is set",
    );
}

#[test]
fn port_flags_and_promiscuity_reach_the_kernel() {
    let node = Node::new();
    let conf = layer_2(&node, json!({ "hairpinMode": true, "portIsolation": true }));
    round_trip(&node, &conf, |_, _| {
        let port = node.host_end().port.unwrap();
        assert!(port.hairpin && port.isolated);
    });
    let conf = layer_2(&node, json!({ "promiscMode": true }));
    round_trip(&node, &conf, |_, _| {
        assert!(node.net.link(At::Host, "br0").unwrap().unwrap().promisc);
    });
    let conf = layer_2(&node, json!({ "promiscMode": true, "hairpinMode": true }));
    let outcome = node.add(&Pod::new(&node, "c2"), &conf);
    fails(
        outcome,
        7,
        "cannot set hairpin mode and promiscuous mode at the same time",
    );
}

#[test]
fn the_hardware_address_comes_from_the_place_that_weighs_most() {
    let node = Node::new();
    let mac = |keys: Value, args: &str| {
        let (pod, conf) = (Pod::new(&node, "c1"), layer_2(&node, keys));
        let success = node.add_with(&pod, &conf, args).unwrap();
        let mac = pod.link(&node).mac.map(String::from);
        node.del(&pod, &conf, Some(&success)).unwrap();
        assert_eq!(mac.as_ref(), Some(&success.interfaces[2].mac));
        mac.unwrap()
    };
    let args = "IgnoreUnknown=1;MAC=02:00:00:00:00:01";
    let cni = json!({ "cni": { "mac": "02:00:00:00:00:02" } });
    assert_eq!(mac(json!({}), args), "02:00:00:00:00:01");
    assert_eq!(mac(json!({ "args": cni }), args), "02:00:00:00:00:02");
    let runtime = json!({ "mac": "02:00:00:00:00:0C" });
    assert_eq!(
        mac(json!({ "args": cni, "runtimeConfig": runtime }), args),
        "02:00:00:00:00:0c"
    );
}

#[test]
fn force_address_replaces_the_bridges_address() {
    let node = Node::new();
    let with = |subnet: &str, force: bool| {
        let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": subnet }]] });
        with_ipam(
            &node,
            json!({ "isGateway": true, "forceAddress": force, "ipam": ipam }),
        )
    };
    node.add(&Pod::new(&node, "c1"), &with("10.9.0.0/24", false))
        .unwrap();
    assert_eq!(node.addresses("br0"), ["10.9.0.1/24"]);
    node.add(&Pod::new(&node, "c2"), &with("10.8.0.0/24", true))
        .unwrap();
    assert_eq!(node.addresses("br0"), ["10.8.0.1/24"]);
}

#[test]
fn a_default_route_without_next_hop_gets_the_gateway() {
    let node = Node::new();
    let ipam = json!({
        "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/24" }]],
        "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "10.0.0.0/8", "mtu": 1300, "advmss": 1200 },
                   { "dst": "10.7.0.0/16", "table": 100 }, { "dst": "10.6.0.0/16", "scope": 253 }]
    });
    let conf = with_ipam(&node, json!({ "isDefaultGateway": true, "ipam": ipam }));
    round_trip(&node, &conf, |pod, success| {
        assert_eq!(success.routes.len(), 4);
        let expected = [
            "0.0.0.0/0 via 10.9.0.1",
            "10.0.0.0/8 via 10.9.0.1 mtu 1300 advmss 1200",
            "10.6.0.0/16",
            "10.7.0.0/16 via 10.9.0.1 table 100",
        ];
        assert_eq!(pod.routes(&node), expected);
    });
}

#[test]
fn twenty_adds_at_once_make_one_bridge_and_give_twenty_addresses() {
    const PODS: usize = 20;
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "isDefaultGateway": true }));
    let pods: Vec<Pod> = (0..PODS).map(|n| Pod::new(&node, &format!("c{n}"))).collect();
    let start = Barrier::new(PODS);
    let mut results: Vec<Success> = Vec::new();
    thread::scope(|scope| {
        let add = |pod| {
            let (node, conf, start) = (&node, &conf, &start);
            scope.spawn(move || {
                start.wait();
                node.add(pod, conf).unwrap()
            })
        };
        let threads: Vec<_> = pods.iter().map(add).collect();
        results = threads.into_iter().map(|t| t.join().unwrap()).collect();
    });
    let mut addresses: Vec<String> = results.iter().map(|r| r.ips[0].address.to_string()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), PODS);
    assert_eq!(node.addresses("br0"), ["10.9.0.1/24"]);
    let bridge = node.net.link(At::Host, "br0").unwrap().unwrap();
    let mac = bridge.mac.map(String::from);
    assert!(results.iter().all(|r| Some(&r.interfaces[0].mac) == mac.as_ref()));
    for (pod, result) in pods.iter().zip(&results) {
        node.check(pod, &conf, result).unwrap();
        node.del(pod, &conf, Some(result)).unwrap();
    }
    only_the_bridge(&node, &pods[0]);
}

#[test]
fn an_address_that_moves_to_another_pod_is_found_there_at_once() {
    let node = Node::new();
    let fixed = |last: u8| {
        let addresses =
            json!([{ "address": format!("10.9.0.{last}/24") }, { "address": format!("fd09::{last}/64") }]);
        layer_2(
            &node,
            json!({ "ipam": { "type": "static", "addresses": addresses } }),
        )
    };
    let [asking, old, new] = ["c1", "c2", "c3"].map(|id| Pod::new(&node, id));
    node.add(&asking, &fixed(2)).unwrap();
    let gone = node.add(&old, &fixed(3)).unwrap();
    let both = |seen: &str| {
        assert!(asking.reaches("10.9.0.3"), "{seen}, IPv4");
        assert!(asking.reaches("fd09::3"), "{seen}, IPv6");
    };
    both("at first");
    node.del(&old, &fixed(3), Some(&gone)).unwrap();
    node.add(&new, &fixed(3)).unwrap();
    both("after the move");
}
