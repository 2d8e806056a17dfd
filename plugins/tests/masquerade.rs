//! Masquerade on a real kernel, each test in a namespace of its own; they need root.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use cni_core::spec::{AttachmentId, NetName, ValidAttachment};
use cni_net::link::{Change, NewVeth};
use cni_net::netns::{Anonymous, within};
use cni_net::nft::{Chain, Expr, Family, Is, Rule, Transaction};
use cni_net::route::Route;
use cni_net::{Addr, Addrs, At, Kernel, Links, Namespaces, Netns, Nft, Routes, Sysctl};
use cni_plugins::shared::masquerade::{check, ensure, gc, remove};
use ipnet::IpNet;

/// A fresh namespace.
fn fresh() -> Netns {
    let netns = Anonymous::new().unwrap();
    Kernel::new().open(netns.path()).unwrap()
}

/// The kernel with a fresh namespace as the host's.
fn kernel() -> Kernel {
    within(&fresh(), Kernel::new).unwrap()
}

fn network(name: &str) -> NetName {
    name.parse().unwrap()
}

fn id(container: &str, ifname: &str) -> AttachmentId {
    AttachmentId::new(container.parse().unwrap(), ifname.parse().unwrap())
}

fn nets(addresses: &[&str]) -> Vec<IpNet> {
    addresses.iter().map(|a| a.parse().unwrap()).collect()
}

fn rules(kernel: &Kernel, chain: &str) -> Vec<Rule> {
    let chain = Chain::new(Family::Inet, "cni_plugins_masquerade", chain);
    kernel.rules(At::Host, &chain).unwrap()
}

/// Whose rules there are, in order: the end of each comment.
fn owners(kernel: &Kernel) -> Vec<String> {
    let owner = |rule: &Rule| rule.comment.split_once(", ").unwrap().1.to_owned();
    rules(kernel, "masq_checks").iter().map(owner).collect()
}

#[test]
fn each_address_has_a_rule_and_doing_it_again_changes_nothing() {
    let kernel = kernel();
    let (blue, one) = (network("blue"), id("c1", "eth0"));
    let addresses = nets(&["10.1.2.3/24", "fd00::3/64"]);
    for _ in 0..2 {
        ensure(&kernel, &blue, &one, &addresses).unwrap();
        let there = rules(&kernel, "masq_checks");
        assert_eq!(there.len(), 2);
        for (rule, (source, subnet)) in there
            .iter()
            .zip([("10.1.2.3/32", "10.1.2.0/24"), ("fd00::3/128", "fd00::/64")])
        {
            assert!(rule.does(&[
                Expr::Source(Is::Equal, source.parse().unwrap()),
                Expr::Destination(Is::Not, subnet.parse().unwrap()),
                Expr::Masquerade,
            ]));
        }
        assert_eq!(rules(&kernel, "postrouting").len(), 3);
        check(&kernel, &blue, &one, &addresses).unwrap();
    }
}

#[test]
fn other_addresses_take_the_place_of_the_first() {
    let kernel = kernel();
    let (blue, one) = (network("blue"), id("c1", "eth0"));
    ensure(&kernel, &blue, &one, &nets(&["10.1.2.3/24"])).unwrap();
    ensure(&kernel, &blue, &one, &nets(&["10.1.2.4/24"])).unwrap();
    assert_eq!(rules(&kernel, "masq_checks").len(), 1);
    let missing = check(&kernel, &blue, &one, &nets(&["10.1.2.3/24"])).unwrap_err();
    assert_eq!(
        missing.msg,
        "check masquerade of eth0 of c1: the rule for 10.1.2.3/24 is missing"
    );
}

#[test]
fn removing_leaves_others_and_succeeds_twice() {
    let kernel = kernel();
    let blue = network("blue");
    remove(&kernel, &blue, &id("c1", "eth0")).unwrap();
    // The same address for each: only the comment tells whose a rule is.
    for (network, id) in [
        (&blue, id("c1", "eth0")),
        (&blue, id("c1", "net1")),
        (&blue, id("c11", "eth0")),
        (&network("red"), id("c1", "eth0")),
    ] {
        ensure(&kernel, network, &id, &nets(&["10.1.2.3/24"])).unwrap();
    }
    for _ in 0..2 {
        remove(&kernel, &blue, &id("c1", "eth0")).unwrap();
        let left = [
            "net: blue, if: net1, id: c1",
            "net: blue, if: eth0, id: c11",
            "net: red, if: eth0, id: c1",
        ];
        assert_eq!(owners(&kernel), left);
    }
}

