//! Addresses: `ip addr`.

use ipnet::IpNet;

use crate::{At, NetError};

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addr {
    /// The address with its prefix length.
    pub address: IpNet,
    /// Whether duplicate-address detection is left out (`IFA_F_NODAD`, IPv6).
    pub nodad: bool,
    /// Whether duplicate-address detection still runs (`IFA_F_TENTATIVE`); ignored when adding.
    pub tentative: bool,
    /// Whether duplicate-address detection found another (`IFA_F_DADFAILED`); ignored when adding.
    pub dad_failed: bool,
}

impl Addr {
    /// An address that is usable at once.
    pub fn new(address: IpNet) -> Self {
        Self {
            address,
            nodad: true,
            tentative: false,
            dad_failed: false,
        }
    }
}

/// Addresses: `ip addr`.
pub trait Addrs {
    /// `ip addr show dev LINK`.
    ///
    /// # Errors
    /// [`NetError::LinkNotFound`] when there is no such interface.
    fn addrs(&self, at: At<'_>, link: &str) -> Result<Vec<Addr>, NetError>;

    /// `ip addr add … dev LINK`, all in one batch; IPv4 with a broadcast address where the prefix has one.
    ///
    /// # Errors
    /// [`NetError::is_exists`] when the interface has one of them already.
    fn add_addrs(&self, at: At<'_>, link: &str, addrs: &[Addr]) -> Result<(), NetError>;

    /// `ip addr del … dev LINK`; whether it was there.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn del_addr(&self, at: At<'_>, link: &str, address: IpNet) -> Result<bool, NetError>;
}
