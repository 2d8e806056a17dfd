use cni_core::spec::IpConfig;

use super::*;

/// A route as `ip route` prints it: `default via GW dev DEV [metric N] [table N]`.
fn route(text: &str) -> Route {
    let words: Vec<&str> = text.split(' ').collect();
    let after = |key: &str| {
        words
            .iter()
            .position(|w| *w == key)
            .and_then(|at| words.get(at + 1))
    };
    let gw: Option<IpAddr> = after("via").map(|gw| gw.parse().unwrap());
    let everything = if gw.is_some_and(|gw| gw.is_ipv6()) {
        "::/0"
    } else {
        "0.0.0.0/0"
    };
    let dst = if words[0] == "default" {
        everything
    } else {
        words[0]
    };
    let mut route = Route::new(dst.parse().unwrap());
    route.gw = gw;
    route.dev = after("dev").map(|dev| (*dev).to_owned());
    route.priority = after("metric").map(|metric| metric.parse().unwrap());
    route.table = after("table").map(|table| table.parse().unwrap());
    route
}

fn shown(routes: &[RouteRecord]) -> Vec<String> {
    let show = |route: &RouteRecord| {
        let gw = route.gw.map_or(String::new(), |gw| format!(" via {gw}"));
        let metric = route
            .priority
            .map_or(String::new(), |metric| format!(" metric {metric}"));
        format!("default{gw} dev {}{metric}", route.dev.as_deref().unwrap_or("?"))
    };
    routes.iter().map(show).collect()
}

/// What `net1`, asked to own the default route with `gateways`, changes in a pod with the routes `there`.
#[track_caller]
fn check(gateways: &[&str], there: &[&str], removed: &[&str], added: &[&str]) {
    let gateways: Vec<IpAddr> = gateways.iter().map(|gw| gw.parse().unwrap()).collect();
    let there: Vec<Route> = there.iter().map(|text| route(text)).collect();
    let result = Success::new();
    let ifname = "net1".parse().unwrap();
    let owner = Owner {
        at: 1,
        ifname: &ifname,
        gateways: &gateways,
        result: &result,
    };
    let change = change(owner, &["eth0", "net1", "net2"], &there).unwrap();
    let (gone, new) = change.map_or((vec![], vec![]), |c| (shown(&c.removed), shown(&c.added)));
    assert_eq!(
        (gone, new),
        (
            removed.iter().map(ToString::to_string).collect(),
            added.iter().map(ToString::to_string).collect()
        )
    );
}

const V4: &str = "default via 10.0.0.1 dev eth0";
const V6: &str = "default via fd00::1 dev eth0 metric 1024";

#[test]
fn r01_a_v4_gateway_takes_over_v4_and_leaves_v6() {
    check(
        &["10.1.0.1"],
        &[V4, V6],
        &[V4],
        &["default via 10.1.0.1 dev net1"],
    );
}

#[test]
fn r02_a_v6_gateway_leaves_v4() {
    check(&["fd01::1"], &[V4, V6], &[V6], &["default via fd01::1 dev net1"]);
}

#[test]
fn r03_an_empty_list_keeps_the_gateway_of_the_network_itself() {
    check(&[], &[V4, V6, "default via 10.1.0.9 dev net1"], &[V4], &[]);
}

#[test]
fn both_families_may_be_asked_for() {
    let new = ["default via 10.1.0.1 dev net1", "default via fd01::1 dev net1"];
    check(&["10.1.0.1", "fd01::1"], &[V4, V6], &[V4, V6], &new);
}

#[test]
fn what_is_there_already_is_left() {
    check(&["10.1.0.1"], &["default via 10.1.0.1 dev net1", V6], &[], &[]);
    check(
        &["fd01::1"],
        &["default via fd01::1 dev net1 metric 1024"],
        &[],
        &[],
    );
}

#[test]
fn the_owners_own_other_gateway_goes() {
    check(
        &["10.1.0.1"],
        &["default via 10.1.0.9 dev net1"],
        &["default via 10.1.0.9 dev net1"],
        &["default via 10.1.0.1 dev net1"],
    );
}

#[test]
fn other_tables_other_prefixes_and_foreign_interfaces_are_not_touched() {
    let there = [
        "default via 10.0.0.1 dev eth0 table 100",
        "10.9.0.0/16 via 10.0.0.1 dev eth0",
        "default via 10.3.0.1 dev wg0",
    ];
    check(&["10.1.0.1"], &there, &[], &["default via 10.1.0.1 dev net1"]);
}

#[test]
fn a_later_networks_default_route_goes_too() {
    let there = ["default via 10.1.0.1 dev net1", "default via 10.2.0.1 dev net2"];
    check(&["10.1.0.1"], &there, &[there[1]], &[]);
}

#[test]
fn further_gateways_are_less_preferred() {
    let new = [
        "default via 10.1.0.1 dev net1",
        "default via 10.1.0.2 dev net1 metric 1",
    ];
    check(&["10.1.0.1", "10.1.0.2"], &[], &[], &new);
}

#[test]
fn without_any_gateway_it_is_an_error_and_one_of_the_result_will_do() {
    let ifname = "net1".parse().unwrap();
    let take = |result: &Success| {
        let owner = Owner {
            at: 1,
            ifname: &ifname,
            gateways: &[],
            result,
        };
        change(owner, &["eth0"], &[route(V4)])
    };
    let mut result = Success::new();
    assert_eq!(take(&result).unwrap_err().code, Code::INVALID_CONFIG);
    let mut ip = IpConfig::new("10.1.0.5/24".parse().unwrap());
    ip.gateway = "10.1.0.1".parse().ok();
    result.ips.push(ip);
    let change = take(&result).unwrap().unwrap();
    assert_eq!(shown(&change.added), ["default via 10.1.0.1 dev net1"]);
    assert_eq!(shown(&change.removed), [V4]);
}

#[test]
fn results_follow_the_routes() {
    let record = |text: &str| RouteRecord::from(&route(text));
    let change = RouteChange {
        at: 1,
        removed: vec![record(V4)],
        added: vec![record("default via 10.1.0.1 dev net1")],
    };
    let mut before = Success::new();
    before.routes = ["0.0.0.0/0", "::/0", "10.9.0.0/16"]
        .map(|dst| cni_core::spec::Route::new(dst.parse().unwrap()))
        .to_vec();
    let kept = |ifname: &str| {
        let after = in_result(before.clone(), &ifname.parse().unwrap(), &change);
        after
            .routes
            .iter()
            .map(|r| r.dst.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(kept("eth0"), "::/0 10.9.0.0/16");
    assert_eq!(kept("net1"), "0.0.0.0/0 ::/0 10.9.0.0/16 0.0.0.0/0");
    assert_eq!(kept("net2"), "0.0.0.0/0 ::/0 10.9.0.0/16");
}
