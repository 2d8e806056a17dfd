use serde_json::Value;

use super::{IpConfig, ResultError, Route, Success};
use crate::spec::{Code, Error, Version};

mod carried;
mod conversions;
mod random;

/// Decodes `input` as a runtime of version `version_in` would, and writes it in `version_out`.
///
/// `expected` is the document, compared as JSON, or the text of the error.
#[track_caller]
fn check(input: &str, version_in: &str, version_out: &str, expected: &str) {
    let decoded = Success::decode(version_in.parse().unwrap(), input.as_bytes());
    let encoded = decoded.and_then(|success| success.encode(version_out.parse().unwrap()));
    match encoded {
        Ok(raw) => assert_eq!(json(raw.get()), json(expected), "got {raw}"),
        Err(error) => assert_eq!(text(error), expected),
    }
}

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn text(error: ResultError) -> String {
    Error::from(error).to_string()
}

const GOLDEN: [(&str, &str); 7] = [
    ("0.1.0", include_str!("golden/0.1.0.json")),
    ("0.2.0", include_str!("golden/0.2.0.json")),
    ("0.3.0", include_str!("golden/0.3.0.json")),
    ("0.3.1", include_str!("golden/0.3.1.json")),
    ("0.4.0", include_str!("golden/0.4.0.json")),
    ("1.0.0", include_str!("golden/1.0.0.json")),
    ("1.1.0", include_str!("golden/1.1.0.json")),
];

#[test]
fn every_version_round_trips() {
    for (version, document) in GOLDEN {
        check(document, version, version, document);
    }
}

#[test]
fn every_version_converts_to_every_version_and_what_both_hold_stays() {
    for (from, document) in GOLDEN {
        let first = Success::decode(from.parse().unwrap(), document.as_bytes()).unwrap();
        for &to in Version::ALL {
            let there = first.encode(to).unwrap();
            let again = Success::decode_strict(to, there.get().as_bytes()).unwrap();
            assert_eq!(again.encode(to).unwrap().get(), there.get(), "{from} -> {to}");
            assert_eq!(again.dns, first.dns, "{from} -> {to}");
            assert_eq!(again.ips[0].address, first.ips[0].address, "{from} -> {to}");
        }
    }
}

#[test]
fn a_document_that_is_cut_anywhere_is_an_error_and_no_panic() {
    for (version, document) in GOLDEN {
        let document = document.trim_end();
        for end in 0..document.len() {
            let cut = &document.as_bytes()[..end];
            let decoded = Success::decode(version.parse().unwrap(), cut);
            assert!(
                matches!(decoded, Err(ResultError::Decode(_))),
                "{version} cut at {end}"
            );
        }
    }
}

#[test]
fn a_document_with_any_byte_changed_is_no_panic() {
    for (version, document) in GOLDEN {
        let version: Version = version.parse().unwrap();
        for at in 0..document.len() {
            for byte in [b'0', b'"', b'}', b'/', 0xff] {
                let mut changed = document.as_bytes().to_vec();
                changed[at] = byte;
                if let Ok(success) = Success::decode(version, &changed) {
                    for &to in Version::ALL {
                        let _ = success.encode(to);
                    }
                }
            }
        }
    }
}

