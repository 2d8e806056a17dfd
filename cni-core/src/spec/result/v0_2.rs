//! The layout of 0.1.0 and 0.2.0: one address a family, with its routes, and no interfaces.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::parts::{self, Gateway};
use super::written::{DnsOut, Rest, ShortRouteOut};
use super::{IpConfig, Route, Success};
use crate::spec::object::Entries;
use crate::spec::{Cidr, ObjectError, Version};

const KEYS: &[&str] = &["cniVersion", "ip4", "ip6", "dns"];
const IP_KEYS: &[&str] = &["ip", "gateway", "routes"];

pub(super) fn decode(object: &Entries<'_>) -> Result<Success, ObjectError> {
    let mut success = Success::new();
    for key in ["ip4", "ip6"] {
        if let Some(family) = object.some_entries(key)? {
            let (ip, routes) = read_family(&family).map_err(|e| e.at(key))?;
            success.ips.push(ip);
            success.routes.extend(routes);
        }
    }
    success.dns = parts::read_dns(&object.some_entries("dns")?.unwrap_or_default())?;
    success.unknown = object.without(KEYS);
    Ok(success)
}

fn read_family(object: &Entries<'_>) -> Result<(IpConfig, Vec<Route>), ObjectError> {
    #[derive(Deserialize)]
    struct Wire {
        ip: Cidr,
        #[serde(default)]
        gateway: Gateway,
    }
    let wire: Wire = object.parse()?;
    let mut ip = IpConfig::new(wire.ip.net());
    ip.gateway = wire.gateway.0;
    ip.unknown = object.without(IP_KEYS);
    Ok((ip, parts::read_each(object, "routes", parts::read_short_route)?))
}

/// Whether nothing of what the result says about the network has a place in this layout.
///
/// A result with nothing in it is not lost: a plugin that speaks only this layout may answer that.
pub(super) fn is_lost(success: &Success) -> bool {
    success.ips.is_empty() && !(success.interfaces.is_empty() && success.routes.is_empty())
}

/// The document, as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Out<'a> {
    cni_version: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip4: Option<FamilyOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip6: Option<FamilyOut<'a>>,
    dns: DnsOut<'a>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> Out<'a> {
    pub(super) fn new(version: Version, success: &'a Success) -> Self {
        Self {
            cni_version: version,
            ip4: FamilyOut::of(success, true),
            ip6: FamilyOut::of(success, false),
            dns: DnsOut::from(&success.dns),
            rest: Rest(&success.unknown, KEYS),
        }
    }
}

#[derive(Serialize)]
struct FamilyOut<'a> {
    ip: Cidr,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<ShortRouteOut<'a>>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> FamilyOut<'a> {
    /// The first address of a family, with its routes.
    fn of(success: &'a Success, v4: bool) -> Option<Self> {
        let ip = success
            .ips
            .iter()
            .find(|ip| Cidr::from(ip.address).is_v4() == v4)?;
        let routes = success.routes.iter();
        let routes = routes.filter(|route| Cidr::from(route.dst).is_v4() == v4);
        Some(Self {
            ip: ip.address.into(),
            gateway: parts::gateway(ip.gateway),
            routes: routes.map(ShortRouteOut::from).collect(),
            rest: Rest(&ip.unknown, IP_KEYS),
        })
    }
}
