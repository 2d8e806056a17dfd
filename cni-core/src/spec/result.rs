//! The result of ADD: one internal type, one codec a generation (specification, section 5).

mod carried;
mod codec;
mod configured;
mod parts;
mod v0_2;
mod v0_4;
mod v1;
mod written;

use std::net::IpAddr;

use ipnet::IpNet;

pub use codec::ResultError;

use super::Object;

/// What ADD made, in one type for all versions: [`Success::encode`] writes it in the one asked for.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Success {
    /// Interfaces, on the host and in the container.
    pub interfaces: Vec<Interface>,
    /// Addresses.
    pub ips: Vec<IpConfig>,
    /// Routes.
    pub routes: Vec<Route>,
    /// Name resolution.
    pub dns: Dns,
    /// Keys that the specification does not know.
    pub unknown: Object,
}

/// An interface of a [`Success`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its hardware address as text (6 bytes for Ethernet, 20 for InfiniBand); empty when unknown.
    pub mac: String,
    /// Its MTU in bytes (1.1.0).
    pub mtu: Option<u32>,
    /// The path of its network namespace; empty for an interface of the host.
    pub sandbox: String,
    /// The path of a socket that stands for it (1.1.0).
    pub socket_path: String,
    /// The PCI address of its device (1.1.0).
    pub pci_id: String,
    /// Keys that the specification does not know.
    pub unknown: Object,
}

/// An address of a [`Success`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IpConfig {
    /// The address with its prefix length.
    pub address: IpNet,
    /// The index in [`Success::interfaces`] of the interface that has it; negatives are accepted and kept.
    pub interface: Option<i64>,
    /// The gateway of its subnet.
    pub gateway: Option<IpAddr>,
    /// Keys that the specification does not know.
    pub unknown: Object,
}

/// A route of a [`Success`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Route {
    /// Destination.
    pub dst: IpNet,
    /// Next hop.
    pub gw: Option<IpAddr>,
    /// MTU along the path, in bytes (1.1.0).
    pub mtu: Option<u32>,
    /// Maximum segment size to advertise, in bytes (1.1.0).
    pub advmss: Option<u32>,
    /// Metric; lower wins (1.1.0).
    pub priority: Option<u32>,
    /// Routing table (1.1.0).
    pub table: Option<u32>,
    /// Scope as in `rtnetlink(7)`: 0 global, 253 link, 254 host (1.1.0).
    pub scope: Option<u8>,
    /// Keys that the specification does not know.
    pub unknown: Object,
}

/// Name resolution, as `resolv.conf(5)` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Dns {
    /// Addresses of name servers, the preferred one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nameservers: Vec<String>,
    /// The local domain.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// Domains to search, the preferred one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
    /// Options for the resolver.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Keys that the specification does not know; kept in results alone.
    #[serde(skip)]
    pub unknown: Object,
}

impl Success {
    /// A result with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Interface {
    /// An interface with nothing known but its name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

impl IpConfig {
    /// An address that belongs to no interface yet.
    pub fn new(address: IpNet) -> Self {
        Self {
            address,
            interface: None,
            gateway: None,
            unknown: Object::new(),
        }
    }
}

impl Route {
    /// A route to `dst` with nothing else said.
    pub fn new(dst: IpNet) -> Self {
        let (gw, mtu, advmss, priority, table, scope) = (None, None, None, None, None, None);
        Self {
            dst,
            gw,
            mtu,
            advmss,
            priority,
            table,
            scope,
            unknown: Object::new(),
        }
    }
}

impl Dns {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests;
