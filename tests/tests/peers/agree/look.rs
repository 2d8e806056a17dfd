//! What `ip`, `nft` and the kernel's parameters tell of a namespace.

use std::process::Command;

use serde_json::Value;

use super::world::{Place, State, THERE};

/// What of a link is compared; the rest is numbers, counters and clocks.
const LINK: &[&str] = &["address", "mtu", "txqlen", "group", "ifalias", "master"];

/// What of a link's kind, and of its being a port, is compared.
const KIND: &[&str] = &[
    "mode",
    "bcqueuelen",
    "vlan_filtering",
    "stp_state",
    "mcast_snooping",
    "hairpin",
    "guard",
    "isolated",
    "learning",
    "flood",
    "neigh_suppress",
    "proxy_arp",
];

const ADDRESS: &[&str] = &["scope", "broadcast", "nodad", "dynamic", "noprefixroute"];

const ROUTE: &[&str] = &[
    "type", "gateway", "protocol", "scope", "metric", "prefsrc", "metrics", "pref",
];

/// Kernel parameters of a namespace, and of each of its links.
const SYSCTLS: &[&str] = &["ipv4/ip_forward", "ipv6/conf/all/forwarding"];
const LINK_SYSCTLS: &[&str] = &[
    "ipv4/conf/*/arp_filter",
    "ipv4/conf/*/arp_notify",
    "ipv6/conf/*/accept_dad",
    "ipv6/conf/*/enhanced_dad",
    "ipv6/conf/*/accept_ra",
    "ipv6/conf/*/disable_ipv6",
    "ipv6/conf/*/keep_addr_on_down",
    "ipv6/conf/*/ndisc_notify",
];

/// Links, addresses, routes and kernel parameters of `place`.
pub(crate) fn namespace(name: &str, place: &Place, state: &mut State) {
    let links = items(&json(place, "ip", &["-j", "-d", "addr"]));
    for item in &links {
        link(name, item, state);
        addresses(&format!("{name}/{}", text(&item["ifname"])), item, state);
    }
    let names: Vec<String> = links.iter().map(|link| text(&link["ifname"])).collect();
    state.extend(place.inside(|| sysctls(name, &names)));
    for family in ["-4", "-6"] {
        for item in items(&json(
            place,
            "ip",
            &["-j", family, "route", "show", "table", "all"],
        )) {
            // The kernel completes IPv6 addresses in its own time.
            if family == "-4" || item["table"] != "local" {
                route(name, &item, state);
            }
        }
    }
}

fn link(name: &str, link: &Value, state: &mut State) {
    let ifname = text(&link["ifname"]);
    let (at, info) = (format!("{name}/{ifname}"), &link["linkinfo"]);
    state.insert(at.clone(), THERE.to_owned());
    pick(&format!("{at}/link"), link, LINK, state);
    state.insert(format!("{at}/kind"), text(&info["info_kind"]));
    pick(&format!("{at}/kind"), &info["info_data"], KIND, state);
    pick(&format!("{at}/port"), &info["info_slave_data"], KIND, state);
    let flags = items(&link["flags"]);
    for flag in ["UP", "PROMISC", "ALLMULTI"] {
        let set = flags.iter().any(|there| there == flag);
        state.insert(format!("{at}/{flag}"), set.to_string());
    }
}

/// Kernel parameters of this thread's namespace and its links.
fn sysctls(name: &str, links: &[String]) -> State {
    let read = |key: &str| {
        let value = std::fs::read_to_string(format!("/proc/sys/net/{key}"));
        value.unwrap_or_default().trim_end().to_owned()
    };
    let mut state: State = SYSCTLS
        .iter()
        .map(|key| (format!("{name}/{key}"), read(key)))
        .collect();
    for link in links {
        for key in LINK_SYSCTLS {
            let at = format!("{name}/{link}/{}", key.replace("/*", ""));
            state.insert(at, read(&key.replace('*', link)));
        }
    }
    state
}

fn addresses(at: &str, link: &Value, state: &mut State) {
    for address in items(&link["addr_info"]).iter().filter(|a| a["scope"] != "link") {
        let at = format!("{at}/{}/{}", text(&address["local"]), address["prefixlen"]);
        pick(&at, address, ADDRESS, state);
        state.insert(at, THERE.to_owned());
    }
}

fn route(name: &str, route: &Value, state: &mut State) {
    let [dst, dev, table] = ["dst", "dev", "table"].map(|key| text(&route[key]));
    // The kernel makes these when a link comes up.
    if !dst.starts_with("fe80") && !dst.starts_with("ff00") {
        let at = format!("{name}/route/{dst}/{dev}/{table}");
        pick(&at, route, ROUTE, state);
        state.insert(at, THERE.to_owned());
    }
}

/// nftables of `place`, each rule with its number within its chain.
pub(crate) fn rules(place: &Place, state: &mut State) {
    let ruleset = json(place, "nft", &["-j", "list", "ruleset"]);
    for (number, item) in items(&ruleset["nftables"]).iter().enumerate() {
        let mut item = item.clone();
        for kind in ["table", "chain", "rule", "set", "map"] {
            if let Some(object) = item[kind].as_object_mut() {
                object.remove("handle");
                state.insert(format!("nft/{number:03}/{kind}"), item[kind].to_string());
            }
        }
    }
}

/// The hardware address of an interface.
pub(crate) fn mac(place: &Place, ifname: &str) -> String {
    let links = json(place, "ip", &["-j", "link", "show", "dev", ifname]);
    text(&links[0]["address"])
}

/// Every value of `value` by its path.
pub(crate) fn flatten(path: &str, value: &Value, state: &mut State) {
    match value {
        Value::Object(object) => {
            state.insert(path.to_owned(), THERE.to_owned());
            for (key, value) in object {
                flatten(&format!("{path}/{key}"), value, state);
            }
        }
        Value::Array(array) => {
            for (number, value) in array.iter().enumerate() {
                flatten(&format!("{path}/{number}"), value, state);
            }
        }
        Value::Null => {}
        scalar => drop(state.insert(path.to_owned(), text(scalar))),
    }
}

/// How the hardware addresses begin that configurations ask for.
const ASKED: &str = "02:00:00:00:00:";

/// `text` with `MAC` for each hardware address that nobody asked for.
pub(crate) fn without_macs(text: &str) -> String {
    const LENGTH: usize = 17;
    let is_mac = |at: &str| {
        at.len() == LENGTH
            && !at.starts_with(ASKED)
            && at.bytes().enumerate().all(|(n, byte)| {
                if n % 3 == 2 {
                    byte == b':'
                } else {
                    byte.is_ascii_hexdigit()
                }
            })
    };
    let (mut plain, mut rest) = (String::new(), text);
    while let Some(next) = rest.chars().next() {
        match rest.get(..LENGTH).filter(|at| is_mac(at)) {
            Some(_) => {
                plain.push_str("MAC");
                rest = &rest[LENGTH..];
            }
            None => {
                plain.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    plain
}

fn pick(path: &str, object: &Value, keys: &[&str], state: &mut State) {
    for key in keys {
        if !object[key].is_null() {
            state.insert(format!("{path}/{key}"), text(&object[key]));
        }
    }
}

fn json(place: &Place, program: &str, arguments: &[&str]) -> Value {
    let output = place
        .inside(|| Command::new(program).args(arguments).output())
        .unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn items(array: &Value) -> Vec<Value> {
    array.as_array().cloned().unwrap_or_default()
}

fn text(scalar: &Value) -> String {
    scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned)
}
