//! Our plugins and the reference's do the same to the kernel, and say the same of it.
//!
//! Two pods are put through ADD, CHECK and DEL on a node of their own, by either side; links, addresses, routes,
//! rules, kernel parameters, address files and results are compared. What differs on purpose stands in
//! [`DELIBERATE`].

#[path = "agree/look.rs"]
mod look;
#[path = "agree/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::path::Path;

use plexus_tests::{peers, plugins};
use serde_json::{Value, json};

use self::world::{State, World};

/// What differs on purpose, and why: `PATH: THEIRS -> OURS`, where `*` stands for anything and `-` for nothing.
const DELIBERATE: &[(&str, &str)] = &[
    (
        "*/link/ifalias: - -> plexus:agree/c*/eth0",
        "we find what we made by it",
    ),
    (
        "pod*/eth0/link/group: default -> 1886156915",
        "a pod's links are deleted in one request",
    ),
    (
        "result/*/interfaces/*/mtu: - -> 1*00",
        "results of version 1.1.0 can say it",
    ),
    ("*/fd*/nodad: - -> true", "an address is usable when ADD ends"),
    ("pod*/eth0/ipv6/conf/accept_dad: 1 -> 0", "the same, with macvlan"),
    (
        "*/br0/ipv4/conf/arp_notify: 0 -> 1",
        "others are told of the gateway's address",
    ),
    (
        "*/ipv6/conf/ndisc_notify: 0 -> 1",
        "others are told of IPv6 addresses, too",
    ),
    (
        "*/up*/ipv6/conf/accept_ra: 1 -> 2",
        "forwarding must not cost the host its default route",
    ),
    (
        "deleted/nft/*/table: {*\"nat\"} -> -",
        "DEL of theirs runs iptables, whatever the backend",
    ),
    (
        "check/*: {*no plugin name provided*} -> good",
        "CHECK of theirs fails without IPAM",
    ),
];

fn cases() -> Vec<(&'static str, Value)> {
    let ipam = |subnets: &[&str]| {
        let ranges: Vec<Value> = subnets.iter().map(|subnet| json!([{"subnet": subnet}])).collect();
        json!({"type": "host-local", "ranges": ranges, "routes": [{"dst": "198.51.100.0/24"}]})
    };
    let (single, dual) = (ipam(&["10.1.0.0/24"]), ipam(&["10.1.0.0/24", "fd00:1::/64"]));
    vec![
        ("bridge, layer 2", json!({"type": "bridge", "bridge": "br0"})),
        (
            "bridge, the pods' default gateway, masquerading",
            json!({"type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipMasq": true,
                "ipMasqBackend": "nftables", "ipam": dual}),
        ),
        (
            "bridge, gateway, flags of the port",
            json!({"type": "bridge", "bridge": "br0", "isGateway": true, "hairpinMode": true, "portIsolation": true,
                "mtu": 1400, "macspoofchk": true, "dns": {"nameservers": ["192.0.2.53"]}, "ipam": single}),
        ),
        (
            "bridge, promiscuous, addresses alone",
            json!({"type": "bridge", "bridge": "br0", "promiscMode": true, "ipam": dual}),
        ),
        (
            "bridge, container's end down",
            json!({"type": "bridge", "bridge": "br0", "disableContainerInterface": true}),
        ),
        (
            "macvlan, private",
            json!({"type": "macvlan", "master": "up0", "mode": "private", "mtu": 1300, "ipam": dual}),
        ),
        (
            "macvlan on the default route's interface, layer 2",
            json!({"type": "macvlan", "bcqueuelen": 500}),
        ),
        ("loopback", json!({"type": "loopback"})),
    ]
}

#[test]
fn ours_and_the_references_plugins_agree() {
    let mut used = BTreeSet::new();
    for (name, config) in cases() {
        let lives = [&peers(), &peers(), plugins()].map(|plugins: &Path| World::new(plugins, &config).life());
        let [theirs, again, ours] = &lives;
        assert_eq!(
            differences(theirs, again),
            [] as [&str; 0],
            "{name}: the reference differs from itself"
        );
        let found = differences(theirs, ours).into_iter().filter(|line| {
            let why = DELIBERATE.iter().position(|(pattern, _)| matches(line, pattern));
            used.extend(why);
            why.is_none()
        });
        assert_eq!(found.collect::<Vec<_>>(), [] as [&str; 0], "{name}");
    }
    let unused = DELIBERATE.iter().enumerate().filter(|(at, _)| !used.contains(at));
    assert_eq!(unused.collect::<Vec<_>>(), [], "these differ no more");
}

fn differences(theirs: &State, ours: &State) -> Vec<String> {
    let paths: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let differing = paths
        .into_iter()
        .filter(|path| theirs.get(*path) != ours.get(*path));
    let show = |value: Option<&String>| value.cloned().unwrap_or_else(|| "-".to_owned());
    differing
        .map(|path| format!("{path}: {} -> {}", show(theirs.get(path)), show(ours.get(path))))
        .collect()
}

/// Whether `text` is `pattern` with something for each `*`.
fn matches(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().any(|(at, _)| matches(&text[at..], rest)) || matches("", rest)
        }),
    }
}
