//! What the elements of the annotations ask for.

use super::*;
use crate::config::CapabilityCheck;

#[test]
fn a01_networks_are_attached_in_order_after_the_default_one() {
    let plan = World::new("a, far/c@x1 ,b").check(&[
        "eth0=kube-system/cbr0",
        "net1=pods/a",
        "x1=far/c",
        "net3=pods/b",
    ]);
    assert!(plan.attachments[0].is_default);
    assert_eq!(plan.attachments[0].list.name.as_str(), "cbr0-net");
    assert_eq!(plan.attachments[1].list.name.as_str(), "a");
    assert_eq!(
        plan.attachments[1].resource_name.as_deref(),
        Some("example.org/a")
    );
    World::new("").check(&["eth0=kube-system/cbr0"]);
    World::new("x")
        .with(|w| w.pod.annotations.clear())
        .check(&["eth0=kube-system/cbr0"]);
}

#[test]
fn a02_everything_asked_for_reaches_the_network() {
    let world = World::new(
        r#"[{"name":"able","ips":["10.1.1.5/24","fd00::5"],"mac":"02:00:00:00:00:0A","deviceID":"0000:01:00.1",
            "portMappings":[{"hostPort":80,"containerPort":8080}],"bandwidth":{"egressRate":5},
            "infiniband-guid":"24:8a:07:03:00:8d:ae:2f","default-route":["10.1.1.1","fd00::1"]}]"#,
    );
    let plan = world.check(&["eth0=kube-system/cbr0", "net1=pods/able"]);
    let able = &plan.attachments[1];
    assert_eq!(
        able.capability_args.to_string(),
        r#"{"ips":["10.1.1.5/24","fd00::5"],"mac":"02:00:00:00:00:0a","portMappings":[{"hostPort":80,"containerPort":8080,"protocol":"tcp"}],"bandwidth":{"egressRate":5},"infinibandGUID":"24:8a:07:03:00:8d:ae:2f","deviceID":"0000:01:00.1"}"#
    );
    assert_eq!(
        able.args.to_string(),
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=pods;K8S_POD_NAME=p;MAC=02:00:00:00:00:0a;IP=10.1.1.5/24,fd00::5"
    );
    assert_eq!(able.default_route.as_ref().map(Vec::len), Some(2));
    assert_eq!(plan.attachments[0].default_route, None);
    assert!(plan.warnings.is_empty());
}

#[test]
fn a04_ips_without_the_capability_fail_before_any_effect() {
    let world = World::new(r#"[{"name":"b"},{"name":"a","ips":["10.1.1.5/24"]}]"#);
    world.check_error(2, &["element 2", "\"pods/a\"", "capability \"ips\"", NETWORKS]);
    let plan = world
        .with(|w| w.policy.capability_check = CapabilityCheck::Warn)
        .check(&["eth0=kube-system/cbr0", "net1=pods/b", "net2=pods/a"]);
    let warnings: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].contains("network \"pods/a\" declares capability \"ips\""),
        "{warnings:?}"
    );
    World::new("")
        .default_network(r#"[{"name":"cbr0","ips":["10.0.0.1/8"]}]"#)
        .check_error(2, &[DEFAULT_NETWORK]);
}

