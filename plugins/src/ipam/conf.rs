//! What the configurations of the address plugins have in common.

use std::net::IpAddr;
use std::str::FromStr;

use cni_core::plugin::Env;
use cni_core::spec::{CniArgsError, Code, Dns, Error, Object, ObjectError, Route, Version, parse_net};
use ipnet::IpNet;
use serde::Deserialize;

/// A network configuration as an address plugin sees it.
///
/// The parts stay undecoded until a verb needs them: DEL must free addresses also when today's
/// configuration is wrong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Config {
    ipam: Option<Object>,
    args: Option<Object>,
    runtime_config: Option<Object>,
}

/// A configuration that an address plugin cannot work with.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConfError {
    #[error("IPAM config missing 'ipam' key")]
    NoIpam,
    #[error(transparent)]
    Decode(#[from] ObjectError),
    #[error(transparent)]
    Args(#[from] CniArgsError),
    #[error("{what} {value:?} is not {rule}")]
    Value {
        what: &'static str,
        value: String,
        rule: &'static str,
    },
    #[error("CNI version {0} does not support more than 1 address per family")]
    TooMany(Version),
    /// A rule of one plugin, in the words that the reference has for it.
    #[error("{0}")]
    Rule(String),
}

impl From<ConfError> for Error {
    fn from(error: ConfError) -> Self {
        let code = match &error {
            ConfError::Args(_) => Code::INVALID_ENVIRONMENT,
            _ => Code::INVALID_CONFIG,
        };
        Self::from_source(code, &error)
    }
}

/// Addresses that were asked for, each place by itself, as text.
#[derive(Debug, Default)]
pub(super) struct Requested {
    /// `IP` of `CNI_ARGS`, split at commas.
    pub(super) env: Vec<String>,
    /// `args.cni.ips`.
    pub(super) args: Vec<String>,
    /// `runtimeConfig.ips`.
    pub(super) runtime: Vec<String>,
}

impl Config {
    /// The object at `ipam`.
    pub(super) fn ipam(&self) -> Result<&Object, ConfError> {
        self.ipam.as_ref().ok_or(ConfError::NoIpam)
    }

    /// The value at `key` of `runtimeConfig`.
    pub(super) fn runtime<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ConfError> {
        let Some(runtime) = &self.runtime_config else {
            return Ok(None);
        };
        Ok(runtime.parse_key(key)?)
    }

    /// The addresses that were asked for; `known` are the keys of `CNI_ARGS` that may be there.
    pub(super) fn requested(&self, env: &Env<'_>, known: &[&str]) -> Result<Requested, ConfError> {
        env.args.only(known)?;
        let cni = match &self.args {
            Some(args) => args.parse_key::<Object>("cni")?,
            None => None,
        };
        let args = match cni {
            Some(cni) => cni.parse_key("ips")?,
            None => None,
        };
        Ok(Requested {
            env: list(env.args.get("IP")),
            args: args.unwrap_or_default(),
            runtime: self.runtime("ips")?.unwrap_or_default(),
        })
    }
}

/// The parts of `text` between commas.
pub(super) fn list(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Reads an address; one of IPv4 in the dress of IPv6 becomes plain.
pub(super) fn address(what: &'static str, text: &str) -> Result<IpAddr, ConfError> {
    let bad = |_| value(what, text, "an IP address");
    IpAddr::from_str(text.trim())
        .map(|ip| ip.to_canonical())
        .map_err(bad)
}

/// Reads an address with its prefix length; the bits of the host stay.
pub(super) fn cidr(what: &'static str, text: &str) -> Result<IpNet, ConfError> {
    let rule = "an address with a prefix length";
    let net = parse_net(text.trim()).ok_or_else(|| value(what, text, rule))?;
    match net.addr().to_canonical() {
        ip if ip == net.addr() => Ok(net),
        _ => Err(value(what, text, "in the plain form of IPv4")),
    }
}

fn value(what: &'static str, text: &str, rule: &'static str) -> ConfError {
    let value = text.chars().take(80).collect();
    ConfError::Value { what, value, rule }
}

/// Refuses more than one address of a family where the result has no place for it.
pub(super) fn one_of_a_family(
    version: Version,
    addresses: impl Iterator<Item = IpAddr>,
) -> Result<(), ConfError> {
    let (v4, v6): (Vec<_>, Vec<_>) = addresses.partition(IpAddr::is_ipv4);
    if version < Version::V0_3_0 && v4.len().max(v6.len()) > 1 {
        return Err(ConfError::TooMany(version));
    }
    Ok(())
}

/// A route as a configuration has it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RouteConf {
    dst: String,
    #[serde(default)]
    gw: Option<String>,
    #[serde(default)]
    mtu: Option<u32>,
    #[serde(default)]
    advmss: Option<u32>,
    #[serde(default)]
    priority: Option<u32>,
    #[serde(default)]
    table: Option<u32>,
    #[serde(default)]
    scope: Option<u8>,
}

/// The routes of a result from those of a configuration.
pub(super) fn routes(confs: Vec<RouteConf>) -> Result<Vec<Route>, ConfError> {
    confs.into_iter().map(route).collect()
}

fn route(conf: RouteConf) -> Result<Route, ConfError> {
    let mut route = Route::new(cidr("route destination", &conf.dst)?);
    let gw = conf.gw.filter(|text| !text.is_empty());
    route.gw = gw.map(|text| address("route gateway", &text)).transpose()?;
    route.mtu = conf.mtu;
    route.advmss = conf.advmss;
    route.priority = conf.priority;
    route.table = conf.table;
    route.scope = conf.scope;
    Ok(route)
}

/// `dns` as a configuration has it; `null` says nothing.
pub(super) fn dns(ipam: &Object) -> Result<Dns, ConfError> {
    Ok(ipam.parse_key("dns")?.unwrap_or_default())
}
