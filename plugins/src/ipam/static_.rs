//! `static`: the addresses that the configuration or the request names.
//!
//! # Configuration
//!
//! All below `ipam`:
//!
//! | key | default | what it says |
//! |---|---|---|
//! | `type` | | `static` |
//! | `addresses` | none | list of `{"address": "10.1.0.9/24", "gateway": "10.1.0.1"}`; `gateway` may be left out |
//! | `routes` | none | routes of the result: `dst`, `gw`, `mtu`, `advmss`, `priority`, `table`, `scope` |
//! | `dns` | none | `dns` of the result |
//!
//! `IP=a/len,b/len` in `CNI_ARGS` adds addresses, and `GATEWAY=` there names the gateway of every
//! address whose subnet holds it. `args.cni.ips`, and after it `runtimeConfig.ips`, each *replace*
//! all addresses so far. An address that replaced others keeps the gateway that was given for its
//! subnet, if there is one; the reference loses it.
//!
//! ```json
//! { "cniVersion": "1.1.0", "name": "lab", "type": "macvlan", "master": "eth0",
//!   "ipam": { "type": "static", "addresses": [{ "address": "192.0.2.9/24", "gateway": "192.0.2.1" }] } }
//! ```
//!
//! # What ADD leaves on the host
//!
//! Nothing. DEL, GC and STATUS have nothing to do; CHECK compares the addresses with the result's.

mod settings;

use std::collections::BTreeSet;
use std::net::IpAddr;

use cni_core::plugin::{Add, Check, Del, Plugin, Status};
use cni_core::spec::{Code, Error, IpConfig, Success};

use self::settings::{Address, Settings};
use super::Config;

/// The plugin; it has no state at all.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Static;

impl Plugin for Static {
    type Config = Config;

    const NAME: &'static str = "static";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let settings = Settings::parse(&request.config, &request.env)?;
        let mut success = Success::new();
        success.ips = settings.addresses.iter().map(ip_config).collect();
        success.routes = settings.routes;
        success.dns = settings.dns;
        Ok(success)
    }

    fn del(&self, _request: Del<'_, Config>) -> Result<(), Error> {
        Ok(())
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let settings = Settings::parse(&request.config, &request.env)?;
        let prev = request
            .prev
            .as_ref()
            .ok_or_else(|| Error::new(Code::INVALID_CONFIG, "Required prevResult missing"))?;
        let there = prev.ips.iter().map(|ip| (ip.address.addr(), ip.gateway));
        let there: BTreeSet<_> = there.collect();
        for wanted in &settings.addresses {
            let (ip, gateway) = (wanted.net.addr(), wanted.gateway);
            // No gateway comes before any.
            let mut from = there.range((ip, gateway)..);
            let fits =
                |found: &(IpAddr, Option<IpAddr>)| found.0 == ip && (gateway.is_none() || found.1 == gateway);
            if !from.next().is_some_and(fits) {
                let ifname = &request.id.ifname;
                let msg = format!("static: Failed to match addr {ip} on interface {ifname}");
                return Err(Error::new(Code(150), msg));
            }
        }
        Ok(())
    }

    fn status(&self, request: Status<'_, Config>) -> Result<(), Error> {
        Settings::parse(&request.config, &request.env)?;
        Ok(())
    }
}

fn ip_config(address: &Address) -> IpConfig {
    let mut config = IpConfig::new(address.net);
    config.gateway = address.gateway;
    config
}

#[cfg(test)]
mod tests;
