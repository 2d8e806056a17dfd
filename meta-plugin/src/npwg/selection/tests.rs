use std::error::Error as _;

use super::*;

/// What a selection asks for, in the words of the annotation, defaults left out.
fn summary(selection: &NetworkSelection) -> String {
    let mut parts = vec![selection.network.to_string()];
    let mut say = |key: &str, text: Option<String>| {
        parts.extend(text.map(|text| format!("{key}={text}")));
    };
    fn list<T: ToString>(items: &[T]) -> String {
        items
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")
    }
    fn json<T: serde::Serialize>(value: &T) -> String {
        serde_json::to_string(value).unwrap()
    }
    let NetworkSelection {
        ips, port_mappings, ..
    } = selection;
    say("if", selection.interface.as_ref().map(ToString::to_string));
    say("ips", (!ips.is_empty()).then(|| list(ips)));
    say("mac", selection.mac.map(|mac| mac.to_string()));
    say("args", selection.cni_args.as_ref().map(json));
    say("ports", (!port_mappings.is_empty()).then(|| json(port_mappings)));
    say("bw", selection.bandwidth.as_ref().map(json));
    say("route", selection.default_route.as_deref().map(list));
    say("guid", selection.infiniband_guid.map(|guid| guid.to_string()));
    say("claim", selection.ipam_claim.as_ref().map(ToString::to_string));
    say("device", selection.device_id.clone());
    parts.join(" ")
}

fn read(annotation: &str) -> Result<Vec<NetworkSelection>, SelectionError> {
    parse(annotation, &"pod-ns".parse().unwrap())
}

#[track_caller]
fn check(annotation: &str, expected: &[&str]) {
    let got = read(annotation).unwrap_or_else(|e| panic!("{annotation}: {e}: {:?}", e.source()));
    assert_eq!(
        got.iter().map(summary).collect::<Vec<_>>(),
        expected,
        "{annotation}"
    );
}

/// The error and its causes hold every part.
#[track_caller]
fn check_error(annotation: &str, expected: &[&str]) {
    let error = read(annotation).expect_err(annotation);
    let wire = cni_core::spec::Error::from_source(cni_core::spec::Code::INVALID_CONFIG, &error);
    for part in expected {
        assert!(wire.to_string().contains(part), "{annotation}: {wire}");
    }
}

#[test]
fn a01_the_comma_form_takes_blanks_namespaces_and_interfaces() {
    check("", &[]);
    check(" \n", &[]);
    check("net-a", &["pod-ns/net-a"]);
    check("net-a,net-b", &["pod-ns/net-a", "pod-ns/net-b"]);
    check(" net-a , other/net-b ", &["pod-ns/net-a", "other/net-b"]);
    check(" other / net-b @ eth1 ", &["other/net-b if=eth1"]);
    check("a@Eth_1,b/c@x.y", &["pod-ns/a if=Eth_1", "b/c if=x.y"]);
    check("dotted.name", &["pod-ns/dotted.name"]);
}

#[test]
fn a01_what_is_not_a_reference_is_refused_with_its_place() {
    check_error("a,,b", &["element 2", "\"\"", "network name"]);
    check_error("a,", &["element 2"]);
    check_error("a/b/c", &["element 1", "\"a/b/c\""]);
    check_error("a@b@c/d", &["interface name \"b@c/d\""]);
    check_error("a@", &["interface name \"\" is empty"]);
    check_error("a@sixteen-bytes-xx", &["is longer than 15 bytes"]);
    check_error("/a", &["namespace \"\" is empty"]);
    check_error("A", &["network name \"A\""]);
    check_error("a b", &["\"a b\""]);
}

#[test]
fn a_word_without_the_characters_of_json_is_a_name() {
    check("null,1", &["pod-ns/null", "pod-ns/1"]);
}

#[test]
fn a02_the_json_form_takes_every_key() {
    check("[]", &[]);
    check(
        r#"[{"name":"a","namespace":"ns","ips":["10.1.1.5/24","fd00::5"],"mac":"02:00:00:00:00:0A","interface":"x0",
            "cni-args":{"k":[1.0]},"default-route":["10.1.1.1"],"infiniband-guid":"24:8A:07:03:00:8d:ae:2f",
            "portMappings":[{"hostPort":80,"containerPort":8080},
                            {"hostPort":53,"containerPort":53,"protocol":"UDP","hostIP":"::1"}],
            "bandwidth":{"ingressRate":1000,"ingressBurst":10,"egressRate":0},"deviceID":"0000:01:00.1"},
           {"name":"b","ipam-claim-reference":"vm.net"}]"#,
        &[
            "ns/a if=x0 ips=10.1.1.5/24,fd00::5 mac=02:00:00:00:00:0a args={\"k\":[1.0]} \
             ports=[{\"hostPort\":80,\"containerPort\":8080,\"protocol\":\"tcp\"},\
             {\"hostPort\":53,\"containerPort\":53,\"protocol\":\"udp\",\"hostIP\":\"::1\"}] \
             bw={\"ingressRate\":1000,\"ingressBurst\":10} route=10.1.1.1 guid=24:8a:07:03:00:8d:ae:2f \
             device=0000:01:00.1",
            "pod-ns/b claim=vm.net",
        ],
    );
}

