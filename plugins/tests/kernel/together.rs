//! Several calls for one container at once.

use std::thread::scope;

use cni_net::link::NewBridge;
use cni_net::nft::{Chain, Family};
use cni_net::{At, Links, Nft};
use serde_json::json;

use crate::fixture::{Conf, Node, Pod};

/// How often each pair of calls meets.
const ROUNDS: usize = 10;

/// A node with an uplink, a configuration of each plugin that makes interfaces, and what each leaves on it.
fn node() -> (Node, Vec<(Conf, &'static [&'static str])>) {
    let node = Node::new();
    node.net
        .ensure_bridge(&NewBridge::new("up0".parse().unwrap()))
        .unwrap();
    let ipam = json!({ "type": "host-local", "subnet": "10.9.0.0/24" });
    let keys = [
        json!({ "type": "macvlan", "master": "up0", "ipam": ipam }),
        json!({ "type": "vxlan", "vni": 7, "mtu": 1400, "ipMasq": true, "ipam": ipam }),
        json!({ "type": "bridge", "bridge": "br0", "isGateway": true, "ipMasq": true, "macspoofchk": true, "ipam": ipam }),
    ];
    let leaves: [&[&str]; 3] = [&["up0"], &["up0"], &["br0", "up0"]];
    let confs = keys.map(|keys| node.conf(keys)).into_iter().zip(leaves);
    let confs = confs.collect();
    (node, confs)
}

#[track_caller]
fn nothing_is_left(node: &Node, pod: &Pod, leaves: &[&str]) {
    node.has(leaves);
    pod.has(node, &[]);
    node.reserved(&[]);
    let masquerade = Chain::new(Family::Inet, "cni_plugins_masquerade", "masq_checks");
    let filter = Chain::new(Family::Bridge, "nat", "PREROUTING");
    for chain in [masquerade, filter] {
        assert_eq!(node.net.rules(At::Host, &chain).unwrap(), []);
    }
}

#[test]
fn an_add_and_a_del_of_one_attachment_at_once_leave_nothing_after_the_next_del() {
    let (node, confs) = node();
    for (conf, leaves) in &confs {
        for _ in 0..ROUNDS {
            let pod = Pod::new(&node, "c1");
            let added = scope(|scope| {
                let adding = scope.spawn(|| node.add(&pod, conf));
                node.del(&pod, conf, None).unwrap();
                adding.join().unwrap()
            });
            if let Err(error) = added {
                assert!([100, 101].contains(&error.code.0), "{error}");
            }
            node.del(&pod, conf, None).unwrap();
            nothing_is_left(&node, &pod, leaves);
        }
    }
}

#[test]
fn of_two_adds_of_one_attachment_at_once_one_is_refused_and_the_other_whole() {
    let (node, confs) = node();
    for (conf, leaves) in &confs {
        for _ in 0..ROUNDS {
            let pod = Pod::new(&node, "c1");
            let outcomes = scope(|scope| {
                let second = scope.spawn(|| node.add(&pod, conf));
                [node.add(&pod, conf), second.join().unwrap()]
            });
            let ([Ok(success), Err(error)] | [Err(error), Ok(success)]) = outcomes else {
                panic!("{outcomes:?}")
            };
            assert!([100, 166].contains(&error.code.0), "{error}");
            node.check(&pod, conf, &success).unwrap();
            node.del(&pod, conf, Some(&success)).unwrap();
            nothing_is_left(&node, &pod, leaves);
        }
    }
}

#[test]
fn two_interfaces_of_one_container_come_and_go_apart() {
    let (node, confs) = node();
    for (conf, leaves) in &confs {
        let pod = Pod::new(&node, "c1");
        let second = pod.with_interface("net1");
        for (one, other) in [(&pod, &second), (&second, &pod)] {
            let (of_one, of_other) = scope(|scope| {
                let adding = scope.spawn(|| node.add(one, conf).unwrap());
                let of_other = node.add(other, conf).unwrap();
                (adding.join().unwrap(), of_other)
            });
            node.del(one, conf, Some(&of_one)).unwrap();
            node.check(other, conf, &of_other).unwrap();
            node.del(one, conf, None).unwrap();
            node.check(other, conf, &of_other).unwrap();
            node.del(other, conf, Some(&of_other)).unwrap();
            nothing_is_left(&node, &pod, leaves);
        }
    }
}
