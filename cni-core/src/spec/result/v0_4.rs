//! The layout of 0.3.0, 0.3.1 and 0.4.0: each address says its family, and `dns` is always there.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::parts::{self, Cidr, DnsOut, Rest, RouteOut};
use super::{Interface, IpConfig, Success};
use crate::spec::object::Entries;
use crate::spec::{ObjectError, Version};

pub(super) const KEYS: &[&str] = &["cniVersion", "interfaces", "ips", "routes", "dns"];
pub(super) const INTERFACE_KEYS: &[&str] = &["name", "mac", "sandbox"];
/// The family of an address is that of the address, whatever `version` says: the reference goes by
/// `version` and loses an address that has none on the way to 0.2.0.
pub(super) const IP_KEYS: &[&str] = &["version", "interface", "address", "gateway"];

pub(super) fn decode(object: &Entries<'_>) -> Result<Success, ObjectError> {
    Ok(Success {
        interfaces: parts::read_each(object, "interfaces", read_interface)?,
        ips: parts::read_each(object, "ips", read_ip)?,
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
        sandbox: String,
    }
    let wire: Wire = object.parse()?;
    let mut interface = Interface::new(wire.name);
    interface.mac = wire.mac;
    interface.sandbox = wire.sandbox;
    interface.unknown = object.without(INTERFACE_KEYS);
    Ok(interface)
}

fn read_ip(object: &Entries<'_>) -> Result<IpConfig, ObjectError> {
    object.parse_key::<String>("version")?;
    parts::read_ip(object, IP_KEYS)
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
    dns: DnsOut<'a>,
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
            dns: DnsOut::from(&success.dns),
            rest: Rest(&success.unknown, KEYS),
        }
    }
}

#[derive(Serialize)]
struct InterfaceOut<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    mac: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    sandbox: &'a str,
    #[serde(flatten)]
    rest: Rest<'a>,
}

impl<'a> From<&'a Interface> for InterfaceOut<'a> {
    fn from(interface: &'a Interface) -> Self {
        Self {
            name: &interface.name,
            mac: &interface.mac,
            sandbox: &interface.sandbox,
            rest: Rest(&interface.unknown, INTERFACE_KEYS),
        }
    }
}

#[derive(Serialize)]
struct IpOut<'a> {
    version: &'static str,
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
        let address = Cidr::from(ip.address);
        Self {
            version: if address.is_v4() { "4" } else { "6" },
            interface: ip.interface,
            address,
            gateway: parts::gateway(ip.gateway),
            rest: Rest(&ip.unknown, IP_KEYS),
        }
    }
}
