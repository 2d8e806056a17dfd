use std::net::IpAddr;

use serde::Deserialize;

use super::super::{Object, from_str};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Outer {
    is_gateway: bool,
    ranges: Vec<Vec<Inner>>,
    dns: Option<Inner>,
    count: u32,
    gates: Vec<IpAddr>,
    family: Option<Family>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Family {
    V4,
    V6,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Inner {
    subnet: String,
    mtu: u32,
    gw: Option<IpAddr>,
}

fn inner(subnet: &str) -> Inner {
    Inner {
        subnet: subnet.to_owned(),
        ..Inner::default()
    }
}

#[test]
fn keys_of_structs_match_by_letter_at_every_depth() {
    let text = r#"{"ISgateway":true,"Ranges":[[{"SUBNET":"a"}]],"dns":{"subNet":"b"},"Count":null,"x":[1]}"#;
    let expected = Outer {
        is_gateway: true,
        ranges: vec![vec![inner("a")]],
        dns: Some(inner("b")),
        ..Outer::default()
    };
    assert_eq!(from_str::<Outer>(text).unwrap(), expected);
    assert_eq!(
        Object::from_slice(text.as_bytes())
            .unwrap()
            .parse::<Outer>()
            .unwrap(),
        expected
    );
}

#[test]
fn of_several_spellings_the_last_wins() {
    assert_eq!(from_str::<Outer>(r#"{"count":1,"COUNT":2}"#).unwrap().count, 2);
    assert_eq!(from_str::<Outer>(r#"{"COUNT":2,"count":1}"#).unwrap().count, 1);
    assert_eq!(from_str::<Outer>(r#"{"Count":1,"COUNT":2}"#).unwrap().count, 2);
    assert_eq!(from_str::<Outer>(r#"{"count":1,"count":2}"#).unwrap().count, 2);
}

#[test]
fn an_error_names_the_keys_that_lead_to_it() {
    for (bad, expected) in [
        (
            r#"{"COUNT":"1"}"#,
            r#"key "count": invalid type: string "1", expected u32"#,
        ),
        (
            r#"{"dns":{"subnet":1}}"#,
            r#"key "dns": key "subnet": invalid type: integer `1`, expected a string"#,
        ),
        (
            r#"{"dns":{"mtu":"found at line 7"}}"#,
            r#"key "dns": key "mtu": invalid type: string "found at line 7", expected u32"#,
        ),
        (
            r#"{"dns":"x","count":[]}"#,
            r#"key "dns": invalid type: string "x", expected struct Inner"#,
        ),
        (
            r#"{"ranges":[[{"subnet":[]}]]}"#,
            r#"key "ranges": [0]: [0]: key "subnet": invalid type: sequence, expected a string"#,
        ),
        (
            r#"{"ranges":[[],[{},{"gw":"10.0.0.300"}]]}"#,
            r#"key "ranges": [1]: [1]: key "gw": "10.0.0.300": invalid IP address syntax"#,
        ),
        (
            r#"{"gates":["10.0.0.1",""]}"#,
            r#"key "gates": [1]: "": invalid IP address syntax"#,
        ),
        (
            r#"{"family":"v5"}"#,
            r#"key "family": unknown variant `v5`, expected `v4` or `v6`"#,
        ),
    ] {
        assert_eq!(from_str::<Outer>(bad).unwrap_err().to_string(), expected);
    }
}

#[test]
fn an_error_is_no_longer_for_a_value_of_any_length() {
    let said = |length| {
        let gate = "x".repeat(length);
        from_str::<Outer>(&format!(r#"{{"gates":["{gate}"]}}"#))
            .unwrap_err()
            .to_string()
    };
    let gate = "x".repeat(70);
    assert_eq!(
        said(70),
        format!(r#"key "gates": [0]: "{gate}": invalid IP address syntax"#)
    );
    assert_eq!(said(80), r#"key "gates": [0]: invalid IP address syntax"#);
}

#[test]
fn nesting_ends_before_the_stack_does() {
    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Node {
        child: Option<Box<Node>>,
        children: Vec<Node>,
    }
    let nested = |open: &str, close: &str, times: usize| {
        let text = format!("{}{{}}{}", open.repeat(times), close.repeat(times));
        Object::from_slice(text.as_bytes()).unwrap().parse::<Node>()
    };
    assert!(nested(r#"{"child":"#, "}", 100).is_ok());
    assert!(nested(r#"{"children":["#, "]}", 50).is_ok());
    for refused in [
        nested(r#"{"child":"#, "}", 8_000),
        nested(r#"{"children":["#, "]}", 8_000),
    ] {
        let error = crate::spec::with_causes(&refused.unwrap_err());
        assert!(error.contains("recursion limit exceeded"), "{error}");
    }
}

#[test]
fn wrong_types_are_errors() {
    for bad in [
        r#"{"count":"1"}"#,
        r#"{"ranges":{}}"#,
        r#"{"dns":[]}"#,
        r#"{"isGateway":1}"#,
        "[]",
        "x",
        "{}x",
    ] {
        assert!(from_str::<Outer>(bad).is_err(), "{bad}");
    }
}
