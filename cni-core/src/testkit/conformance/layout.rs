//! The layout of a result in each version (specification, section 5).

use serde_json::Value;

use crate::spec::{Success, Version};

/// Nothing if `answer` is a result of `version`, else what was expected of it.
pub(super) fn check(answer: &Value, version: Version, latest: bool) -> Result<(), String> {
    if answer["cniVersion"] != version.to_string() {
        return Err(format!("a result of version {version}"));
    }
    let layout = if latest { Version::V1_1_0 } else { version };
    keys(answer, layout)?;
    addresses(answer, layout)?;
    let mut answer = answer.clone();
    answer["cniVersion"] = layout.to_string().into();
    let result = Success::decode_strict(layout, answer.to_string().as_bytes());
    result.map(drop).map_err(|error| crate::spec::with_causes(&error))
}

/// Which keys a result may have.
fn keys(answer: &Value, layout: Version) -> Result<(), String> {
    let known: &[&str] = if layout < Version::V0_3_0 {
        &["cniVersion", "ip4", "ip6", "dns"]
    } else {
        &["cniVersion", "interfaces", "ips", "routes", "dns"]
    };
    let keys = answer
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str());
    let unknown: Vec<&str> = keys.filter(|key| !known.contains(key)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(format!("no key but {known:?}, and not {unknown:?}"))
}

/// Addresses say their family from 0.3.0 to 0.4.0 and not after, and an interface that is listed.
fn addresses(answer: &Value, layout: Version) -> Result<(), String> {
    let interfaces = answer["interfaces"].as_array().map_or(0, Vec::len);
    for ip in answer["ips"].as_array().into_iter().flatten() {
        let family = match ip["address"].as_str() {
            Some(address) if address.contains(':') => "6",
            Some(_) => "4",
            None => return Err("`address` in each of `ips`".to_owned()),
        };
        match ip["version"].as_str() {
            None if layout < Version::V1_0_0 => return Err(format!("`version` {family:?} of each of `ips`")),
            Some(said) if layout < Version::V1_0_0 && said != family => {
                return Err(format!("`version` {family:?} of {}", ip["address"]));
            }
            Some(_) if layout >= Version::V1_0_0 => return Err("no `version` in `ips`".to_owned()),
            _ => {}
        }
        let place = ip.get("interface").filter(|place| !place.is_null());
        if place.is_some_and(|place| place.as_u64().is_none_or(|at| at as usize >= interfaces)) {
            return Err("`interface` of each of `ips` to be the place of one".to_owned());
        }
    }
    Ok(())
}
