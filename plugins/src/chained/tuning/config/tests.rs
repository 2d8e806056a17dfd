use cni_core::spec::Object;

use super::*;

fn settings(config: &str, args: &str, ifname: &str) -> Result<Settings, Error> {
    let config: Config = Object::from_slice(config.as_bytes()).unwrap().parse().unwrap();
    Settings::new(&config, &args.parse().unwrap(), &ifname.parse().unwrap())
}

/// That `config` comes to these parameters, each `PATH=VALUE`, for the interface `eth0.5`.
#[track_caller]
fn parameters(config: &str, expected: Result<&[&str], &str>) {
    match (settings(config, "", "eth0.5"), expected) {
        (Ok(found), Ok(expected)) => {
            let found = found.parameters.iter().map(|p| format!("{}={}", p.path, p.value));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{config}");
        }
        (Err(error), Err(expected)) => {
            assert_eq!((error.code.0, &*error.msg), (7, expected), "{config}");
        }
        (found, expected) => panic!("{config}: {found:?}, not {expected:?}"),
    }
}

#[test]
fn the_interface_is_put_in_and_both_separators_are_taken() {
    let path: &[&str] = &["ipv4/conf/eth0.5/arp_filter=1"];
    for key in [
        "net.ipv4.conf.IFNAME.arp_filter",
        "net/ipv4/conf/IFNAME/arp_filter",
        "net.ipv4/conf.IFNAME/arp_filter",
        "/net//ipv4/conf/IFNAME/arp_filter/",
    ] {
        parameters(&format!(r#"{{"sysctl":{{"{key}":"1"}}}}"#), Ok(path));
    }
    let twice = r#"{"sysctl":{"net.IFNAME.IFNAME":"1"}}"#;
    parameters(twice, Ok(&["eth0.5/IFNAME=1"]));
}

#[test]
fn a_parameter_stays_below_net() {
    for key in [
        "kernel.panic",
        "net",
        "net.",
        "",
        "netx.a",
        "IFNAME.net.a",
        ".kernel.net",
    ] {
        let message = format!("invalid net sysctl key: {key:?}");
        parameters(&format!(r#"{{"sysctl":{{"{key}":"1"}}}}"#), Err(&message));
    }
    // Dots are separators, so that no part can lead upwards.
    let upwards = r#"{"sysctl":{"net/../kernel/panic":"1"}}"#;
    parameters(upwards, Ok(&["kernel/panic=1"]));
}

#[test]
fn a_key_is_given_once_in_whatever_spelling() {
    let refused = |key: &str| format!("duplicated sysctl keys are not allowed: {key:?}");
    let twice = r#"{"sysctl":{"net.core.a":"1","net.core.a":"1"}}"#;
    parameters(twice, Err(&refused("net.core.a")));
    let spelt = r#"{"sysctl":{"net.core.a":"1","net/core/a":"2"}}"#;
    parameters(spelt, Err(&refused("net/core/a")));
    let over = r#"{"args":{"cni":{"sysctl":{"net.core.a":"1","net.core.a":"2"}}}}"#;
    parameters(over, Err(&refused("net.core.a")));
}

#[test]
fn args_cni_counts_above_the_configuration() {
    let config = r#"{
        "sysctl": {"net.core.b": "1", "net.core.a": "2"}, "promisc": true, "mtu": 1400, "txQLen": 5, "allmulti": true,
        "args": {"cni": {"sysctl": {"net/core/a": "3", "net.core.c": "4"}, "promisc": false, "mtu": 0, "txQLen": 0, "allmulti": false}}
    }"#;
    parameters(config, Ok(&["core/b=1", "core/a=3", "core/c=4"]));
    let attributes = settings(config, "", "eth0").unwrap().attributes;
    let expected = Attributes {
        allmulti: Some(false),
        tx_q_len: Some(0),
        ..Attributes::default()
    };
    assert_eq!(attributes, expected);
    // The reference's plugin panics here.
    parameters(r#"{"args":{"cni":{"sysctl":{"net.a":"1"}}}}"#, Ok(&["a=1"]));
}

#[test]
fn of_several_addresses_the_last_place_counts() {
    let mac = |n: u8| format!("02:00:00:00:00:{n:02X}");
    let config = |config: &str, runtime: &str, over: &str| {
        format!(
            r#"{{"mac":"{config}","runtimeConfig":{{"mac":"{runtime}"}},"args":{{"cni":{{"mac":"{over}"}}}}}}"#
        )
    };
    let cases = [
        (config(&mac(1), "", ""), "", Some(1)),
        (config(&mac(1), "", ""), "MAC=02:00:00:00:00:02", Some(2)),
        (config(&mac(1), &mac(3), ""), "MAC=02:00:00:00:00:02", Some(3)),
        (
            config(&mac(1), &mac(3), &mac(10)),
            "MAC=02:00:00:00:00:02",
            Some(10),
        ),
        ("{}".to_owned(), "IgnoreUnknown=1;K8S_POD_NAME=a", None),
    ];
    for (config, args, expected) in cases {
        let found = settings(&config, args, "eth0").unwrap().attributes.mac;
        let found = found.map(|mac| mac.to_string());
        assert_eq!(found, expected.map(|n| mac(n).to_lowercase()), "{config} {args}");
    }
}

#[test]
fn what_no_interface_can_have_is_refused() {
    for (config, text) in [
        (r#"{"mac":"zz"}"#, "key \"mac\""),
        (r#"{"mac":"01:00:5e:00:00:01"}"#, "no address of one interface"),
        (r#"{"mtu":67}"#, "MTU 67"),
        (r#"{"args":{"cni":{"mtu":65536}}}"#, "MTU 65536"),
    ] {
        let error = settings(config, "", "eth0").unwrap_err();
        assert!(error.code.0 == 7 && error.msg.contains(text), "{config}: {error}");
    }
}

#[test]
fn nothing_asked_for_is_nothing() {
    let settings = settings(
        r#"{"sysctl":null,"mtu":null,"allmulti":null,"args":{"cni":null}}"#,
        "",
        "eth0",
    );
    let settings = settings.unwrap();
    assert!(settings.parameters.is_empty() && settings.attributes.is_empty());
    assert_eq!(Config::default().dir(), PathBuf::from("/run/cni/tuning"));
}
