use std::net::IpAddr;

use cni_core::spec::Mac;
use cni_net::link::{NewBridge, NewVxlan};
use cni_net::neigh::Fdb;
use cni_net::{At, Links, Neighbours};

use crate::fixture::Node;

const MAC: Mac = Mac([2, 0, 0, 0, 0, 9]);

/// A node with a vxlan device in a bridge.
fn node() -> Node {
    let node = Node::new();
    let bridge = node.kernel.ensure_bridge(&NewBridge::new("vb1".parse().unwrap()));
    let mut new = NewVxlan::new("vx1".parse().unwrap(), 7.try_into().unwrap(), 4789);
    new.master = Some(bridge.unwrap().index);
    node.kernel.add_vxlan(&new).unwrap();
    node
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[track_caller]
fn check(node: &Node, expected: &[Fdb]) {
    let mut found = node.kernel.fdb(At::Host, "vx1").unwrap();
    let key = |entry: &Fdb| (entry.mac, entry.dst);
    found.sort_by_key(key);
    let mut expected = expected.to_vec();
    expected.sort_by_key(key);
    assert_eq!(found, expected);
}

#[test]
fn unknown_addresses_have_many_remotes_and_a_known_one_has_its_last() {
    let node = node();
    let flood = [Fdb::flood(ip("192.0.2.1")), Fdb::flood(ip("192.0.2.2"))];
    let entries = [
        flood[0],
        flood[1],
        Fdb::remote(MAC, ip("192.0.2.1")),
        Fdb::port(MAC),
    ];
    for _ in 0..2 {
        node.kernel.ensure_fdb(At::Host, "vx1", &entries).unwrap();
        check(&node, &entries);
    }
    let moved = Fdb::remote(MAC, ip("192.0.2.2"));
    node.kernel.ensure_fdb(At::Host, "vx1", &[moved]).unwrap();
    check(&node, &[flood[0], flood[1], moved, Fdb::port(MAC)]);
}

#[test]
fn entries_are_deleted_one_by_one() {
    let node = node();
    let flood = [Fdb::flood(ip("192.0.2.1")), Fdb::flood(ip("192.0.2.2"))];
    let entries = [
        flood[0],
        flood[1],
        Fdb::remote(MAC, ip("192.0.2.1")),
        Fdb::port(MAC),
    ];
    node.kernel.ensure_fdb(At::Host, "vx1", &entries).unwrap();
    for gone in 0..entries.len() {
        assert!(node.kernel.del_fdb(At::Host, "vx1", &entries[gone]).unwrap());
        check(&node, &entries[gone + 1..]);
    }
    for entry in &entries {
        assert!(!node.kernel.del_fdb(At::Host, "vx1", entry).unwrap());
    }
    assert!(!node.kernel.del_fdb(At::Host, "gone", &flood[0]).unwrap());
}

#[test]
fn a_neighbour_is_replaced_listed_and_deleted() {
    let node = node();
    for address in [ip("10.1.2.9"), ip("fd00::9")] {
        let other = Mac([2, 0, 0, 0, 0, 8]);
        for mac in [other, MAC] {
            node.kernel
                .ensure_neighbour(At::Host, "vb1", address, mac)
                .unwrap();
        }
        let found = node.kernel.neighbours(At::Host, "vb1").unwrap();
        assert_eq!(found, [(address, MAC)]);
        assert!(node.kernel.del_neighbour(At::Host, "vb1", address).unwrap());
        assert!(!node.kernel.del_neighbour(At::Host, "vb1", address).unwrap());
        assert_eq!(node.kernel.neighbours(At::Host, "vb1").unwrap(), []);
    }
}
