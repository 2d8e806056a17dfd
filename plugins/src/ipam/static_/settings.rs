//! The configuration, decoded and checked.

use std::net::IpAddr;

use cni_core::plugin::Env;
use cni_core::spec::{Dns, Route};
use ipnet::IpNet;
use serde::Deserialize;

use crate::ipam::conf::{self, ConfError, Config, RouteConf};

/// What a configuration asks for.
#[derive(Debug)]
pub(super) struct Settings {
    /// The addresses, in order.
    pub(super) addresses: Vec<Address>,
    /// The routes of the result.
    pub(super) routes: Vec<Route>,
    /// The name resolution of the result.
    pub(super) dns: Dns,
}

/// An address and, if one was named, its gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The address with its prefix length.
    pub(super) net: IpNet,
    /// The gateway.
    pub(super) gateway: Option<IpAddr>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Keys {
    addresses: Option<Vec<AddressConf>>,
    routes: Option<Vec<RouteConf>>,
}

#[derive(Debug, Deserialize)]
struct AddressConf {
    address: String,
    #[serde(default)]
    gateway: Option<String>,
}

impl Settings {
    /// Reads the configuration, then what the request adds or puts in its place.
    pub(super) fn parse(config: &Config, env: &Env<'_>) -> Result<Self, ConfError> {
        let ipam = config.ipam()?;
        let keys: Keys = ipam.parse()?;
        let confs = keys.addresses.unwrap_or_default();
        let mut addresses = confs.iter().map(configured).collect::<Result<Vec<_>, _>>()?;
        // `MAC` is for the plugin that delegates to this one and receives the same variables.
        let requested = config.requested(env, &["GATEWAY", "IP", "MAC"])?;
        for text in &requested.env {
            addresses.push(in_cidr(
                "the 'ip' field is expected to be in CIDR notation",
                text,
            )?);
        }
        name_gateways(&mut addresses, env.args.get("GATEWAY"))?;
        for texts in [&requested.args, &requested.runtime] {
            if !texts.is_empty() {
                addresses = replaced(&addresses, texts)?;
            }
        }
        conf::one_of_a_family(env.version, addresses.iter().map(|a| a.net.addr()))?;
        Ok(Self {
            addresses,
            routes: conf::routes(keys.routes.unwrap_or_default())?,
            dns: conf::dns(ipam)?,
        })
    }
}

fn configured(conf: &AddressConf) -> Result<Address, ConfError> {
    let rule = "the 'address' field is expected to be in CIDR notation";
    let mut address = in_cidr(rule, &conf.address)?;
    let gateway = conf.gateway.as_deref().filter(|text| !text.is_empty());
    address.gateway = gateway.map(|text| conf::address("gateway", text)).transpose()?;
    Ok(address)
}

fn in_cidr(rule: &str, text: &str) -> Result<Address, ConfError> {
    let text: String = text.trim().chars().take(80).collect();
    match conf::cidr("address", &text) {
        Ok(net) => Ok(Address { net, gateway: None }),
        Err(_) => Err(ConfError::Rule(format!("{rule}, got: '{text}'"))),
    }
}

fn name_gateways(addresses: &mut [Address], gateways: Option<&str>) -> Result<(), ConfError> {
    for text in conf::list(gateways) {
        let gateway = conf::address("gateway", &text)
            .map_err(|_| ConfError::Rule(format!("invalid gateway address: {text}")))?;
        for address in &mut *addresses {
            if address.net.contains(&gateway) {
                address.gateway = Some(gateway);
            }
        }
    }
    Ok(())
}

/// `texts` as addresses, each with the gateway that one of `before` had for the same subnet.
fn replaced(before: &[Address], texts: &[String]) -> Result<Vec<Address>, ConfError> {
    let rule = "an entry in the 'ips' field is NOT in CIDR notation";
    let one = |text: &String| {
        let mut address = in_cidr(rule, text)?;
        let net = address.net;
        let gateways = before.iter().filter(|old| old.net.contains(&net.addr()));
        address.gateway = gateways
            .filter_map(|old| old.gateway)
            .find(|gateway| net.contains(gateway) && *gateway != net.addr());
        Ok(address)
    };
    texts.iter().map(one).collect()
}
