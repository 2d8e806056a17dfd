//! The layout of 0.3.0, 0.3.1 and 0.4.0: each address says its family, and `dns` is always there.

use serde::Deserialize;

use super::parts::{self, Cidr};
use super::{Interface, IpConfig, Success};
use crate::spec::{Object, ObjectError};

pub(super) const KEYS: &[&str] = &["cniVersion", "interfaces", "ips", "routes", "dns"];
pub(super) const INTERFACE_KEYS: &[&str] = &["name", "mac", "sandbox"];
/// The family of an address is that of the address, whatever `version` says: the reference goes by
/// `version` and loses an address that has none on the way to 0.2.0.
pub(super) const IP_KEYS: &[&str] = &["version", "interface", "address", "gateway"];

pub(super) fn decode(object: &Object) -> Result<Success, ObjectError> {
    let document: parts::Document = object.parse()?;
    Ok(Success {
        interfaces: parts::each("interfaces", document.interfaces, read_interface)?,
        ips: parts::each("ips", document.ips, read_ip)?,
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
        sandbox: String,
    }
    let wire: Wire = object.parse()?;
    let mut interface = Interface::new(wire.name);
    interface.mac = wire.mac;
    interface.sandbox = wire.sandbox;
    interface.unknown = object.without(INTERFACE_KEYS);
    Ok(interface)
}

fn read_ip(object: &Object) -> Result<IpConfig, ObjectError> {
    object.parse_key::<String>("version")?;
    parts::read_ip(object, IP_KEYS)
}

pub(super) fn encode(success: &Success) -> Result<Object, ObjectError> {
    let mut out = Object::new();
    let interfaces = parts::each("interfaces", &success.interfaces, |i| write_interface(i))?;
    out.set_some("interfaces", parts::list(&interfaces))?;
    let ips = parts::each("ips", &success.ips, |ip| write_ip(ip))?;
    out.set_some("ips", parts::list(&ips))?;
    let routes = parts::each("routes", &success.routes, |route| parts::write_route(route))?;
    out.set_some("routes", parts::list(&routes))?;
    out.set("dns", &parts::write_dns(&success.dns)?)?;
    Ok(out.and(success.unknown.without(KEYS)))
}

fn write_interface(interface: &Interface) -> Result<Object, ObjectError> {
    let mut out = Object::new();
    out.set("name", &interface.name)?;
    out.set_some("mac", parts::text(&interface.mac))?;
    out.set_some("sandbox", parts::text(&interface.sandbox))?;
    Ok(out.and(interface.unknown.without(INTERFACE_KEYS)))
}

fn write_ip(ip: &IpConfig) -> Result<Object, ObjectError> {
    let mut out = Object::new();
    let address = Cidr::from(ip.address);
    out.set("version", if address.is_v4() { "4" } else { "6" })?;
    out.set_some("interface", ip.interface)?;
    out.set("address", &address)?;
    out.set_some("gateway", parts::gateway(ip.gateway))?;
    Ok(out.and(ip.unknown.without(IP_KEYS)))
}
