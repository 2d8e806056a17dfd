//! The layout of 1.0.0 and 1.1.0; the keys that 1.1.0 added are taken and given in both.

use serde::Deserialize;

use super::parts;
use super::{Interface, Success};
use crate::spec::ObjectError;
use crate::spec::object::Entries;

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
