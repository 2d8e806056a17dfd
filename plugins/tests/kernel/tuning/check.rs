//! CHECK.

use cni_net::link::Change;
use cni_net::{At, Links, Sysctl};
use serde_json::{Value, json};

use super::{attached, conf};
use crate::fixture::fails;

#[test]
fn blanks_tabs_and_upper_case_make_no_difference() {
    let (node, pod, prev) = attached();
    let keys = conf(
        &node,
        json!({ "mac": "02:00:00:00:00:AB", "sysctl": { "net.ipv4.ip_local_port_range": "2000 3000" } }),
    );
    let success = node.add_after(&pod, &keys, &prev).unwrap();
    let key = "ipv4/ip_local_port_range";
    assert_eq!(node.net.sysctl(At::Netns(&pod.netns), key).unwrap(), "2000\t3000");
    node.check(&pod, &keys, &success).unwrap();
}

/// That CHECK of an interface tuned with `keys` says `problem` after `change`.
#[track_caller]
fn differs(keys: Value, change: impl FnOnce(&mut Change), problem: &str) {
    let (node, pod, prev) = attached();
    let conf = conf(&node, keys);
    let success = node.add_after(&pod, &conf, &prev).unwrap();
    node.check(&pod, &conf, &success).unwrap();
    let mut changed = Change::default();
    change(&mut changed);
    node.net
        .set_link(At::Netns(&pod.netns), "eth0", &changed)
        .unwrap();
    let message = format!("check interface \"eth0\": has {problem}");
    fails(node.check(&pod, &conf, &success), 163, &message);
}

#[test]
fn every_attribute_is_compared() {
    let mac = "02:00:00:00:00:01";
    differs(
        json!({ "mac": mac }),
        |change| change.mac = Some("02:00:00:00:00:02".parse().unwrap()),
        "mac 02:00:00:00:00:02, not mac 02:00:00:00:00:01",
    );
    differs(
        json!({ "mtu": 1400 }),
        |change| change.mtu = Some(1300.try_into().unwrap()),
        "mtu 1300, not mtu 1400",
    );
    differs(
        json!({ "promisc": true }),
        |change| change.promisc = Some(false),
        "promisc false, not promisc true",
    );
    differs(
        json!({ "allmulti": false }),
        |change| change.allmulti = Some(true),
        "allmulti true, not allmulti false",
    );
    differs(
        json!({ "txQLen": 0 }),
        |change| change.txqlen = Some(5),
        "txQLen 5, not txQLen 0",
    );
}

#[test]
fn what_is_not_configured_may_be_as_it_likes() {
    let (node, pod, prev) = attached();
    let keys = conf(&node, json!({ "promisc": false }));
    let success = node.add_after(&pod, &keys, &prev).unwrap();
    let mut change = Change::default();
    (change.promisc, change.txqlen) = (Some(true), Some(9));
    node.net.set_link(At::Netns(&pod.netns), "eth0", &change).unwrap();
    node.check(&pod, &keys, &success).unwrap();
}

#[test]
fn a_parameter_of_another_value_and_a_missing_interface_are_found() {
    let (node, pod, prev) = attached();
    let keys = conf(
        &node,
        json!({ "sysctl": { "net.ipv4.conf.IFNAME.arp_filter": "1" } }),
    );
    let success = node.add_after(&pod, &keys, &prev).unwrap();
    let at = At::Netns(&pod.netns);
    let pair = ("ipv4/conf/eth0/arp_filter".to_owned(), "0".to_owned());
    node.net.set_sysctls(at, &[pair]).unwrap();
    let message = "check sysctl \"net.ipv4.conf.IFNAME.arp_filter\": is \"0\", not \"1\"";
    fails(node.check(&pod, &keys, &success), 163, message);
    let nothing = conf(&node, json!({}));
    node.check(&pod, &nothing, &success).unwrap();
    node.net.del_link(at, "eth0").unwrap();
    fails(
        node.check(&pod, &nothing, &success),
        101,
        "Link not found: \"eth0\"",
    );
}
