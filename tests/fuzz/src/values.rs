//! Names, addresses, arguments, and JSON objects as such.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::net::IpAddr;
use std::str::FromStr;

use cni_core::spec::{CniArgs, Code, ContainerId, Error, IfName, Mac, NetName, Object, PluginType, Version};
use plexus::config::parse_duration;
use plexus::npwg::selection::{Guid, IpRequest};
use plexus::npwg::{ClaimName, NadName, Namespace, PodName};
use serde::Deserialize;

use crate::refused;

pub(crate) const SEEDS: &[&str] = &[
    "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;IP=10.0.0.1/24,fd00::1/64;MAC=02:00:00:00:00:0a",
    "cnitool-77383ca0a0715733ca6f",
    "eth0",
    "kube-system.a-b",
    "host-local",
    "0A-1b-2c-3d-4e-5f",
    "24:8a:07:03:00:8d:ae:2f",
    "::ffff:10.0.0.1/120",
    "10.0.0.010/24",
    "1.10.0",
    "900ms",
];

/// One value of each type that is read from text.
pub(crate) fn values(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for component in [
        again::<ContainerId>(text),
        again::<NetName>(text),
        again::<IfName>(text),
        again::<PluginType>(text),
        again::<Namespace>(text),
        again::<NadName>(text),
        again::<PodName>(text),
        again::<ClaimName>(text),
    ]
    .into_iter()
    .flatten()
    {
        // Every one of them becomes a part of some file's name.
        assert!(!component.is_empty() && component.len() <= 255 && !component.contains(['/', '\0']));
        assert!(component != "." && component != "..");
    }
    again::<Mac>(text);
    again::<Guid>(text);
    again::<Version>(text);
    again::<CniArgs>(text);
    if let Some(request) = again::<IpRequest>(text) {
        let (address, _) = request.split_once('/').unwrap_or((&request, ""));
        assert!(address.parse::<IpAddr>().is_ok());
    }
    if let Some(duration) = parse_duration(text) {
        assert_eq!(
            parse_duration(&format!("{}ms", duration.as_millis())),
            Some(duration)
        );
    }
    if let Ok(args) = text.parse::<CniArgs>()
        && let Err(error) = args.only(&["IP"])
    {
        refused(
            Error::from_source(Code::INVALID_ENVIRONMENT, &error),
            &[Code::INVALID_ENVIRONMENT],
        );
    }
}

/// What `text` is when it is written again, if it is a `T`: then that is the same `T`.
#[track_caller]
fn again<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) -> Option<String> {
    let value: T = text.parse().ok()?;
    let written = value.to_string();
    assert_eq!(written.parse::<T>().unwrap(), value);
    Some(written)
}

pub(crate) const OBJECTS: &[&str] = &[
    r#"{"z":1.10,"a":12345678901234567890123,"é":{"b":[ 1 ],"a":null},"Z":"<>&","\u00e9":1e999}"#,
    r#"{"flag":true,"count":7,"signed":-1,"text":"a","list":[{"text":"b"}],"map":{"k":{"count":1}},"pairs":[["a","b"]],"maybe":null}"#,
];

/// Every kind of field that a configuration has.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Fields {
    flag: bool,
    count: u32,
    signed: i64,
    text: String,
    list: Vec<Fields>,
    map: BTreeMap<String, Fields>,
    pairs: Vec<(String, String)>,
    maybe: Option<Box<Fields>>,
}

/// A JSON object: nothing of it is lost, and where nothing is to be matched leniently it is read as serde does.
pub(crate) fn object(data: &[u8]) {
    let Ok(object) = Object::from_slice(data) else {
        return;
    };
    let text = object.to_string();
    assert_eq!(Object::from_slice(text.as_bytes()).unwrap(), object);
    // Without another spelling of a key there is nothing to be lenient about; and serde alone takes a list for a struct.
    let exact = !data.iter().any(|b| b.is_ascii_uppercase() || *b == b'\\');
    if exact && let (Ok(lenient), Ok(strict)) = (object.parse::<Fields>(), serde_json::from_slice(data)) {
        assert_eq!(lenient, strict);
    }
    let keys: Vec<&str> = object.iter().map(|(key, _)| key).collect();
    for key in keys.into_iter().take(8) {
        keyed(&object, key);
    }
}

fn keyed(object: &Object, key: &str) {
    assert!(object.get(key).is_some());
    let (_, _) = (
        object.parse_key::<Fields>(key),
        object.parse_key::<Vec<Fields>>(key),
    );
    let (_, _) = (object.parse_key::<String>(key), object.parse_key::<Object>(key));
    let mut changed = object.clone();
    changed.set(key, &7).unwrap();
    assert_eq!(changed.parse_key::<u8>(key).unwrap(), Some(7));
    assert_eq!(changed.iter().count(), object.iter().count());
    changed.remove(key);
    assert!(changed.get(key).is_none());
}