#[test]
fn a05_every_other_request_needs_its_capability() {
    for (request, capability) in [
        (r#""mac":"02:00:00:00:00:01""#, "mac"),
        (
            r#""portMappings":[{"hostPort":1,"containerPort":1}]"#,
            "portMappings",
        ),
        (r#""bandwidth":{"ingressRate":1}"#, "bandwidth"),
        (r#""infiniband-guid":"24:8a:07:03:00:8d:ae:2f""#, "infinibandGUID"),
    ] {
        let world = World::new(&format!(r#"[{{"name":"a",{request}}}]"#));
        world.check_error(2, &[&format!("capability {capability:?}"), "element 1"]);
    }
    World::new("")
        .with(|w| w.capability_args = r#"{"portMappings":[{"hostPort":1,"containerPort":1}]}"#)
        .check_error(2, &["capability \"portMappings\"", "runtimeConfig"]);
}

#[test]
fn a06_an_invalid_value_fails_the_plan() {
    World::new(r#"[{"name":"a"},{"name":"a","mac":"zz"}]"#)
        .check_error(7, &["element 2", "\"mac\"", "\"zz\"", "pods/p"]);
    World::new("a,,b").check_error(7, &["element 2"]);
    World::new("")
        .default_network("a/b/c")
        .check_error(7, &[DEFAULT_NETWORK]);
}

#[test]
fn a07_an_interface_is_given_once() {
    World::new("a@x,b@x").check_error(7, &["element 2", "interface \"x\"", "taken by element 1"]);
    World::new("a@net2,b").check_error(7, &["element 2", "interface \"net2\"", "taken by element 1"]);
    World::new("a@eth0").check_error(7, &["element 1", "taken by cluster network"]);
    World::new("a@net1,b@net2").check(&["eth0=kube-system/cbr0", "net1=pods/a", "net2=pods/b"]);
    World::new("a@net2,b@net1").check(&["eth0=kube-system/cbr0", "net2=pods/a", "net1=pods/b"]);
}

#[test]
fn a08_one_element_of_both_annotations_has_the_default_route() {
    let one = r#"[{"name":"a","default-route":["10.0.0.1"]}]"#;
    let world = World::new(one).default_network(r#"[{"name":"cbr0","default-route":[]}]"#);
    world.check_error(7, &[DEFAULT_NETWORK, NETWORKS, "default-route"]);
    let plan = World::new(r#"[{"name":"a"},{"name":"b","default-route":[]}]"#)
        .plan()
        .unwrap();
    let routes: Vec<_> = plan.attachments.iter().map(|a| a.default_route.clone()).collect();
    assert_eq!(routes, [None, None, Some(vec![])]);
}

#[test]
fn a10_the_same_network_twice_is_two_attachments() {
    World::new("a,a").check(&["eth0=kube-system/cbr0", "net1=pods/a", "net2=pods/a"]);
}

#[test]
fn a11_cni_args_go_over_the_configurations_own() {
    let plan = World::new(r#"[{"name":"args","cni-args":{"b":[2],"c":{"d":1.0}}}]"#)
        .check(&["eth0=kube-system/cbr0", "net1=pods/args"]);
    let objects: Vec<_> = plan.attachments[1]
        .list
        .plugins()
        .map(|p| p.object.to_string())
        .collect();
    assert_eq!(
        objects,
        [
            r#"{"type":"x","args":{"cni":{"a":1,"b":[2],"c":{"d":1.0}},"own":{"k":1.0}}}"#,
            r#"{"type":"y","args":{"cni":{"b":[2],"c":{"d":1.0}}}}"#,
        ]
    );
    World::new(r#"[{"name":"badargs","cni-args":{"b":2}}]"#)
        .check_error(7, &["element 1", "pods/badargs", "\"cni\""]);
    World::new("badargs").check(&["eth0=kube-system/cbr0", "net1=pods/badargs"]);
}

#[test]
fn a12_what_the_runtime_asks_for_is_for_the_default_network_alone() {
    let world = World::new("able").with(|w| {
        w.cluster_network = Some(ClusterNetwork::Named("pods/able".to_owned()));
        w.args = "IgnoreUnknown=true;K8S_POD_NAME=p;IP=10.0.0.9;MAC=02:00:00:00:00:09;GATEWAY=10.0.0.1";
        w.capability_args = r#"{"portMappings":[{"hostPort":80}],"mac":"02:00:00:00:00:09"}"#;
    });
    let plan = world.check(&["eth0=pods/able", "net1=pods/able"]);
    let [default, able] = &plan.attachments[..] else {
        panic!("two attachments")
    };
    assert_eq!(default.capability_args.to_string(), world.capability_args);
    assert_eq!(default.args.get("IP"), Some("10.0.0.9"));
    assert!(able.capability_args.is_empty());
    assert_eq!(
        able.args.to_string(),
        "IgnoreUnknown=true;K8S_POD_NAME=p;K8S_POD_NAMESPACE=pods"
    );
}
