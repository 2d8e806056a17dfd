//! What every call is checked for before a plugin sees it, in whatever way it is run.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::invoke::Operation;
use crate::plugin::DynPlugin;
use crate::spec::{Code, Error, NetName, NetnsPath, Object, ObjectError, Version};

/// The network's name.
pub(super) fn network(config: &Object) -> Result<NetName, Error> {
    let name: Option<String> = config.parse_key("name").map_err(|e| undecodable(&e))?;
    let name = name.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::new(Code::INVALID_CONFIG, "missing network name"))?;
    name.parse()
        .map_err(|error| Error::new(Code::INVALID_CONFIG, "invalid network name").with_details(text(&error)))
}

/// The configuration's version, if both `plugin` and `operation` go with it.
pub(super) fn version(
    plugin: &dyn DynPlugin,
    operation: Operation,
    config: &Object,
) -> Result<Version, Error> {
    let text: Option<String> = config.parse_key("cniVersion").map_err(|e| undecodable(&e))?;
    let text = text
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "0.1.0".to_owned());
    // No version is as long as that, and an absurdly long text must not come back in the message.
    let text: String = text.chars().take(80).collect();
    if operation.since() > Version::V0_1_0 {
        gate(plugin, operation, &text)?;
    }
    let supported = plugin.versions();
    // By text: "1.0" is not "1.0.0".
    supported
        .iter()
        .copied()
        .find(|v| v.to_string() == text)
        .ok_or_else(|| {
            let supported: Vec<String> = supported.iter().map(|v| format!("{:?}", v.to_string())).collect();
            let supported = supported.join(" ");
            let details = format!("config is {text:?}, plugin supports [{supported}]");
            Error::new(Code::INCOMPATIBLE_VERSION, "incompatible CNI versions").with_details(details)
        })
}

/// Refuses CHECK, GC and STATUS in versions that did not have them yet.
fn gate(plugin: &dyn DynPlugin, operation: Operation, text: &str) -> Result<(), Error> {
    let Some(version) = lenient(text) else {
        let msg = format!("cniVersion {text:?} is not a version");
        return Err(Error::new(Code::DECODING, msg));
    };
    let refused = |who| {
        let msg = format!("{who} version does not allow {}", operation.as_str());
        Err(Error::new(Code::INCOMPATIBLE_VERSION, msg))
    };
    if version < operation.since() {
        return refused("config");
    }
    if plugin.versions().iter().all(|v| *v < version) {
        return refused("plugin");
    }
    Ok(())
}

/// Reads up to three numbers, however they are written; those that are missing count as 0.
///
/// The gate lets `1.0` and `01.0.0` pass. They are refused afterwards, as for ADD: no plugin supports them.
fn lenient(text: &str) -> Option<Version> {
    let numbers: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    match numbers?[..] {
        [major] => Some(Version::new(major, 0, 0)),
        [major, minor] => Some(Version::new(major, minor, 0)),
        [major, minor, patch] => Some(Version::new(major, minor, patch)),
        _ => None,
    }
}

/// Refuses the plugin's own namespace: what is meant for a container must not happen to the host.
///
/// Both namespaces are alive here, so device and inode tell them apart. A path that cannot be looked at passes: whether
/// that is an error is for the plugin to say, and for DEL it is not.
pub(super) fn foreign_netns(netns: &NetnsPath) -> Result<(), Error> {
    let identity = |path| fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
    let theirs = identity(netns.as_path());
    if theirs.is_some() && theirs == identity("/proc/thread-self/ns/net".as_ref()) {
        let msg = format!("CNI_NETNS \"{netns}\" is the network namespace of the plugin itself");
        return Err(Error::new(Code::INVALID_NETNS, msg));
    }
    Ok(())
}

/// The error for a configuration that cannot be decoded.
pub(super) fn undecodable(error: &ObjectError) -> Error {
    let cause = Error::from_source(Code::DECODING, error);
    Error::new(Code::DECODING, "decode network config").with_details(cause.to_string())
}

/// `error` with its causes in one line.
pub(super) fn text(error: &dyn std::error::Error) -> String {
    Error::from_source(Code::UNKNOWN, error).to_string()
}
