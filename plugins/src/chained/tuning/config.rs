//! The configuration of `tuning`, and what it comes to for one interface.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;

use cni_core::spec::{CniArgs, Error, IfName};
use cni_net::Mtu;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::attributes::Attributes;
use super::error::TuningError;
use crate::shared::mac;

/// The configuration, as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Config {
    /// Kernel parameters.
    pub sysctl: Parameters,
    /// Hardware address; an empty one asks for nothing.
    pub mac: String,
    /// Whether the interface is to take every frame.
    pub promisc: bool,
    /// MTU in bytes; 0 to leave it.
    pub mtu: u32,
    /// Length of the queue for what it sends, in packets.
    #[serde(rename = "txQLen")]
    pub tx_q_len: Option<u32>,
    /// Whether it takes every multicast frame.
    pub allmulti: Option<bool>,
    /// Where the earlier values are kept; empty for the usual place.
    pub data_dir: String,
    /// What the runtime's user asks for.
    pub args: Args,
    /// A hardware address by capability.
    pub runtime_config: mac::Asked,
}

/// The key `args`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Args {
    /// The key `args.cni`.
    pub cni: Overrides,
}

/// The key `args.cni`: what is there counts instead of what the configuration says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Overrides {
    /// Kernel parameters, each above the same one of the configuration.
    pub sysctl: Parameters,
    /// Hardware address; an empty one asks for nothing.
    pub mac: String,
    /// Whether the interface is to take every frame.
    pub promisc: Option<bool>,
    /// MTU in bytes; 0 to leave it.
    pub mtu: Option<u32>,
    /// Length of the queue for what it sends, in packets.
    #[serde(rename = "txQLen")]
    pub tx_q_len: Option<u32>,
    /// Whether it takes every multicast frame.
    pub allmulti: Option<bool>,
}

/// Kernel parameters and values as they are written: in order, and a key that is there twice is kept twice,
/// for an ADD to refuse and a DEL to pass over.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Parameters;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of sysctl keys and values, both strings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
                let mut pairs = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    let named = |error| A::Error::custom(format!("key {key:?}: {error}"));
                    let value = map.next_value().map_err(named)?;
                    pairs.push((key, value));
                }
                Ok(Parameters(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// A kernel parameter to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    /// Its name as it was written.
    pub(super) key: String,
    /// Its place below `/proc/sys/net`.
    pub(super) path: String,
    pub(super) value: String,
}

/// What an ADD is to make: checked.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) parameters: Vec<Parameter>,
    pub(super) attributes: Attributes,
}

impl Settings {
    /// What `config` asks for the interface `ifname`.
    ///
    /// # Errors
    /// When it cannot be served; nothing has been touched.
    pub(super) fn new(config: &Config, args: &CniArgs, ifname: &IfName) -> Result<Self, Error> {
        let over = &config.args.cni;
        let mac = [
            ("key \"mac\"", &*config.mac),
            ("CNI_ARGS", args.get("MAC").unwrap_or_default()),
            ("runtimeConfig", &*config.runtime_config.mac),
            ("args.cni", &*over.mac),
        ];
        let mtu = over.mtu.unwrap_or(config.mtu);
        let mtu = (mtu != 0).then(|| Mtu::try_from(mtu)).transpose()?;
        Ok(Self {
            parameters: parameters(config, ifname)?,
            attributes: Attributes {
                mac: mac::choose(&mac)?,
                promisc: over.promisc.unwrap_or(config.promisc).then_some(true),
                mtu: mtu.map(Mtu::get),
                allmulti: over.allmulti.or(config.allmulti),
                tx_q_len: over.tx_q_len.or(config.tx_q_len),
            },
        })
    }
}

impl Config {
    /// Where the earlier values are kept.
    pub(super) fn dir(&self) -> PathBuf {
        match &*self.data_dir {
            "" => "/run/cni/tuning".into(),
            dir => dir.into(),
        }
    }
}

/// The configuration's parameters in order, each with the value that is above it, then those that only the latter has.
fn parameters(config: &Config, ifname: &IfName) -> Result<Vec<Parameter>, TuningError> {
    let mut all = config.sysctl.resolve(ifname)?;
    let places = all.iter().enumerate().map(|(at, under)| (under.path.clone(), at));
    let places: HashMap<String, usize> = places.collect();
    for over in config.args.cni.sysctl.resolve(ifname)? {
        match places.get(&over.path).and_then(|at| all.get_mut(*at)) {
            Some(under) => *under = over,
            None => all.push(over),
        }
    }
    Ok(all)
}

impl Parameters {
    fn resolve(&self, ifname: &IfName) -> Result<Vec<Parameter>, TuningError> {
        let (mut all, mut paths) = (Vec::new(), HashSet::new());
        for (key, value) in &self.0 {
            let (key, value) = (key.clone(), value.clone());
            let path = path(&key, ifname).ok_or_else(|| TuningError::SysctlKey(key.clone()))?;
            if !paths.insert(path.clone()) {
                return Err(TuningError::DuplicateSysctl(key));
            }
            all.push(Parameter { key, path, value });
        }
        Ok(all)
    }
}

/// The place of `key` below `/proc/sys/net`; nothing when it is elsewhere.
///
/// The interface's name is put in when the dots are gone, so that those of the name stay.
fn path(key: &str, ifname: &IfName) -> Option<String> {
    let path = key.replace('.', "/").replacen("IFNAME", ifname.as_str(), 1);
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    if parts.next() != Some("net") {
        return None;
    }
    let below: Vec<&str> = parts.collect();
    (!below.is_empty()).then(|| below.join("/"))
}
