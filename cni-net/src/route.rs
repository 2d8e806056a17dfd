//! Routes: `ip route`.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{At, NetError};

/// The main routing table.
pub const TABLE_MAIN: u32 = 254;

/// The protocol number that marks routes as ours, where no format of the reference's is shared.
pub const PROTOCOL: u8 = 80 + 0x10;

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Destination; a length of 0 is the default route.
    pub dst: IpNet,
    /// Next hop.
    pub gw: Option<IpAddr>,
    /// Interface.
    pub dev: Option<String>,
    /// Preferred source address.
    pub src: Option<IpAddr>,
    /// Metric; lower wins.
    pub priority: Option<u32>,
    /// Table; none is the main one.
    pub table: Option<u32>,
    /// Scope: 0 global, 253 link, 254 host; none lets the kernel's tools' default stand.
    pub scope: Option<u8>,
    /// MTU along the path, in bytes.
    pub mtu: Option<u32>,
    /// Maximum segment size to advertise, in bytes.
    pub advmss: Option<u32>,
    /// Who made it (`rtm_protocol`); none for `boot` when adding.
    pub protocol: Option<u8>,
    /// Whether the next hop is reachable without a route to it (`onlink`).
    pub onlink: bool,
}

impl Route {
    /// A route with nothing said but where it leads.
    pub fn new(dst: IpNet) -> Self {
        Self {
            dst,
            gw: None,
            dev: None,
            src: None,
            priority: None,
            table: None,
            scope: None,
            mtu: None,
            advmss: None,
            protocol: None,
            onlink: false,
        }
    }
}

/// Routes: `ip route`.
pub trait Routes {
    /// `ip route show table all`, both families, unicast ones.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn routes(&self, at: At<'_>) -> Result<Vec<Route>, NetError>;

    /// `ip route append …`, all in one batch: another next hop for one destination is allowed.
    ///
    /// # Errors
    /// [`NetError::is_exists`] when the very same route is there.
    fn add_routes(&self, at: At<'_>, routes: &[Route]) -> Result<(), NetError>;

    /// `ip route replace …`.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn replace_route(&self, at: At<'_>, route: &Route) -> Result<(), NetError>;

    /// `ip route del …`; whether it was there.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn del_route(&self, at: At<'_>, route: &Route) -> Result<bool, NetError>;

    /// `ip route get ADDRESS`: the route that a packet to it would take; `None` when there is none.
    ///
    /// # Errors
    /// When the kernel refuses for another reason.
    fn route_to(&self, at: At<'_>, destination: IpAddr) -> Result<Option<Route>, NetError>;
}
