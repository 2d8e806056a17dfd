//! The layout of 0.1.0 and 0.2.0: one address a family, with its routes, and no interfaces.

use serde::Deserialize;

use super::parts::{self, Cidr, Gateway};
use super::{IpConfig, Route, Success};
use crate::spec::{Object, ObjectError};

const KEYS: &[&str] = &["cniVersion", "ip4", "ip6", "dns"];
const IP_KEYS: &[&str] = &["ip", "gateway", "routes"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    ip4: Option<Object>,
    ip6: Option<Object>,
    dns: Object,
}

pub(super) fn decode(object: &Object) -> Result<Success, ObjectError> {
    let document: Document = object.parse()?;
    let mut success = Success::new();
    for (key, family) in [("ip4", document.ip4), ("ip6", document.ip6)] {
        if let Some(family) = family {
            let (ip, routes) = read_family(&family).map_err(|e| e.at(key))?;
            success.ips.push(ip);
            success.routes.extend(routes);
        }
    }
    success.dns = parts::read_dns(&document.dns)?;
    success.unknown = object.without(KEYS);
    Ok(success)
}

fn read_family(object: &Object) -> Result<(IpConfig, Vec<Route>), ObjectError> {
    #[derive(Deserialize)]
    struct Wire {
        ip: Cidr,
        #[serde(default)]
        gateway: Gateway,
        #[serde(default)]
        routes: Vec<Object>,
    }
    let wire: Wire = object.parse()?;
    let mut ip = IpConfig::new(wire.ip.net());
    ip.gateway = wire.gateway.0;
    ip.unknown = object.without(IP_KEYS);
    Ok((ip, parts::each("routes", wire.routes, parts::read_short_route)?))
}

/// Whether nothing of what the result says about the network has a place in this layout.
///
/// A result with nothing in it is not lost: a plugin that speaks only this layout may answer that.
pub(super) fn is_lost(success: &Success) -> bool {
    success.ips.is_empty() && !(success.interfaces.is_empty() && success.routes.is_empty())
}

pub(super) fn encode(success: &Success) -> Result<Object, ObjectError> {
    let mut out = Object::new();
    for (key, v4) in [("ip4", true), ("ip6", false)] {
        let first = success.ips.iter().find(|ip| Cidr::from(ip.address).is_v4() == v4);
        if let Some(ip) = first {
            let routes = success.routes.iter();
            let routes = routes.filter(|route| Cidr::from(route.dst).is_v4() == v4);
            out.set(key, &write_family(ip, routes)?)?;
        }
    }
    out.set("dns", &parts::write_dns(&success.dns)?)?;
    Ok(out.and(success.unknown.without(KEYS)))
}

fn write_family<'a>(ip: &IpConfig, routes: impl Iterator<Item = &'a Route>) -> Result<Object, ObjectError> {
    let mut out = Object::new();
    out.set("ip", &Cidr::from(ip.address))?;
    out.set_some("gateway", parts::gateway(ip.gateway))?;
    let routes = parts::each("routes", routes, |route| parts::write_short_route(route))?;
    out.set_some("routes", parts::list(&routes))?;
    Ok(out.and(ip.unknown.without(IP_KEYS)))
}
