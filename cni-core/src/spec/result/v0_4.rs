//! The layout of 0.3.0, 0.3.1 and 0.4.0: each address says its family, and `dns` is always there.

use serde::Deserialize;

use super::parts;
use super::{Interface, IpConfig, Success};
use crate::spec::ObjectError;
use crate::spec::object::Entries;

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
