//! What the layouts of all versions share: addresses, gateways, routes, name resolution.

use std::net::IpAddr;

use serde::Deserialize;

use super::written::RouteOut;
use super::{Dns, IpConfig, Route};
use crate::spec::object::Entries;
use crate::spec::{Cidr, ObjectError};

/// A gateway; empty text is none.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Gateway(pub(super) Option<IpAddr>);

impl TryFrom<String> for Gateway {
    type Error = std::net::AddrParseError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            Ok(Self(None))
        } else {
            text.parse().map(|ip: IpAddr| Self(Some(ip.to_canonical())))
        }
    }
}

/// A gateway as it is written.
pub(super) fn gateway(ip: Option<IpAddr>) -> Option<IpAddr> {
    ip.map(|ip| ip.to_canonical())
}

/// A number, unless it is 0, which means the same as none wherever this is used.
pub(super) fn number(n: Option<u32>) -> Option<u32> {
    n.filter(|n| *n != 0)
}

/// Applies `read` to each item; an error names its place.
pub(super) fn each<T, U>(
    key: &str,
    items: impl IntoIterator<Item = T>,
    apply: impl Fn(&T) -> Result<U, ObjectError>,
) -> Result<Vec<U>, ObjectError> {
    let one = |(at, item): (usize, T)| apply(&item).map_err(|e| e.at(format!("{key}[{at}]")));
    items.into_iter().enumerate().map(one).collect()
}

/// Reads each item of the list at `key`.
pub(super) fn read_each<U>(
    document: &Entries<'_>,
    key: &str,
    read: impl Fn(&Entries<'_>) -> Result<U, ObjectError>,
) -> Result<Vec<U>, ObjectError> {
    each(key, document.list(key)?, |item| read(&Entries::of(item)?))
}

/// Reads an address of a document since 0.3.0; `known` are the keys that its version knows.
pub(super) fn read_ip(object: &Entries<'_>, known: &[&str]) -> Result<IpConfig, ObjectError> {
    #[derive(Deserialize)]
    struct Wire {
        interface: Option<i64>,
        address: Cidr,
        #[serde(default)]
        gateway: Gateway,
    }
    let wire: Wire = object.parse()?;
    let mut ip = IpConfig::new(wire.address.net());
    ip.interface = wire.interface;
    ip.gateway = wire.gateway.0;
    ip.unknown = object.without(known);
    Ok(ip)
}

pub(super) const ROUTE_KEYS: &[&str] = &["dst", "gw", "mtu", "advmss", "priority", "table", "scope"];

/// Reads a route: one layout for all versions, so old documents may carry the keys of 1.1.0.
pub(super) fn read_route(object: &Entries<'_>) -> Result<Route, ObjectError> {
    #[derive(Deserialize)]
    struct Wire {
        dst: Cidr,
        #[serde(default)]
        gw: Gateway,
        mtu: Option<u32>,
        advmss: Option<u32>,
        priority: Option<u32>,
        table: Option<u32>,
        scope: Option<u8>,
    }
    let wire: Wire = object.parse()?;
    Ok(Route {
        dst: wire.dst.net(),
        gw: wire.gw.0,
        mtu: number(wire.mtu),
        advmss: number(wire.advmss),
        priority: number(wire.priority),
        table: wire.table,
        scope: wire.scope,
        unknown: object.without(ROUTE_KEYS),
    })
}

pub(super) const SHORT_ROUTE_KEYS: &[&str] = &["dst", "gw"];

/// Reads a route of 0.1.0 or 0.2.0, which know only two of its keys.
///
/// The others mean what they do in all versions, and are kept besides, for a round trip in these two.
pub(super) fn read_short_route(object: &Entries<'_>) -> Result<Route, ObjectError> {
    let mut route = read_route(object)?;
    let whole = serde_json::to_vec(&RouteOut::from(&route)).map_err(|e| ObjectError::new("route", e))?;
    route.unknown = Entries::from_slice(&whole)?.without(SHORT_ROUTE_KEYS);
    Ok(route)
}

pub(super) const DNS_KEYS: &[&str] = &["nameservers", "domain", "search", "options"];

/// Reads `dns`.
pub(super) fn read_dns(object: &Entries<'_>) -> Result<Dns, ObjectError> {
    let mut dns: Dns = object.parse().map_err(|e| e.at("dns"))?;
    dns.unknown = object.without(DNS_KEYS);
    Ok(dns)
}
