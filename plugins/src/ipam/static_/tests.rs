use cni_core::invoke::Verb;
use serde_json::{Value, json};

use super::Static;
use crate::ipam::fixture::{Fixture, refused};

fn fixture(name: &str, ipam: Value) -> Fixture {
    Fixture::new(Static, name, ipam)
}

/// Two subnets, each with its gateway.
fn two(name: &str) -> Fixture {
    fixture(
        name,
        json!({"addresses": [
            {"address": "10.1.0.9/24", "gateway": "10.1.0.1"},
            {"address": "fd00::9/64", "gateway": "fd00::1"},
        ]}),
    )
}

#[track_caller]
fn gives(net: &Fixture, expected: &[(&str, Option<&str>)]) {
    let result = net.result("c1").unwrap();
    let text = |ip: &cni_core::spec::IpConfig| (ip.address.to_string(), ip.gateway.map(|gw| gw.to_string()));
    let found: Vec<_> = result.ips.iter().map(text).collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(ip, gw)| (ip.to_string(), gw.map(str::to_owned)))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_configuration_becomes_the_result() {
    let mut net = two("plain");
    net.config["ipam"]["routes"] = json!([{"dst": "10.9.0.0/16", "gw": "10.1.0.2", "priority": 9}]);
    net.config["ipam"]["dns"] = json!({"nameservers": ["192.0.2.53"]});
    gives(
        &net,
        &[("10.1.0.9/24", Some("10.1.0.1")), ("fd00::9/64", Some("fd00::1"))],
    );
    let result = net.result("c1").unwrap();
    assert_eq!(result.routes[0].priority, Some(9));
    assert_eq!(result.dns.nameservers, ["192.0.2.53"]);
    assert_eq!(fixture("none", json!({})).add("c1").unwrap(), [""; 0]);
}

#[test]
fn the_environment_adds_and_the_others_replace() {
    let mut net = fixture("places", json!({"addresses": [{"address": "10.1.0.9/24"}]}));
    net.args = "IP=10.2.0.9/24,fd00::9/64;GATEWAY=10.2.0.1,fd00::1"
        .parse()
        .unwrap();
    gives(
        &net,
        &[
            ("10.1.0.9/24", None),
            ("10.2.0.9/24", Some("10.2.0.1")),
            ("fd00::9/64", Some("fd00::1")),
        ],
    );
    net.config["args"] = json!({"cni": {"ips": ["10.3.0.9/24"]}});
    gives(&net, &[("10.3.0.9/24", None)]);
    net.config["runtimeConfig"] = json!({"ips": ["10.4.0.9/24"]});
    gives(&net, &[("10.4.0.9/24", None)]);
}

#[test]
fn an_address_that_replaces_others_keeps_the_gateway_of_its_subnet() {
    let mut net = two("kept");
    net.config["runtimeConfig"] =
        json!({"ips": ["10.1.0.77/24", "fd00::77/64", "10.5.0.1/24", "10.1.0.1/24"]});
    gives(
        &net,
        &[
            ("10.1.0.77/24", Some("10.1.0.1")),
            ("fd00::77/64", Some("fd00::1")),
            ("10.5.0.1/24", None),
            ("10.1.0.1/24", None),
        ],
    );
    net.config["runtimeConfig"] = json!({"ips": ["10.1.0.130/25"]});
    gives(&net, &[("10.1.0.130/25", None)]);
}

#[test]
fn what_is_no_address_is_refused_in_the_words_of_the_reference() {
    let net = fixture("conf", json!({"addresses": [{"address": "10.1.0.9"}]}));
    refused(
        net.add("c1"),
        7,
        "the 'address' field is expected to be in CIDR notation, got: '10.1.0.9'",
    );
    let mut net = fixture("env", json!({}));
    net.args = "IP=10.1.0.9".parse().unwrap();
    refused(
        net.add("c1"),
        7,
        "the 'ip' field is expected to be in CIDR notation, got: '10.1.0.9'",
    );
    net.args = "GATEWAY=x".parse().unwrap();
    refused(net.add("c1"), 7, "invalid gateway address: x");
    net.args = "FOO=x".parse().unwrap();
    refused(net.add("c1"), 4, "FOO");
    let mut net = fixture("runtime", json!({}));
    net.config["runtimeConfig"] = json!({"ips": ["10.1.0.9"]});
    refused(
        net.add("c1"),
        7,
        "an entry in the 'ips' field is NOT in CIDR notation, got: '10.1.0.9'",
    );
    let mut net = fixture(
        "many",
        json!({"addresses": [{"address": "10.1.0.9/24"}, {"address": "10.1.0.8/24"}]}),
    );
    net.config["cniVersion"] = json!("0.2.0");
    refused(
        net.add("c1"),
        7,
        "does not support more than 1 address per family",
    );
    let mut net = fixture("no-ipam", json!({}));
    net.config["ipam"] = Value::Null;
    refused(net.add("c1"), 7, "IPAM config missing 'ipam' key");
}

#[test]
fn check_finds_a_missing_address_and_another_gateway() {
    let mut net = two("check");
    let mut result = net.result("c1").unwrap();
    net.run(Verb::Check, "c1", Some(&result)).unwrap();
    net.run(Verb::Del, "c1", Some(&result)).unwrap();
    net.run(Verb::Status, "c1", None).unwrap();
    refused(net.run(Verb::Check, "c1", None), 7, "prevResult");
    result.ips[1].gateway = Some("fd00::2".parse().unwrap());
    refused(
        net.run(Verb::Check, "c1", Some(&result)),
        150,
        "fd00::9 on interface eth0",
    );
    result.ips.pop();
    refused(
        net.run(Verb::Check, "c1", Some(&result)),
        150,
        "fd00::9 on interface eth0",
    );
    net.config["ipam"]["addresses"] = json!([{"address": "10.1.0.9/24"}]);
    net.run(Verb::Check, "c1", Some(&result)).unwrap();
}
