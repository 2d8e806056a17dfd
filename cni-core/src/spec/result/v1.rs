//! The layout of 1.0.0 and 1.1.0; the keys that 1.1.0 added are taken and given in both.

use serde::Deserialize;

use super::parts::{self, Cidr};
use super::{Interface, IpConfig, Success};
use crate::spec::{Object, ObjectError};

pub(super) const KEYS: &[&str] = &["cniVersion", "interfaces", "ips", "routes", "dns"];
pub(super) const INTERFACE_KEYS: &[&str] = &["name", "mac", "mtu", "sandbox", "socketPath", "pciID"];
pub(super) const IP_KEYS: &[&str] = &["interface", "address", "gateway"];

pub(super) fn decode(object: &Object) -> Result<Success, ObjectError> {
    let document: parts::Document = object.parse()?;
    Ok(Success {
        interfaces: parts::each("interfaces", document.interfaces, read_interface)?,
        ips: parts::each("ips", document.ips, |ip| parts::read_ip(ip, IP_KEYS))?,
        routes: parts::each("routes", document.routes, parts::read_route)?,
        dns: parts::read_dns(&document.dns)?,
        unknown: object.without(KEYS),
    })
}

fn read_interface(object: &Object) -> Result<Interface, ObjectError> {
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

pub(super) fn encode(success: &Success) -> Result<Object, ObjectError> {
    let mut out = Object::new();
    let interfaces = parts::each("interfaces", &success.interfaces, |i| write_interface(i))?;
    out.set_some("interfaces", parts::list(&interfaces))?;
    let ips = parts::each("ips", &success.ips, |ip| write_ip(ip))?;
    out.set_some("ips", parts::list(&ips))?;
    let routes = parts::each("routes", &success.routes, |route| parts::write_route(route))?;
    out.set_some("routes", parts::list(&routes))?;
    let dns = parts::write_dns(&success.dns)?;
    out.set_some("dns", (!dns.is_empty()).then_some(dns))?;
    Ok(out.and(success.unknown.without(KEYS)))
}

fn write_interface(interface: &Interface) -> Result<Object, ObjectError> {
    let mut out = Object::new();
    out.set("name", &interface.name)?;
    out.set_some("mac", parts::text(&interface.mac))?;
    out.set_some("mtu", parts::number(interface.mtu))?;
    out.set_some("sandbox", parts::text(&interface.sandbox))?;
    out.set_some("socketPath", parts::text(&interface.socket_path))?;
    out.set_some("pciID", parts::text(&interface.pci_id))?;
    Ok(out.and(interface.unknown.without(INTERFACE_KEYS)))
}

fn write_ip(ip: &IpConfig) -> Result<Object, ObjectError> {
    let mut out = Object::new();
    out.set_some("interface", ip.interface)?;
    out.set("address", &Cidr::from(ip.address))?;
    out.set_some("gateway", parts::gateway(ip.gateway))?;
    Ok(out.and(ip.unknown.without(IP_KEYS)))
}