#[test]
fn a02_empty_values_stand_for_absent_keys() {
    check(
        r#"[{"name":"a","namespace":"","ips":[],"mac":"","interface":"","portMappings":[],"infiniband-guid":"",
            "ipam-claim-reference":"","deviceID":"","cni-args":null,"bandwidth":null,"default-route":null}]"#,
        &["pod-ns/a"],
    );
    check(r#"[{"name":"a","default-route":[]}]"#, &["pod-ns/a route="]);
    check(r#"[{"name":"a","interfaceRequest":"x"}]"#, &["pod-ns/a if=x"]);
    check(
        r#"[{"name":"a","interface":"y","interfaceRequest":"x"}]"#,
        &["pod-ns/a if=y"],
    );
}

#[test]
fn a03_unknown_keys_are_ignored() {
    check(
        r#"[{"org.example.key":{"a":1},"name":"a","other":1}]"#,
        &["pod-ns/a"],
    );
}

#[test]
fn a06_an_invalid_value_is_an_error_that_names_element_key_and_value() {
    for (key, value) in [
        ("name", "1"),
        ("name", r#""A""#),
        ("name", r#""ns/a""#),
        ("namespace", r#""a.b""#),
        ("ips", r#""10.0.0.1""#),
        ("ips", r#"["10.0.0.256"]"#),
        ("ips", r#"["10.0.0.1/33"]"#),
        ("ips", r#"["10.0.0.010/24"]"#),
        ("ips", r#"["10.0.0.1/24/24"]"#),
        ("ips", r#"[""]"#),
        ("ips", "[1]"),
        ("mac", r#""zz""#),
        ("mac", r#""00:11:22:33:44:55:66:77""#),
        ("mac", "7"),
        ("interface", r#""sixteen-bytes-xx""#),
        ("interface", r#""a/b""#),
        ("interfaceRequest", r#""a b""#),
        ("cni-args", "[]"),
        ("cni-args", r#""x""#),
        ("portMappings", "{}"),
        ("portMappings", r#"[{"hostPort":0,"containerPort":1}]"#),
        ("portMappings", r#"[{"hostPort":65536,"containerPort":1}]"#),
        ("portMappings", r#"[{"containerPort":1}]"#),
        (
            "portMappings",
            r#"[{"hostPort":1,"containerPort":1,"protocol":"icmp"}]"#,
        ),
        (
            "portMappings",
            r#"[{"hostPort":1,"containerPort":1,"hostIP":"x"}]"#,
        ),
        ("bandwidth", "{}"),
        ("bandwidth", "1"),
        ("bandwidth", r#"{"ingressRate":-1}"#),
        ("bandwidth", r#"{"ingressRate":1.5}"#),
        ("bandwidth", r#"{"ingressBurst":5}"#),
        ("bandwidth", r#"{"ingressRate":1,"egressBurst":5}"#),
        ("default-route", r#"["10.0.0.1/24"]"#),
        ("default-route", r#""10.0.0.1""#),
        ("infiniband-guid", r#""24:8a:07:03:00:8d""#),
        ("infiniband-guid", r#""24:8a:07:03:00:8d:ae:2f:00""#),
        ("ipam-claim-reference", r#""A""#),
        ("deviceID", "5"),
    ] {
        let name = if key == "name" { "" } else { r#""name":"b","# };
        let annotation = format!(r#"[{{"name":"a"}},{{{name}"{key}":{value}}}]"#);
        check_error(&annotation, &["element 2", &format!("{key:?}"), value]);
    }
    check_error("[{}]", &["element 1", "\"name\"", "missing"]);
}

#[test]
fn what_is_not_a_list_of_objects_is_refused() {
    for bad in [
        "{}",
        "[",
        "[1]",
        "[null]",
        r#""a""#,
        r#"[{"name":"a"}] x"#,
        r#"{"name":"a"}"#,
    ] {
        check_error(bad, &["not a JSON list of objects"]);
    }
}

#[test]
fn a08_a_second_default_route_is_refused() {
    let two = r#"[{"name":"a","default-route":["10.0.0.1"]},{"name":"b"},{"name":"c","default-route":["fd00::1"]}]"#;
    check_error(two, &["elements 1 and 3", "default-route"]);
    check_error(
        r#"[{"name":"a","default-route":[]},{"name":"a","default-route":[]}]"#,
        &["elements 1 and 2"],
    );
}

#[test]
fn a09_addresses_and_a_claim_exclude_each_other() {
    check_error(
        r#"[{"name":"a","ips":["10.0.0.1"],"ipam-claim-reference":"c"}]"#,
        &["element 1", "\"ips\"", "\"ipam-claim-reference\""],
    );
}

#[test]
fn a10_the_same_network_may_be_named_twice() {
    check("net-a,net-a", &["pod-ns/net-a", "pod-ns/net-a"]);
}

#[test]
fn an_annotation_cut_anywhere_is_read_or_refused() {
    let json = r#"[{"name":"a","namespace":"ns","ips":["10.1.1.5/24","fd00::5"],"mac":"02:00:00:00:00:0A","interface":"é",
        "cni-args":{"k":[1.0,"\u00e9"]},"default-route":["10.1.1.1"],"infiniband-guid":"24:8A:07:03:00:8d:ae:2f",
        "portMappings":[{"hostPort":80,"containerPort":8080}],"bandwidth":{"ingressRate":1000}}]"#;
    for text in [json, " other / net-b @ eth1 ,é/ü@ö,a@b"] {
        for cut in 0..text.len() {
            let _ = read(&String::from_utf8_lossy(&text.as_bytes()[..cut]));
            let _ = read(&String::from_utf8_lossy(&text.as_bytes()[cut..]));
        }
    }
}
