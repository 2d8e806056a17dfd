//! The part of the table with results, `prevResult`s and errors: each body in each version that has its layout,
//! each version read where each other was expected.

use super::{Document, Kind, rows};

const V0_2: [&str; 2] = ["0.1.0", "0.2.0"];
const V0_4: [&str; 3] = ["0.3.0", "0.3.1", "0.4.0"];
const V1: [&str; 2] = ["1.0.0", "1.1.0"];

/// Every version, the empty text for 0.1.0, and two that do not exist.
const TO: [&str; 10] = [
    "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", "", "0.5.0", "1.2.0",
];

const BELOW_0_3: &str = include_str!("below-0.3.txt");
const SINCE_0_3: &str = include_str!("since-0.3.txt");
const BELOW_1: &str = include_str!("below-1.txt");
const SINCE_1: &str = include_str!("since-1.txt");

/// Results without an address and without what would be lost below 0.3.0, where we take them and the reference does
/// not; they are wanted in the versions above.
const EMPTY: &[(&str, &str)] = &[
    ("null", "null"),
    ("null and blanks", " null\n"),
    ("an empty object", "{}"),
    (
        "empty lists",
        r#"{"interfaces":[],"ips":[],"routes":[],"dns":{}}"#,
    ),
    ("dns alone", r#"{"dns":{"domain":"d","search":["s"]}}"#),
];

/// What is no result, whatever the version.
const NONSENSE: &[(&str, &str)] = &[
    ("no output", ""),
    ("blanks", " \n"),
    ("a list", "[]"),
    ("a text", r#""result""#),
    ("a number", "1"),
    ("true", "true"),
    ("half an object", r#"{"ips":["#),
    ("something behind", r#"{} {}"#),
    ("a comma too many", r#"{"dns":{},}"#),
    ("a mark of byte order", "\u{feff}{}"),
    ("a version that does not exist", r#"{"cniVersion":"0.5.0"}"#),
    ("a version of two numbers", r#"{"cniVersion":"1.0"}"#),
    ("a version with zeros before", r#"{"cniVersion":"01.0.0"}"#),
    ("a version with a letter", r#"{"cniVersion":"v1.0.0"}"#),
    ("a version with a blank", r#"{"cniVersion":"1.0.0 "}"#),
    ("a version to come", r#"{"cniVersion":"2.0.0"}"#),
];

fn in_version(body: &str, version: &str) -> String {
    let old = V0_4.contains(&version);
    let body = body
        .replace("@4", if old { r#""version":"4","# } else { "" })
        .replace("@6", if old { r#""version":"6","# } else { "" });
    let separator = if body.is_empty() { "" } else { "," };
    format!(r#"{{"cniVersion":"{version}"{separator}{body}}}"#)
}

/// A result with addresses and routes of both families.
fn full(version: &str) -> String {
    let bodies = if V0_2.contains(&version) {
        BELOW_0_3
    } else {
        SINCE_0_3
    };
    let (_, body) = rows(bodies).find(|(name, _)| *name == "routes of both").unwrap();
    in_version(body, version)
}

/// Every document.
pub(super) fn table() -> impl Iterator<Item = Document> {
    bodies()
        .chain(combined())
        .chain(empty())
        .chain(unnamed())
        .chain(crossed())
        .chain(nonsense())
        .chain(errors())
}

fn bodies() -> impl Iterator<Item = Document> {
    let layouts: [(&[&str], &str); 5] = [
        (&V0_2, BELOW_0_3),
        (&V0_4, SINCE_0_3),
        (&V0_4, BELOW_1),
        (&V1, SINCE_0_3),
        (&V1, SINCE_1),
    ];
    layouts.into_iter().flat_map(|(versions, bodies)| {
        versions.iter().flat_map(move |version| {
            rows(bodies).map(move |(name, body)| {
                let (name, text) = (format!("{version}: {name}"), in_version(body, version));
                Document::result(version, &TO, name, text)
            })
        })
    })
}

const INTERFACES: [&str; 3] = [
    "",
    r#""interfaces":[{"name":"eth0"}]"#,
    r#""interfaces":[{"name":"br0","mac":"0a:00:00:00:00:01"},{"name":"eth0","sandbox":"/run/netns/a"}]"#,
];

const IPS: [&str; 4] = [
    "",
    r#""ips":[{@4"address":"10.0.0.2/24","gateway":"10.0.0.1","interface":1}]"#,
    r#""ips":[{@6"address":"fd00::2/64"},{@6"address":"fd00::3/64"}]"#,
    r#""ips":[{@6"address":"fd00::2/64","interface":0},{@4"address":"10.0.0.2/32"},{@4"address":"10.0.0.3/32"}]"#,
];

const ROUTES: [&str; 4] = [
    "",
    r#""routes":[{"dst":"0.0.0.0/0"}]"#,
    r#""routes":[{"dst":"::/0","gw":"fd00::1","mtu":1280},{"dst":"fd00:1::/48"}]"#,
    r#""routes":[{"dst":"10.9.0.0/16","gw":"10.0.0.9","table":7},{"dst":"::/0"},{"dst":"10.8.0.0/16","scope":253}]"#,
];

const DNS: [&str; 2] = ["", r#""dns":{"nameservers":["10.0.0.53"],"search":["a"]}"#];

/// Everything with everything. The only refusal that is to be expected is that of no address below 0.3.0.
fn combined() -> impl Iterator<Item = Document> {
    let all = INTERFACES.len() * IPS.len() * ROUTES.len() * DNS.len();
    let pick = |number: usize| {
        let (interfaces, rest) = (number % INTERFACES.len(), number / INTERFACES.len());
        let (ips, rest) = (rest % IPS.len(), rest / IPS.len());
        let (routes, dns) = (rest % ROUTES.len(), rest / ROUTES.len());
        [INTERFACES[interfaces], IPS[ips], ROUTES[routes], DNS[dns]]
    };
    // With neither interface nor address nor route it is one of `EMPTY`.
    let bodies = (0..all).map(pick).filter(|parts| parts[..3].concat() != "");
    bodies.enumerate().flat_map(|(number, parts)| {
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let body = parts.join(",");
        V0_4.into_iter().chain(V1).map(move |version| {
            let name = format!("{version}: combination {number}");
            Document::result(version, &TO, name, in_version(&body, version))
        })
    })
}

fn empty() -> impl Iterator<Item = Document> {
    V0_4.into_iter().chain(V1).flat_map(|version| {
        EMPTY.iter().map(move |(name, text)| {
            Document::result(
                version,
                &TO[2..7],
                format!("{version}: {name} without a version"),
                *text,
            )
        })
    })
}

/// A result that names no version is of the configuration's.
fn unnamed() -> impl Iterator<Item = Document> {
    V0_2.into_iter().chain(V0_4).chain(V1).flat_map(|version| {
        let empty = full(version).replace(&format!(r#""cniVersion":"{version}""#), r#""cniVersion":"""#);
        let null = empty.replace(r#""cniVersion":"""#, r#""cniVersion":null"#);
        let absent = empty.replace(r#""cniVersion":"","#, "");
        [("empty", empty), ("null", null), ("absent", absent)]
            .map(|(how, text)| Document::result(version, &TO, format!("{version}: version is {how}"), text))
    })
}

/// Each version where each other was asked for: from a plugin to its runtime, and as `prevResult`.
fn crossed() -> impl Iterator<Item = Document> {
    let versions = || V0_2.into_iter().chain(V0_4).chain(V1);
    versions().flat_map(move |expected| {
        versions().flat_map(move |version| {
            let (name, text) = (format!("{version} where {expected} was asked for"), full(version));
            let conf = format!(r#"{{"cniVersion":"{expected}","name":"n","type":"t","prevResult":{text}}}"#);
            [
                Document::result(expected, &TO, &*name, text),
                Document::new(Kind::Prev, name, conf),
            ]
        })
    })
}

fn nonsense() -> impl Iterator<Item = Document> {
    ["0.2.0", "0.4.0", "1.1.0"].into_iter().flat_map(|version| {
        NONSENSE
            .iter()
            .map(move |(name, text)| Document::result(version, &TO, format!("{version}: {name}"), *text))
    })
}

fn errors() -> impl Iterator<Item = Document> {
    rows(include_str!("errors.txt")).map(|(name, text)| Document::new(Kind::Error, name, text))
}
