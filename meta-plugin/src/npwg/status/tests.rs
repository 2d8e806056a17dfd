use cni_core::spec::Version;
use serde_json::json;

use super::*;

#[track_caller]
fn check(about: About<'_>, result: serde_json::Value, expected: serde_json::Value) {
    let result = Success::decode(Version::V1_1_0, result.to_string().as_bytes()).unwrap();
    let text = annotation(&entries(about, &result));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        expected
    );
    assert!(serde_json::from_str::<Vec<NetworkStatus>>(&text).is_ok());
}

const NET: About<'_> = About {
    network: "ns/net",
    is_default: false,
    default_route: None,
};
const DEFAULT: About<'_> = About {
    network: "cbr0",
    is_default: true,
    default_route: None,
};

#[test]
fn s01_the_default_networks_entry_says_so_exactly_once() {
    let two = json!({"cniVersion":"1.0.0",
        "interfaces":[{"name":"a","sandbox":"/ns"},{"name":"b","sandbox":"/ns"}],
        "ips":[{"address":"10.0.0.2/24","interface":1,"gateway":"10.0.0.1"}]});
    check(
        DEFAULT,
        two.clone(),
        json!([
        {"name":"cbr0","interface":"a","dns":{}},
        {"name":"cbr0","interface":"b","ips":["10.0.0.2"],"default":true,"dns":{}}]),
    );
    check(
        NET,
        two,
        json!([
        {"name":"ns/net","interface":"a","dns":{}},
        {"name":"ns/net","interface":"b","ips":["10.0.0.2"],"dns":{}}]),
    );
    check(
        DEFAULT,
        json!({"cniVersion":"1.0.0",
        "interfaces":[{"name":"a","sandbox":"/ns"},{"name":"b","sandbox":"/ns"}]}),
        json!([
        {"name":"cbr0","interface":"a","default":true,"dns":{}},
        {"name":"cbr0","interface":"b","dns":{}}]),
    );
}

#[test]
fn s02_an_entry_has_the_addresses_of_its_interface_alone() {
    let bridge = json!({"cniVersion":"1.1.0",
        "interfaces":[{"name":"cni0","mac":"02:00:00:00:00:01"},{"name":"veth1"},
                      {"name":"eth0","mac":"02:00:00:00:00:02","mtu":1450,"sandbox":"/ns"}],
        "ips":[{"address":"10.0.0.2/24","interface":2},{"address":"10.9.9.9/24","interface":0},
               {"address":"fd00::2/64","interface":2},{"address":"10.8.8.8/24","interface":7}],
        "routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1"},{"dst":"::/0"},{"dst":"10.7.0.0/16","gw":"10.0.0.3"}],
        "dns":{"nameservers":["10.0.0.1"]}});
    check(
        NET,
        bridge,
        json!([{"name":"ns/net","interface":"eth0","ips":["10.0.0.2","fd00::2"],
        "mac":"02:00:00:00:00:02","mtu":1450,"dns":{"nameservers":["10.0.0.1"]},"gateway":["10.0.0.1"]}]),
    );
}

#[test]
fn s02_addresses_without_an_interface_go_to_the_last_entry() {
    check(
        NET,
        json!({"cniVersion":"1.0.0",
        "interfaces":[{"name":"a","sandbox":"/ns"},{"name":"h"},{"name":"b","sandbox":"/ns"}],
        "ips":[{"address":"10.0.0.2/24"},{"address":"10.0.0.3/24","interface":-1},{"address":"10.0.0.4/24","interface":0}]}),
        json!([{"name":"ns/net","interface":"a","ips":["10.0.0.4"],"dns":{}},
               {"name":"ns/net","interface":"b","ips":["10.0.0.2","10.0.0.3"],"dns":{}}]),
    );
}

#[test]
fn s03_a_result_without_an_interface_has_a_minimal_entry() {
    check(
        NET,
        json!({"cniVersion":"1.0.0"}),
        json!([{"name":"ns/net","dns":{}}]),
    );
    check(
        DEFAULT,
        json!({"cniVersion":"1.0.0"}),
        json!([{"name":"cbr0","default":true,"dns":{}}]),
    );
    check(
        NET,
        json!({"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"}]}),
        json!([{"name":"ns/net","ips":["10.0.0.2"],"dns":{}}]),
    );
    check(
        NET,
        json!({"cniVersion":"1.0.0","interfaces":[{"name":"h"}],"ips":[{"address":"10.0.0.2/24","interface":0}]}),
        json!([{"name":"ns/net","dns":{}}]),
    );
}

#[test]
fn a_requested_default_route_is_shown_beside_the_gateway() {
    let result = json!({"cniVersion":"1.0.0","interfaces":[{"name":"net1","sandbox":"/ns"}],
        "routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1"}]});
    let asked = ["10.0.0.254".parse().unwrap()];
    check(
        About {
            default_route: Some(&asked),
            ..NET
        },
        result.clone(),
        json!([{"name":"ns/net","interface":"net1",
        "dns":{},"gateway":["10.0.0.1"],"default-route":["10.0.0.254"]}]),
    );
    check(
        About {
            default_route: Some(&[]),
            ..NET
        },
        result,
        json!([{"name":"ns/net","interface":"net1",
        "dns":{},"gateway":["10.0.0.1"],"default-route":["10.0.0.1"]}]),
    );
}
