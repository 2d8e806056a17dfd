//! Announcements as the others on the link see them.

use std::process::Command;
use std::time::{Duration, Instant};

use cni_net::link::Change;
use cni_net::netns::within;
use cni_net::{Addr, Addrs, Announce, At, Links, NetError, Sysctl};

use crate::fixture::{Node, Place};

/// The neighbours of the node on `link`, as `ip neigh` shows them.
fn neighbours(node: &Node, link: &str) -> String {
    let show = || {
        Command::new("ip")
            .args(["neigh", "show", "dev", link])
            .output()
            .unwrap()
    };
    let output = within(&node.place.netns, show).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn set(node: &Node, at: At<'_>, keys: &[&str]) {
    let values: Vec<_> = keys
        .iter()
        .map(|key| ((*key).to_owned(), "1".to_owned()))
        .collect();
    node.kernel.set_sysctls(at, &values).unwrap();
}

#[test]
fn neighbours_that_never_asked_learn_where_the_addresses_are() {
    let (node, pod) = (Node::new(), Place::new());
    let (_, eth0) = node.veth(&pod, "eth0", "host0");
    let inside = At::Netns(&pod.netns);
    // Such a neighbour takes what it is told of addresses that it never looked for; for IPv6 only a router.
    set(
        &node,
        At::Host,
        &[
            "ipv4/conf/host0/arp_accept",
            "ipv6/conf/host0/accept_untracked_na",
            "ipv6/conf/host0/forwarding",
        ],
    );

    set(
        &node,
        inside,
        &["ipv4/conf/eth0/arp_notify", "ipv6/conf/eth0/ndisc_notify"],
    );
    node.kernel.set_link(inside, "eth0", &Change::up()).unwrap();
    let addrs = |texts: &[&str]| {
        texts
            .iter()
            .map(|t| Addr::new(t.parse().unwrap()))
            .collect::<Vec<_>>()
    };
    // Without an address of its own a namespace has no IPv4 tables, and takes no address for a unicast one.
    node.kernel
        .add_addrs(At::Host, "host0", &addrs(&["10.9.0.1/24"]))
        .unwrap();
    node.kernel
        .add_addrs(inside, "eth0", &addrs(&["10.9.0.3/24", "fd09::3/64"]))
        .unwrap();

    let (mac, deadline) = (eth0.mac.unwrap(), Instant::now() + Duration::from_secs(10));
    let known = |seen: &str| {
        ["10.9.0.3", "fd09::3"]
            .iter()
            .all(|a| seen.contains(&format!("{a} lladdr {mac}")))
    };
    while !known(&neighbours(&node, "host0")) {
        assert!(Instant::now() < deadline, "{:?}", neighbours(&node, "host0"));
        // An IPv6 address is announced from the moment when the kernel has completed it.
        node.kernel.announce(inside, "eth0", mac).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn announcing_on_no_link_says_which() {
    let (node, pod) = (Node::new(), Place::new());
    let error = node.kernel.announce(
        At::Netns(&pod.netns),
        "eth7",
        "02:00:00:00:00:01".parse().unwrap(),
    );
    assert!(matches!(error, Err(NetError::LinkNotFound { name }) if name == "eth7"));
}
