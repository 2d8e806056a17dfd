//! Results as they are written: the layouts since 0.3.0 are one but for a few keys.

use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::parts::{DNS_KEYS, ROUTE_KEYS, SHORT_ROUTE_KEYS, gateway, number};
use super::{Dns, Interface, IpConfig, Route, Success, v0_4, v1};
use crate::spec::object::is_any_of;
use crate::spec::{Cidr, Object, Version};

/// A document since 0.3.0.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Out<'a> {
    cni_version: Version,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interfaces: Vec<InterfaceOut<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ips: Vec<IpOut<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<RouteOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<DnsOut<'a>>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> Out<'a> {
    /// In the layout of 0.3.0 to 0.4.0, in which `dns` is always there.
    pub(super) fn v0_4(version: Version, success: &'a Success) -> Self {
        Self {
            cni_version: version,
            interfaces: success.interfaces.iter().map(InterfaceOut::v0_4).collect(),
            ips: success.ips.iter().map(IpOut::v0_4).collect(),
            routes: success.routes.iter().map(RouteOut::from).collect(),
            dns: Some(DnsOut::from(&success.dns)),
            rest: Rest(&success.unknown, v0_4::KEYS),
        }
    }

    /// In the layout since 1.0.0.
    pub(super) fn v1(version: Version, success: &'a Success) -> Self {
        Self {
            cni_version: version,
            interfaces: success.interfaces.iter().map(InterfaceOut::v1).collect(),
            ips: success.ips.iter().map(IpOut::v1).collect(),
            routes: success.routes.iter().map(RouteOut::from).collect(),
            dns: (!says_nothing(&success.dns)).then(|| DnsOut::from(&success.dns)),
            rest: Rest(&success.unknown, v1::KEYS),
        }
    }
}

#[derive(Serialize)]
struct InterfaceOut<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    mac: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtu: Option<u32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    sandbox: &'a str,
    #[serde(rename = "socketPath", skip_serializing_if = "str::is_empty")]
    socket_path: &'a str,
    #[serde(rename = "pciID", skip_serializing_if = "str::is_empty")]
    pci_id: &'a str,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> InterfaceOut<'a> {
    fn v0_4(interface: &'a Interface) -> Self {
        Self {
            name: &interface.name,
            mac: &interface.mac,
            mtu: None,
            sandbox: &interface.sandbox,
            socket_path: "",
            pci_id: "",
            rest: Rest(&interface.unknown, v0_4::INTERFACE_KEYS),
        }
    }

    fn v1(interface: &'a Interface) -> Self {
        Self {
            mtu: number(interface.mtu),
            socket_path: &interface.socket_path,
            pci_id: &interface.pci_id,
            rest: Rest(&interface.unknown, v1::INTERFACE_KEYS),
            ..Self::v0_4(interface)
        }
    }
}

#[derive(Serialize)]
struct IpOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<i64>,
    address: Cidr,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> IpOut<'a> {
    fn v0_4(ip: &'a IpConfig) -> Self {
        let address = Cidr::from(ip.address);
        Self {
            version: Some(if address.is_v4() { "4" } else { "6" }),
            rest: Rest(&ip.unknown, v0_4::IP_KEYS),
            ..Self::v1(ip)
        }
    }

    fn v1(ip: &'a IpConfig) -> Self {
        Self {
            version: None,
            interface: ip.interface,
            address: ip.address.into(),
            gateway: gateway(ip.gateway),
            rest: Rest(&ip.unknown, v1::IP_KEYS),
        }
    }
}

/// A route with all that is known of it, as 0.3.0 and later write it.
#[derive(Serialize)]
pub(super) struct RouteOut<'a> {
    dst: Cidr,
    #[serde(skip_serializing_if = "Option::is_none")]
    gw: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advmss: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<u8>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> From<&'a Route> for RouteOut<'a> {
    fn from(route: &'a Route) -> Self {
        Self {
            dst: route.dst.into(),
            gw: gateway(route.gw),
            mtu: number(route.mtu),
            advmss: number(route.advmss),
            priority: number(route.priority),
            table: route.table,
            scope: route.scope,
            rest: Rest(&route.unknown, ROUTE_KEYS),
        }
    }
}

/// A route with destination and gateway alone, as 0.1.0 and 0.2.0 write it.
#[derive(Serialize)]
pub(super) struct ShortRouteOut<'a> {
    dst: Cidr,
    #[serde(skip_serializing_if = "Option::is_none")]
    gw: Option<IpAddr>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> From<&'a Route> for ShortRouteOut<'a> {
    fn from(route: &'a Route) -> Self {
        Self {
            dst: route.dst.into(),
            gw: gateway(route.gw),
            rest: Rest(&route.unknown, SHORT_ROUTE_KEYS),
        }
    }
}

/// `dns` as all versions write it, `{}` when there is nothing in it.
#[derive(Serialize)]
pub(super) struct DnsOut<'a> {
    #[serde(flatten)]
    known: &'a Dns,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> From<&'a Dns> for DnsOut<'a> {
    fn from(dns: &'a Dns) -> Self {
        Self {
            known: dns,
            rest: Rest(&dns.unknown, DNS_KEYS),
        }
    }
}

/// Whether `dns` would be written as `{}`.
fn says_nothing(dns: &Dns) -> bool {
    let Dns {
        nameservers,
        domain,
        search,
        options,
        unknown,
    } = dns;
    let lists = [nameservers, search, options];
    lists.iter().all(|list| list.is_empty()) && domain.is_empty() && unknown.without(DNS_KEYS).is_empty()
}

/// The keys that a layout does not know, written as they came.
pub(super) struct Rest<'a>(pub(super) &'a Object, pub(super) &'static [&'static str]);

impl Serialize for Rest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter(|(key, _)| !is_any_of(key, self.1)))
    }
}