#[test]
fn gc_removes_what_is_of_the_network_and_of_no_valid_attachment() {
    let kernel = kernel();
    let blue = network("blue");
    for (network, id) in [
        (&blue, id("c1", "eth0")),
        (&blue, id("c2", "eth0")),
        (&blue, id(&"c".repeat(200), "eth0")),
        (&network("red"), id("c1", "eth0")),
    ] {
        ensure(&kernel, network, &id, &nets(&["10.1.2.3/24"])).unwrap();
    }
    let valid: BTreeSet<ValidAttachment> = ["c2".to_owned(), "c".repeat(200)]
        .into_iter()
        .map(|container| ValidAttachment {
            container: container.parse().unwrap(),
            ifname: "eth0".parse().unwrap(),
        })
        .collect();
    gc(&kernel, &blue, &valid).unwrap();
    let left = owners(&kernel);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(!left.contains(&"net: blue, if: eth0, id: c1".to_owned()));
    gc(&kernel, &blue, &BTreeSet::new()).unwrap();
    assert_eq!(owners(&kernel), ["net: red, if: eth0, id: c1"]);
}

#[test]
fn check_sees_that_nothing_leads_to_the_rules() {
    let kernel = kernel();
    let (blue, one) = (network("blue"), id("c1", "eth0"));
    let addresses = nets(&["10.1.2.3/24"]);
    ensure(&kernel, &blue, &one, &addresses).unwrap();
    let mut flush = Transaction::default();
    flush.flush_chain(&Chain::new(Family::Inet, "cni_plugins_masquerade", "postrouting"));
    kernel.apply(At::Host, &flush).unwrap();
    let found = check(&kernel, &blue, &one, &addresses).unwrap_err();
    assert_eq!(
        found.msg,
        "check masquerade of eth0 of c1: nothing leads to its rules"
    );
}

#[test]
fn many_at_once_lose_nothing() {
    let host = fresh();
    // Sockets of their own, as separate processes would have.
    let kernel = || within(&host, Kernel::new).unwrap();
    let blue = network("blue");
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (kernel, blue) = (kernel(), &blue);
            scope.spawn(move || {
                for n in 0..20 {
                    let id = id(&format!("c{worker}-{n}"), "eth0");
                    let address = nets(&[&format!("10.1.{worker}.{}/16", n + 1)]);
                    ensure(&kernel, blue, &id, &address).unwrap();
                    if n % 2 == 0 {
                        remove(&kernel, blue, &id).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(rules(&kernel(), "masq_checks").len(), 40);
    assert_eq!(rules(&kernel(), "postrouting").len(), 3);
}

/// A host that forwards between a pod (10.1.2.3/24) and an outside (192.0.2.2/24), both of which know the
/// way back.
struct Path {
    kernel: Kernel,
    host: Netns,
    pod: Netns,
    outside: Netns,
}

impl Path {
    fn new() -> Self {
        let (host, pod, outside) = (fresh(), fresh(), fresh());
        let kernel = within(&host, Kernel::new).unwrap();
        for (netns, name, near, far) in [
            (&pod, "pod", "10.1.2.3/24", "10.1.2.1/24"),
            (&outside, "outside", "192.0.2.2/24", "192.0.2.1/24"),
        ] {
            let at = At::Netns(netns);
            let (far, near) = (nets(&[far])[0], nets(&[near])[0]);
            let new = NewVeth::new(netns, "eth0".parse().unwrap(), name.parse().unwrap());
            kernel.add_veth(&new).unwrap();
            kernel.set_link(at, "eth0", &Change::up()).unwrap();
            kernel.add_addrs(At::Host, name, &[Addr::new(far)]).unwrap();
            kernel.add_addrs(at, "eth0", &[Addr::new(near)]).unwrap();
            let mut route = Route::new(nets(&["0.0.0.0/0"])[0]);
            route.gw = Some(far.addr());
            kernel.add_routes(at, &[route]).unwrap();
        }
        let forward = ("ipv4/ip_forward".to_owned(), "1".to_owned());
        kernel.set_sysctls(At::Host, &[forward]).unwrap();
        Self {
            kernel,
            host,
            pod,
            outside,
        }
    }

    /// The address that the outside sees when the pod sends to it, and when the host's end of the pod's own
    /// subnet does.
    fn seen(&self) -> (IpAddr, IpAddr) {
        let bind = |address: &str| UdpSocket::bind((address, 0)).unwrap();
        let outside = within(&self.outside, || bind("192.0.2.2")).unwrap();
        let gateway = within(&self.host, || bind("10.1.2.1")).unwrap();
        let pod = within(&self.pod, || bind("10.1.2.3")).unwrap();
        let seen_by = |socket: &UdpSocket| {
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            pod.send_to(b"who am I", socket.local_addr().unwrap()).unwrap();
            socket.recv_from(&mut [0; 16]).unwrap().1.ip()
        };
        (seen_by(&outside), seen_by(&gateway))
    }
}

#[test]
fn what_leaves_the_subnet_has_the_hosts_address_for_as_long_as_the_rule_is_there() {
    let path = Path::new();
    let (blue, one) = (network("blue"), id("c1", "eth0"));
    let [pod, host]: [IpAddr; 2] = ["10.1.2.3".parse().unwrap(), "192.0.2.1".parse().unwrap()];
    assert_eq!(path.seen(), (pod, pod));
    ensure(&path.kernel, &blue, &one, &nets(&["10.1.2.3/24"])).unwrap();
    assert_eq!(path.seen(), (host, pod));
    remove(&path.kernel, &blue, &one).unwrap();
    assert_eq!(path.seen(), (pod, pod));
}