#[test]
fn an_unknown_key_may_be_nested_as_deep_as_it_likes() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let document =
        format!(r#"{{"cniVersion":"1.0.0","ips":[{{"address":"10.0.0.2/24","x":{deep}}}],"x":{deep}}}"#);
    let success = Success::decode(Version::V1_0_0, document.as_bytes()).unwrap();
    assert_eq!(success.encode(Version::V1_0_0).unwrap().get(), document);
    let wrong = format!(r#"{{"ips":{deep}}}"#);
    assert!(Success::decode(Version::V1_0_0, wrong.as_bytes()).is_err());
}

#[test]
fn the_reference_s_null_and_nothing_are_an_empty_result() {
    check("null", "1.1.0", "1.1.0", r#"{"cniVersion":"1.1.0"}"#);
    check(" null\n", "0.4.0", "0.4.0", r#"{"cniVersion":"0.4.0","dns":{}}"#);
    check("{}", "0.2.0", "0.2.0", r#"{"cniVersion":"0.2.0","dns":{}}"#);
    check(
        "",
        "1.0.0",
        "1.0.0",
        "decode result; decode JSON object: EOF while parsing a value",
    );
}

#[test]
fn a_result_names_its_version_or_takes_the_configuration_s() {
    let v02 = r#"{"ip4":{"ip":"10.0.0.2/24"}}"#;
    let expected = r#"{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"}]}"#;
    check(v02, "0.2.0", "1.0.0", expected);
    check(v02, "", "1.0.0", expected);
    check(
        &v02.replacen('{', r#"{"cniVersion":"","#, 1),
        "0.1.0",
        "1.0.0",
        expected,
    );
    check(
        &v02.replacen('{', r#"{"cniVersion":null,"#, 1),
        "0.1.0",
        "1.0.0",
        expected,
    );
    check(
        &v02.replacen('{', r#"{"cniVersion":"0.2.0","#, 1),
        "1.1.0",
        "1.0.0",
        expected,
    );
}

#[test]
fn unknown_versions_are_refused_by_name() {
    check(
        "{}",
        "0.9.0",
        "1.0.0",
        r#"unsupported CNI result version "0.9.0""#,
    );
    check(
        "{}",
        "1.0.0",
        "1.2.0",
        r#"unsupported CNI result version "1.2.0""#,
    );
    check(
        r#"{"cniVersion":"1.0"}"#,
        "1.0.0",
        "1.0.0",
        r#"unsupported CNI result version "1.0""#,
    );
    check(
        r#"{"cniVersion":"2.0.0"}"#,
        "1.0.0",
        "1.0.0",
        r#"unsupported CNI result version "2.0.0""#,
    );
}

#[test]
fn prev_result_must_have_the_layout_of_the_configuration() {
    let strict = |version: Version, own: &str| {
        Success::decode_strict(version, format!(r#"{{"cniVersion":"{own}"}}"#).as_bytes()).map_err(text)
    };
    assert!(strict(Version::V1_0_0, "1.1.0").is_ok());
    assert!(strict(Version::V0_4_0, "0.3.0").is_ok());
    assert!(strict(Version::V0_1_0, "").is_ok());
    assert_eq!(
        strict(Version::V1_0_0, "0.4.0").unwrap_err(),
        r#"result type supports ["1.0.0", "1.1.0"] but unmarshalled CNIVersion is "0.4.0""#
    );
    assert!(strict(Version::V0_2_0, "0.3.1").is_err());
}

#[test]
fn keys_match_without_regard_to_case() {
    check(
        r#"{"CNIVERSION":"0.4.0","Interfaces":[{"NAME":"eth0","Sandbox":"/n"}],
            "IPs":[{"Version":"4","ADDRESS":"10.0.0.2/24","Interface":0,"GateWay":"10.0.0.1"}],
            "ROUTES":[{"Dst":"0.0.0.0/0","GW":"10.0.0.1","AdvMSS":1400}],"Dns":{"NameServers":["10.0.0.1"]}}"#,
        "1.0.0",
        "1.0.0",
        r#"{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/n"}],
            "ips":[{"address":"10.0.0.2/24","interface":0,"gateway":"10.0.0.1"}],
            "routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1","advmss":1400}],"dns":{"nameservers":["10.0.0.1"]}}"#,
    );
}

#[test]
fn unknown_keys_survive_at_every_level_to_the_digit() {
    for (version, address) in [("0.4.0", r#""version":"4","address""#), ("1.1.0", r#""address""#)] {
        let document = format!(
            r#"{{"cniVersion":"{version}","interfaces":[{{"name":"a","x":1.10}}],"ips":[{{{address}:"10.0.0.2/24","x":[1 ]}}],"#
        ) + r#""routes":[{"dst":"0.0.0.0/0","x":{"b":1,"a":2}}],"dns":{"x":"<>"},"x":12345678901234567890.0}"#;
        let success = Success::decode(Version::V1_1_0, document.as_bytes()).unwrap();
        assert_eq!(success.encode(version.parse().unwrap()).unwrap().get(), document);
    }
    let document =
        r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24","routes":[{"dst":"0.0.0.0/0","x":1.0}],"x":1.0},"#
            .to_owned()
            + r#""dns":{"x":1.0},"x":1.0}"#;
    let success = Success::decode(Version::V0_2_0, document.as_bytes()).unwrap();
    assert_eq!(success.encode(Version::V0_2_0).unwrap().get(), document);
}

#[test]
fn an_unknown_key_never_doubles_a_key_of_another_version() {
    check(
        r#"{"cniVersion":"1.0.0","ips":[{"version":"6","address":"10.0.0.2/24"}],"ip4":"x"}"#,
        "1.0.0",
        "0.4.0",
        r#"{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.2/24"}],"dns":{},"ip4":"x"}"#,
    );
    check(
        r#"{"cniVersion":"0.4.0","interfaces":[{"name":"a","mtu":"many"}],"ip4":7,"ips":[{"address":"10.0.0.2/24"}]}"#,
        "0.4.0",
        "1.1.0",
        r#"{"cniVersion":"1.1.0","interfaces":[{"name":"a"}],"ip4":7,"ips":[{"address":"10.0.0.2/24"}]}"#,
    );
}

#[test]
fn what_cannot_be_an_address_is_an_error_that_names_its_place() {
    check(
        r#"{"ips":[{"address":"10.0.0.1/24"},{"address":"10.0.0.1"}]}"#,
        "1.0.0",
        "1.0.0",
        r#"decode result; decode ips[1]: key "address": "10.0.0.1" is not an address with its prefix length"#,
    );
    for bad in [
        r#"{"ips":[{}]}"#,
        r#"{"ips":[null]}"#,
        r#"{"ips":{}}"#,
        r#"{"ips":[{"address":"10.0.0.1/24","gateway":"10.0.0.1/24"}]}"#,
        r#"{"ips":[{"address":"10.0.0.1/24","interface":"0"}]}"#,
        r#"{"ips":[{"address":"10.0.0.1/33"}]}"#,
        r#"{"ips":[{"address":"10.0.0.1/+8"}]}"#,
        r#"{"ips":[{"address":"10.0.0.010/24"}]}"#,
        r#"{"routes":[{"gw":"10.0.0.1"}]}"#,
        r#"{"routes":[{"dst":"0.0.0.0/0","mtu":-1}]}"#,
        r#"{"interfaces":[[]]}"#,
        r#"{"dns":[]}"#,
        r#"{"dns":{"search":"a"}}"#,
        r#"{"cniVersion":1}"#,
        "[]",
        "{}{}",
    ] {
        let decoded = Success::decode(Version::V1_1_0, bad.as_bytes());
        assert!(matches!(decoded, Err(ResultError::Decode(_))), "{bad}");
    }
}

#[test]
fn each_error_has_its_code() {
    let code = |version: &str, document: &str| {
        let decoded = Success::decode(version.parse().unwrap(), document.as_bytes());
        Error::from(decoded.and_then(|s| s.encode(Version::V0_2_0)).unwrap_err()).code
    };
    assert_eq!(code("1.0.0", "x"), Code::DECODING);
    assert_eq!(code("3.0.0", "{}"), Code::INCOMPATIBLE_VERSION);
    assert_eq!(
        code("1.0.0", r#"{"interfaces":[{"name":"a"}]}"#),
        Code::INCOMPATIBLE_VERSION
    );
}

#[test]
fn a_result_made_by_a_plugin_is_written_as_the_version_wants_it() {
    let mut success = Success::new();
    let mut ip = IpConfig::new("::ffff:10.0.0.2/120".parse().unwrap());
    ip.gateway = Some("::ffff:10.0.0.1".parse().unwrap());
    success.ips.push(ip);
    success.routes.push(Route::new("0.0.0.0/0".parse().unwrap()));
    assert_eq!(
        success.encode(Version::V0_4_0).unwrap().get(),
        r#"{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.2/24","gateway":"10.0.0.1"}],"#
            .to_owned()
            + r#""routes":[{"dst":"0.0.0.0/0"}],"dns":{}}"#
    );
}
