use serde_json::{Value, json};

use super::*;

fn set(ranges: Value) -> Result<RangeSet, ConfError> {
    let confs: Vec<RangeConf> = serde_json::from_value(ranges).unwrap();
    RangeSet::parse(&confs)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[track_caller]
fn refused(ranges: Value, message: &str) {
    assert_eq!(set(ranges).unwrap_err().to_string(), message);
}

#[test]
fn a_set_that_cannot_work_is_refused_in_the_words_of_the_reference() {
    refused(json!([]), "empty range set");
    refused(
        json!([{"subnet": "10.1.0.0/24"}, {"subnet": "fd00::/64"}]),
        "mixed address families",
    );
    refused(
        json!([{"subnet": "10.1.0.0/31"}]),
        "Network 10.1.0.0/31 too small to allocate from",
    );
    refused(
        json!([{"subnet": "fd00::/127"}]),
        "Network fd00::/127 too small to allocate from",
    );
    refused(
        json!([{"subnet": "10.1.0.5/24"}]),
        "Network has host bits set. For a subnet mask of length 24 the network address is 10.1.0.0",
    );
    refused(
        json!([{"subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1"}]),
        "RangeStart 10.2.0.1 not in network 10.1.0.0/24",
    );
    refused(
        json!([{"subnet": "10.1.0.0/24", "rangeEnd": "fd00::1"}]),
        "RangeEnd fd00::1 not in network 10.1.0.0/24",
    );
    refused(
        json!([{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.8"}]),
        "RangeStart 10.1.0.9 is higher than RangeEnd 10.1.0.8",
    );
    refused(
        json!([{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.0/25"}]),
        "subnets 10.1.0.1-10.1.0.254 and 10.1.0.1-10.1.0.126 overlap",
    );
    refused(
        json!([{"subnet": "10.1.0.010/24"}]),
        "subnet \"10.1.0.010/24\" is not an address with a prefix length",
    );
    refused(
        json!([{"subnet": "x"}]),
        "subnet \"x\" is not an address with a prefix length",
    );
}

#[test]
fn as_many_ranges_as_a_configuration_has_room_for_are_compared() {
    let subnet = |n: u32| json!({"subnet": format!("{}/30", Ipv4Addr::from(0x0a00_0000 + 4 * n))});
    let mut ranges: Vec<Value> = (0..20_000).rev().map(subnet).collect();
    assert!(set(json!(ranges)).is_ok());
    ranges.push(json!({"subnet": "10.0.0.8/29"}));
    refused(
        json!(ranges),
        "subnets 10.0.0.9-10.0.0.10 and 10.0.0.9-10.0.0.14 overlap",
    );
}

#[track_caller]
fn ring(ranges: Value, last: Option<&str>, expected: &[&str]) {
    let set = set(ranges).unwrap();
    let found: Vec<_> = set.ring(last.map(ip)).map(|(ip, _)| ip.to_string()).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_ring_starts_behind_the_last_address_and_visits_each_once_but_the_gateway() {
    let small = json!([{"subnet": "10.1.0.0/29"}]);
    let whole = ["10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5", "10.1.0.6"];
    ring(small.clone(), None, &whole);
    ring(small.clone(), Some("10.9.0.1"), &whole);
    ring(small.clone(), Some("fd00::1"), &whole);
    let from_five = ["10.1.0.5", "10.1.0.6", "10.1.0.2", "10.1.0.3", "10.1.0.4"];
    ring(small.clone(), Some("10.1.0.4"), &from_five);
    ring(small, Some("10.1.0.6"), &whole);
    let two = json!([
        {"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.4", "rangeEnd": "10.1.0.5"},
        {"subnet": "10.2.0.0/24", "rangeStart": "10.2.0.1", "rangeEnd": "10.2.0.3"},
    ]);
    ring(
        two.clone(),
        None,
        &["10.1.0.4", "10.1.0.5", "10.2.0.2", "10.2.0.3"],
    );
    ring(
        two,
        Some("10.2.0.2"),
        &["10.2.0.3", "10.1.0.4", "10.1.0.5", "10.2.0.2"],
    );
}

#[test]
fn the_last_address_of_ipv6_is_handed_out_and_the_broadcast_address_of_ipv4_is_not() {
    ring(json!([{"subnet": "fd00::/126"}]), None, &["fd00::2", "fd00::3"]);
    let top = json!([{"subnet": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126"}]);
    let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    ring(
        top,
        Some(last),
        &["ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", last],
    );
    ring(json!([{"subnet": "10.1.0.0/30"}]), None, &["10.1.0.2"]);
}

#[test]
fn a_ring_of_all_ipv6_is_no_slower_than_a_small_one() {
    let set = set(json!([{"subnet": "::/0"}])).unwrap();
    let mut ring = set.ring(Some(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
    assert_eq!(ring.next().map(|(ip, _)| ip), Some(ip("::2")));
}

/// Go and Rust have to name one address alike, since files are named by it.
#[test]
fn an_address_prints_as_the_reference_prints_it() {
    for text in [
        "10.1.0.2",
        "fd00:1::2",
        "::",
        "::1",
        "1::",
        "2001:db8::1:0:0:1",
        "2001:db8:0:1:1:1:1:1",
        "2001:0:0:1::1",
        "1:0:0:2::3",
        "::102:304",
        "64:ff9b::102:304",
    ] {
        assert_eq!(ip(text).to_string(), text);
    }
    let mapped = conf::address("gateway", "::ffff:10.1.0.2").unwrap();
    assert_eq!(mapped.to_string(), "10.1.0.2");
}
