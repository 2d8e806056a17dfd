use cni_core::spec::{IpConfig, Route as Wanted};

use super::*;

fn result(ips: &[(&str, Option<&str>)], routes: Vec<Wanted>) -> Success {
    let mut success = Success::new();
    for (address, gateway) in ips {
        let mut ip = IpConfig::new(address.parse().unwrap());
        ip.gateway = gateway.map(|gw| gw.parse().unwrap());
        ip.interface = Some(0);
        success.ips.push(ip);
    }
    success.routes = routes;
    success
}

fn to(dst: &str) -> Wanted {
    Wanted::new(dst.parse().unwrap())
}

fn plan(result: &Success) -> Result<Plan, SharedError> {
    Plan::new(&"eth0".parse().unwrap(), result, 0, Options::default())
}

#[track_caller]
fn refused(result: &Success, message: &str) {
    let error = plan(result).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    refused(
        &result(&[("10.0.0.1/24", Some("fd00::1"))], vec![]),
        "other address family",
    );
    refused(
        &result(&[("10.0.0.1/24", None), ("10.0.0.1/16", None)], vec![]),
        "given twice",
    );
    refused(
        &result(&[("0.0.0.0/0", None)], vec![]),
        "no address of an interface",
    );
    refused(
        &result(&[("ff02::1/64", None)], vec![]),
        "no address of an interface",
    );
    let mut wrong = result(&[("10.0.0.1/24", None)], vec![]);
    wrong.ips[0].interface = Some(3);
    refused(&wrong, "invalid interface index 3");
    let mut route = to("10.0.0.0/8");
    route.gw = Some("fd00::1".parse().unwrap());
    refused(&result(&[], vec![route]), "other address family");
}

#[test]
fn an_address_of_no_interface_is_passed_over() {
    let mut nobodys = result(&[("10.0.0.1/24", Some("10.0.0.254"))], vec![to("0.0.0.0/0")]);
    nobodys.ips[0].interface = None;
    let plan = plan(&nobodys).unwrap();
    assert!(plan.addrs.is_empty());
    assert_eq!(plan.routes[0].gw, None);
}

/// Next hop and `onlink` of one route, given addresses with gateways.
#[track_caller]
fn hop(ips: &[(&str, Option<&str>)], route: Wanted, expected: Option<&str>, onlink: bool) {
    let plan = plan(&result(ips, vec![route])).unwrap();
    let gw = plan.routes[0].gw.map(|gw| gw.to_string());
    assert_eq!(gw.as_deref(), expected);
    assert_eq!(plan.routes[0].onlink, onlink);
}

#[test]
fn a_route_takes_the_first_gateway_of_its_family_unless_its_scope_is_nearer() {
    let dual = [
        ("10.0.0.2/24", Some("10.0.0.1")),
        ("fd00::2/64", Some("fd00::1")),
        ("10.1.0.2/24", Some("10.1.0.1")),
    ];
    let scoped = |scope| {
        let mut route = to("192.168.0.0/16");
        route.scope = Some(scope);
        route
    };
    let via = |gw: &str| {
        let mut route = to("192.168.0.0/16");
        route.gw = Some(gw.parse().unwrap());
        route
    };
    hop(&dual, to("0.0.0.0/0"), Some("10.0.0.1"), false);
    hop(&dual, to("::/0"), Some("fd00::1"), false);
    hop(&dual, scoped(0), Some("10.0.0.1"), false);
    hop(&dual, scoped(253), None, false);
    hop(&dual, scoped(254), None, false);
    hop(&dual, via("10.1.0.9"), Some("10.1.0.9"), false);
    hop(&dual, via("0.0.0.0"), None, false);
    hop(
        &[("10.0.0.2/32", Some("10.0.0.1"))],
        to("0.0.0.0/0"),
        Some("10.0.0.1"),
        true,
    );
}

#[test]
fn a_route_keeps_its_attributes_and_loses_its_host_bits() {
    let mut wanted = to("192.168.7.7/16");
    (wanted.mtu, wanted.advmss) = (Some(1400), Some(0));
    (wanted.priority, wanted.table) = (Some(7), Some(100));
    let plan = plan(&result(&[], vec![wanted])).unwrap();
    let route = &plan.routes[0];
    assert_eq!(route.dst.to_string(), "192.168.0.0/16");
    assert_eq!((route.mtu, route.advmss), (Some(1400), None));
    assert_eq!((route.priority, route.table), (Some(7), Some(100)));
    assert_eq!(route.dev.as_deref(), Some("eth0"));
}
