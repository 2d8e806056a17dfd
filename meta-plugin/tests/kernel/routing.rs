//! Who owns the default route.

use cni_net::route::TABLE_MAIN;
use cni_net::{At, Routes};
use serde_json::json;

use crate::fixture::{Container, Ground, Machine, attachment, plan};

/// The default routes of a pod whose `eth0` has a gateway in both families and whose `net1` was asked to own
/// the default route with `gateways`, and those of the results: `GATEWAY DEV`. `net1` has addresses of `ranges`.
fn defaults(gateways: &[&str], ranges: &[&str]) -> (Vec<String>, Vec<String>) {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let two = |number: u8| json!({ "ranges": [[{ "subnet": format!("10.{number}.0.0/24") }], [{ "subnet": format!("fd00:{number}::/64") }]] });
    let everything = if ranges[0].contains(':') {
        "::/0"
    } else {
        "0.0.0.0/0"
    };
    let ranges: Vec<_> = ranges
        .iter()
        .map(|subnet| json!([{ "subnet": subnet }]))
        .collect();
    let eth0 = json!({ "type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipam": two(10) });
    let net1 = json!({ "type": "bridge", "bridge": "br2", "isGateway": true, "ipam": {
        "ranges": ranges, "routes": [{ "dst": everything }] } });
    let mut owner = attachment("net1", machine.list("lab", net1));
    owner.default_route = Some(gateways.iter().map(|gateway| gateway.parse().unwrap()).collect());
    let networks = [attachment("eth0", machine.list("cluster", eth0)), owner];
    let attached = machine.attach(&pod, &plan(networks)).unwrap();
    let routes = machine.kernel.routes(At::Netns(&pod.netns)).unwrap();
    let in_main = routes
        .into_iter()
        .filter(|r| r.dst.prefix_len() == 0 && r.table.is_none_or(|t| t == TABLE_MAIN));
    let mut there: Vec<_> = in_main
        .map(|r| format!("{} {}", r.gw.unwrap(), r.dev.unwrap()))
        .collect();
    let told = attached.iter().flat_map(|a| {
        let own = a.result.routes.iter().filter(|r| r.dst.prefix_len() == 0);
        own.map(move |r| {
            format!(
                "{} {}",
                r.gw.map_or("-".to_owned(), |gw| gw.to_string()),
                a.ifname
            )
        })
    });
    let mut told: Vec<_> = told.collect();
    there.sort();
    told.sort();
    plexus::check::run(&machine.node, &pod.id(), Some(&pod.path)).unwrap();
    machine.detach(&pod).unwrap();
    machine.assert_clean();
    (there, told)
}

#[test]
fn r01_a_v4_gateway_takes_v4_over_and_leaves_v6() {
    let (there, told) = defaults(&["10.11.0.9"], &["10.11.0.0/24"]);
    assert_eq!(there, ["10.11.0.9 net1", "fd00:10::1 eth0"]);
    assert_eq!(told, there);
}

#[test]
fn r02_a_v6_gateway_leaves_v4_of_another_network_alone() {
    let (there, told) = defaults(&["fd00:11::9"], &["fd00:11::/64"]);
    assert_eq!(there, ["10.10.0.1 eth0", "fd00:11::9 net1"]);
    assert_eq!(told, there);
}

#[test]
fn r03_an_empty_list_keeps_the_networks_own_gateway() {
    let (there, _) = defaults(&[], &["10.11.0.0/24"]);
    assert_eq!(there, ["10.11.0.1 net1", "fd00:10::1 eth0"]);
}
