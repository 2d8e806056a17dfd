//! The layout of 1.0.0 and 1.1.0; the keys that 1.1.0 added are taken and given in both.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::parts::{self, Cidr, DnsOut, Rest, RouteOut};
use super::{Interface, IpConfig, Success};
use crate::spec::object::Entries;
use crate::spec::{ObjectError, Version};

pub(super) const KEYS: &[&str] = &["cniVersion", "interfaces", "ips", "routes", "dns"];
pub(super) const INTERFACE_KEYS: &[&str] = &["name", "mac", "mtu", "sandbox", "socketPath", "pciID"];
pub(super) const IP_KEYS: &[&str] = &["interface", "address", "gateway"];

pub(super) fn decode(object: &Entries<'_>) -> Result<Success, ObjectError> {
    Ok(Success {
        interfaces: parts::read_each(object, "interfaces", read_interface)?,
        ips: parts::read_each(object, "ips", |ip| parts::read_ip(ip, IP_KEYS))?,
        routes: parts::read_each(object, "routes", parts::read_route)?,
        dns: parts::read_dns(&object.some_entries("dns")?.unwrap_or_default())?,
        unknown: object.without(KEYS),
    })
}

fn read_interface(object: &Entries<'_>) -> Result<Interface, ObjectError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Wire {
        name: String,
        mac: String,
        mtu: Option<u32>,
        sandbox: String,
        #[serde(rename = "socketPath")]
        socket_path: String,
        #[serde(rename = "pciID")]
        pci_id: String,
    }
    let wire: Wire = object.parse()?;
    Ok(Interface {
        name: wire.name,
        mac: wire.mac,
        mtu: parts::number(wire.mtu),
        sandbox: wire.sandbox,
        socket_path: wire.socket_path,
        pci_id: wire.pci_id,
        unknown: object.without(INTERFACE_KEYS),
    })
}

/// The document, as it is written.
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
    pub(super) fn new(version: Version, success: &'a Success) -> Self {
        Self {
            cni_version: version,
            interfaces: parts::out(&success.interfaces),
            ips: parts::out(&success.ips),
            routes: parts::out(&success.routes),
            dns: (!parts::says_nothing(&success.dns)).then(|| DnsOut::from(&success.dns)),
            rest: Rest(&success.unknown, KEYS),
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

impl<'a> From<&'a Interface> for InterfaceOut<'a> {
    fn from(interface: &'a Interface) -> Self {
        Self {
            name: &interface.name,
            mac: &interface.mac,
            mtu: parts::number(interface.mtu),
            sandbox: &interface.sandbox,
            socket_path: &interface.socket_path,
            pci_id: &interface.pci_id,
            rest: Rest(&interface.unknown, INTERFACE_KEYS),
        }
    }
}

#[derive(Serialize)]
struct IpOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<i64>,
    address: Cidr,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> From<&'a IpConfig> for IpOut<'a> {
    fn from(ip: &'a IpConfig) -> Self {
        Self {
            interface: ip.interface,
            address: ip.address.into(),
            gateway: parts::gateway(ip.gateway),
            rest: Rest(&ip.unknown, IP_KEYS),
        }
    }
}
