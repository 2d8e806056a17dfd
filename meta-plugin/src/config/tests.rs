use std::time::Duration;

use cni_core::spec::{Code, Error, Object};

use super::*;

#[track_caller]
fn check_error<T: std::fmt::Debug>(got: Result<T, ConfigError>, expected: &str) {
    let error = got.expect_err(expected);
    let said = Error::from_source(Code::INVALID_CONFIG, &error).to_string();
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_policy_has_defaults_for_every_key() {
    assert_eq!(Policy::parse(b"{}").unwrap(), Policy::default());
    assert_eq!(
        Policy::load("/absent/config.json".as_ref()).unwrap(),
        Policy::default()
    );
    let full = br#"{"external":["bridge"],"capabilityCheck":"warn","namespaceIsolation":true,
        "globalNamespaces":["a","b"],"confDir":"/c","deadlines":{"plugin":"5s","status":"10ms"}}"#;
    let policy = Policy::parse(full).unwrap();
    assert!(policy.external.contains(&"bridge".parse().unwrap()));
    assert_eq!(policy.capability_check, CapabilityCheck::Warn);
    assert!(policy.namespace_isolation);
    assert!(!policy.global_namespaces.contains(&"default".parse().unwrap()));
    assert_eq!(policy.conf_dir, PathBuf::from("/c"));
    assert_eq!(policy.deadlines.plugin, Duration::from_secs(5));
    assert_eq!(policy.deadlines.status, Duration::from_millis(10));
    assert_eq!(policy.deadlines.add, Duration::from_secs(100));
}

#[test]
fn a_policy_in_its_own_place_is_a_regular_file() {
    check_error(Policy::load("/dev/zero".as_ref()), "no regular file");
}

#[test]
fn a_policy_that_cannot_be_meant_is_refused() {
    for (json, expected) in [
        ("", "decode"),
        ("[]", "decode"),
        (
            r#"{"capabilityCheks":"warn"}"#,
            r#"unknown key "capabilityCheks", the nearest is "capabilityCheck""#,
        ),
        (
            r#"{"namespaceisolation":true}"#,
            r#"the nearest is "namespaceIsolation""#,
        ),
        (r#"{"capabilityCheck":"off"}"#, r#"holds "off""#),
        (r#"{"capabilityCheck":true}"#, "capabilityCheck"),
        (r#"{"namespaceIsolation":"true"}"#, "namespaceIsolation"),
        (r#"{"globalNamespaces":"a,b"}"#, "globalNamespaces"),
        (r#"{"globalNamespaces":["A"]}"#, "namespace \"A\""),
        (r#"{"external":["a/b"]}"#, "external"),
        (r#"{"deadlines":{"ad":"1s"}}"#, r#"the nearest is "add""#),
        (r#"{"deadlines":{"add":"1"}}"#, r#""add" holds "1""#),
        (r#"{"deadlines":{"add":30}}"#, "add"),
    ] {
        check_error(Policy::parse(json.as_bytes()), expected);
    }
}

#[test]
fn durations_have_a_unit() {
    for (text, ms) in [("1ms", 1), ("30s", 30_000), ("60m", 3_600_000)] {
        assert_eq!(parse_duration(text), Some(Duration::from_millis(ms)), "{text}");
    }
    for bad in [
        "",
        "s",
        "0s",
        "1",
        "-1s",
        "+1s",
        "1.5s",
        "61m",
        "1h",
        "99999999999999999999s",
        " 1s",
    ] {
        assert_eq!(parse_duration(bad), None, "{bad}");
    }
}

fn entry(json: &str) -> Result<Entry, ConfigError> {
    Entry::parse(&Object::from_slice(json.as_bytes()).unwrap())
}

#[test]
fn an_entry_is_for_one_mode() {
    let daemon =
        entry(r#"{"type":"plexus","name":"n","cniVersion":"1.0.0","mode":"daemon","cni.dev/x":1}"#).unwrap();
    assert!(matches!(daemon, Entry::Daemon(d) if d.socket.ends_with("plexus.sock")));
    let Entry::Standalone(named) = entry(
        r#"{"type":"plexus","mode":"standalone","clusterNetwork":"c","nads":"/n","pods":"/p","networks":"a,b",
            "stateDir":"/s","capabilities":{"ips":true},"runtimeConfig":{},"prevResult":null,"args":{}}"#,
    )
    .unwrap() else {
        panic!("another mode");
    };
    assert_eq!(named.cluster_network, ClusterNetwork::Named("c".to_owned()));
    assert_eq!(named.state_dir, PathBuf::from("/s"));
    let Entry::Standalone(inline) = entry(
        r#"{"mode":"standalone","delegates":[{"name":"a","type":"x"},{"name":"b","plugins":[{"type":"y"}]}]}"#,
    )
    .unwrap() else {
        panic!("another mode");
    };
    let ClusterNetwork::Delegates(lists) = inline.cluster_network else {
        panic!("another cluster network");
    };
    assert_eq!(
        lists.iter().map(|l| l.name.to_string()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(inline.state_dir, PathBuf::from("/var/lib/plexus"));
}

#[test]
fn an_entry_that_cannot_be_meant_is_refused() {
    for (json, expected) in [
        ("{}", r#"key "mode" is missing: it is "daemon" or "standalone""#),
        (r#"{"mode":"thick"}"#, r#""mode" holds "thick""#),
        (
            r#"{"mode":"daemon","nads":"/n"}"#,
            r#""nads" has no effect in mode "daemon""#,
        ),
        (
            r#"{"mode":"standalone","clusterNetwork":"c","socket":"/s"}"#,
            r#""socket" has no effect"#,
        ),
        (r#"{"mode":"standalone"}"#, r#"key "clusterNetwork" is missing"#),
        (
            r#"{"mode":"standalone","delegates":[]}"#,
            r#"key "clusterNetwork" is missing"#,
        ),
        (
            r#"{"mode":"standalone","clusterNetwork":"c","delegates":[{}]}"#,
            "exclude each other",
        ),
        (
            r#"{"mode":"standalone","delegates":[{"name":"a","type":"x"},{"name":"b"}]}"#,
            "element 2",
        ),
        (
            r#"{"mode":"standalone","clusterNetwrok":"c"}"#,
            r#"the nearest is "clusterNetwork""#,
        ),
        (
            r#"{"mode":"daemon","logLevel":"debug"}"#,
            r#"unknown key "logLevel""#,
        ),
        (r#"{"mode":"standalone","clusterNetwork":5}"#, "clusterNetwork"),
    ] {
        check_error(entry(json), expected);
    }
}
