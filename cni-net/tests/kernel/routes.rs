use std::net::IpAddr;

use cni_net::link::Change;
use cni_net::route::Route;
use cni_net::{Addr, Addrs, At, Links, Routes};

use crate::fixture::{Node, Place};

/// A pod with an interface that is up and has an address of each family.
fn pod(node: &Node) -> Place {
    let pod = Place::new();
    node.veth(&pod, "eth0", "host0");
    let at = At::Netns(&pod.netns);
    node.kernel.set_link(at, "eth0", &Change::up()).unwrap();
    let addrs = ["10.1.2.3/24", "fd00::3/64"].map(|a| Addr::new(a.parse().unwrap()));
    node.kernel.add_addrs(at, "eth0", &addrs).unwrap();
    pod
}

fn via(dst: &str, gw: &str) -> Route {
    let mut route = Route::new(dst.parse().unwrap());
    route.gw = Some(gw.parse().unwrap());
    route
}

/// The gateways of the routes to `dst`.
fn gateways(node: &Node, pod: &Place, dst: &str) -> Vec<IpAddr> {
    let routes = node.kernel.routes(At::Netns(&pod.netns)).unwrap();
    let found = routes.into_iter().filter(|r| r.dst == dst.parse().unwrap());
    found.filter_map(|r| r.gw).collect()
}

#[test]
fn one_destination_may_have_several_next_hops_but_none_twice() {
    let node = Node::new();
    let pod = pod(&node);
    let at = At::Netns(&pod.netns);
    for (dst, first, second) in [
        ("10.9.0.0/16", "10.1.2.1", "10.1.2.2"),
        ("fd09::/64", "fd00::1", "fd00::2"),
        ("0.0.0.0/0", "10.1.2.1", "10.1.2.2"),
    ] {
        let both = [via(dst, first), via(dst, second)];
        node.kernel.add_routes(at, &both).unwrap();
        let again = node.kernel.add_routes(at, &both[..1]).unwrap_err();
        assert!(again.is_exists(), "{again:?}");
        assert_eq!(again.to_string(), format!("add route {dst} via {first}"));
        let expected: [IpAddr; 2] = [first.parse().unwrap(), second.parse().unwrap()];
        assert_eq!(gateways(&node, &pod, dst), expected);
        assert!(node.kernel.del_route(at, &both[0]).unwrap());
        assert!(!node.kernel.del_route(at, &both[0]).unwrap());
        assert_eq!(gateways(&node, &pod, dst), expected[1..]);
    }
}

#[test]
fn all_that_a_route_says_reaches_the_kernel() {
    let node = Node::new();
    let pod = pod(&node);
    let at = At::Netns(&pod.netns);
    let mut full = via("10.9.0.0/16", "10.99.0.1");
    full.dev = Some("eth0".to_owned());
    full.src = Some("10.1.2.3".parse().unwrap());
    full.priority = Some(77);
    full.table = Some(1000);
    full.scope = Some(0);
    full.mtu = Some(1400);
    full.advmss = Some(1360);
    full.protocol = Some(96);
    full.onlink = true;
    let mut direct = Route::new("fd09::/64".parse().unwrap());
    direct.dev = Some("eth0".to_owned());
    direct.priority = Some(5);
    direct.table = Some(100_000);
    direct.scope = Some(0);
    direct.mtu = Some(1300);
    direct.protocol = Some(96);
    node.kernel
        .add_routes(at, &[full.clone(), direct.clone()])
        .unwrap();
    let routes = node.kernel.routes(at).unwrap();
    assert!(routes.contains(&full), "{routes:#?}");
    assert!(routes.contains(&direct), "{routes:#?}");
}

#[test]
fn replacing_leaves_one_route() {
    let node = Node::new();
    let pod = pod(&node);
    let at = At::Netns(&pod.netns);
    for (dst, first, second) in [
        ("10.9.0.0/16", "10.1.2.1", "10.1.2.2"),
        ("fd09::/64", "fd00::1", "fd00::2"),
    ] {
        node.kernel.replace_route(at, &via(dst, first)).unwrap();
        node.kernel.replace_route(at, &via(dst, second)).unwrap();
        assert_eq!(gateways(&node, &pod, dst), [second.parse::<IpAddr>().unwrap()]);
    }
}

#[test]
fn a_look_up_tells_the_route_or_that_there_is_none() {
    let node = Node::new();
    let pod = pod(&node);
    let at = At::Netns(&pod.netns);
    let route_to = |to: &str| node.kernel.route_to(at, to.parse().unwrap()).unwrap();
    assert_eq!(route_to("192.0.2.1"), None);
    assert_eq!(route_to("2001:db8::1"), None);
    node.kernel
        .add_routes(at, &[via("0.0.0.0/0", "10.1.2.1")])
        .unwrap();
    let found = route_to("192.0.2.1").unwrap();
    assert_eq!(found.gw, Some("10.1.2.1".parse().unwrap()));
    assert_eq!(found.dev.as_deref(), Some("eth0"));
    assert_eq!(found.src, Some("10.1.2.3".parse().unwrap()));
    assert_eq!(route_to("fd00::9").unwrap().gw, None);
}

#[test]
fn a_gateway_that_is_not_reachable_is_refused_in_the_kernels_words() {
    let node = Node::new();
    let pod = pod(&node);
    let routes = [via("10.9.0.0/16", "192.0.2.1")];
    let error = node
        .kernel
        .add_routes(At::Netns(&pod.netns), &routes)
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("invalid gateway"), "{cause}");
    assert_eq!(gateways(&node, &pod, "10.9.0.0/16"), [] as [IpAddr; 0]);
}
