//! Neighbours and the forwarding database: `ip neigh`, `bridge fdb`.

use std::net::IpAddr;

use cni_core::spec::Mac;

use crate::{At, NetError};

/// An entry of a vxlan device's or a bridge's forwarding database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fdb {
    /// The address that is looked up; all zeroes for every address not known.
    pub mac: Mac,
    /// The tunnel endpoint that it lies behind: an entry of the vxlan device itself (`self`). Without one
    /// it is an entry of the bridge for that port (`master static`).
    pub dst: Option<IpAddr>,
}

impl Fdb {
    /// Sends what is known nowhere to `dst` as well: `bridge fdb append 00:00:00:00:00:00 … dst DST`.
    pub fn flood(dst: IpAddr) -> Self {
        Self {
            mac: Mac([0; 6]),
            dst: Some(dst),
        }
    }

    /// Says that `mac` lies behind the tunnel endpoint `dst`.
    pub fn remote(mac: Mac, dst: IpAddr) -> Self {
        Self { mac, dst: Some(dst) }
    }

    /// Says that `mac` lies behind the bridge's port.
    pub fn port(mac: Mac) -> Self {
        Self { mac, dst: None }
    }
}

/// Neighbours and the forwarding database: `ip neigh`, `bridge fdb`.
pub trait Neighbours {
    /// `bridge fdb show dev LINK`: the permanent entries.
    ///
    /// # Errors
    /// [`NetError::LinkNotFound`] when there is no such interface.
    fn fdb(&self, at: At<'_>, link: &str) -> Result<Vec<Fdb>, NetError>;

    /// `bridge fdb append … dev LINK` for flood entries, `replace` for others, all in one batch; idempotent.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn ensure_fdb(&self, at: At<'_>, link: &str, entries: &[Fdb]) -> Result<(), NetError>;

    /// `bridge fdb del … dev LINK`; whether it was there.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn del_fdb(&self, at: At<'_>, link: &str, entry: &Fdb) -> Result<bool, NetError>;

    /// `ip neigh replace ADDRESS lladdr MAC nud noarp dev LINK`.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn ensure_neighbour(&self, at: At<'_>, link: &str, address: IpAddr, mac: Mac) -> Result<(), NetError>;

    /// `ip neigh del ADDRESS dev LINK`; whether it was there.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn del_neighbour(&self, at: At<'_>, link: &str, address: IpAddr) -> Result<bool, NetError>;
}
