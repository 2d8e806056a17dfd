//! Routes: `ip route`.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::link::{index, names};
use crate::socket::{Request, Sockets, first_refusal, present};
use crate::{At, Kernel, NetError};

mod message;

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

impl fmt::Display for Route {
    /// As `ip route` takes it, without what hardly anybody sets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dst.fmt(f)?;
        if let Some(gw) = self.gw {
            write!(f, " via {gw}")?;
        }
        if let Some(dev) = &self.dev {
            write!(f, " dev {dev:?}")?;
        }
        if let Some(table) = self.table {
            write!(f, " table {table}")?;
        }
        Ok(())
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

    /// `ip route del …`; whether it was there. What `route` leaves open (gateway, metric, protocol, …) any route has:
    /// the first that fits goes.
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

impl Routes for Kernel {
    fn routes(&self, at: At<'_>) -> Result<Vec<Route>, NetError> {
        let socket = self.route(at)?;
        let replies = socket.dump(&Request::of("list routes", &message::list()))?;
        let found: Vec<_> = replies.iter().flat_map(|body| message::read(body)).collect();
        named(socket, found)
    }

    fn add_routes(&self, at: At<'_>, routes: &[Route]) -> Result<(), NetError> {
        let socket = self.route(at)?;
        let request = |route: &Route| {
            let append = message::append(route, oif(socket, route)?);
            Ok(Request::of(format!("add route {route}"), &append))
        };
        let requests = routes.iter().map(request).collect::<Result<Vec<_>, NetError>>()?;
        first_refusal(socket.batch(&requests)?)
    }

    fn replace_route(&self, at: At<'_>, route: &Route) -> Result<(), NetError> {
        let socket = self.route(at)?;
        let replace = message::replace(route, oif(socket, route)?);
        let request = Request::of(format!("replace route {route}"), &replace);
        socket.ask(&request).map(drop)
    }

    fn del_route(&self, at: At<'_>, route: &Route) -> Result<bool, NetError> {
        let socket = self.route(at)?;
        let ask = |oif| {
            let del = message::del(route, oif);
            socket.ask(&Request::of(format!("delete route {route}"), &del))
        };
        present(oif(socket, route).and_then(ask))
    }

    fn route_to(&self, at: At<'_>, destination: IpAddr) -> Result<Option<Route>, NetError> {
        /// ENETUNREACH and EHOSTUNREACH: there is no route, or one that says so.
        const UNREACHABLE: [i32; 2] = [101, 113];
        let socket = self.route(at)?;
        let what = format!("look up the route to {destination}");
        let replies = match socket.ask(&Request::of(what, &message::lookup(destination))) {
            Err(error) if error.errno().is_some_and(|n| UNREACHABLE.contains(&n)) => return Ok(None),
            replies => replies?,
        };
        let found = replies.iter().find_map(|body| message::read_lookup(body));
        Ok(named(socket, found.into_iter().collect())?.pop())
    }
}

/// The number of the route's interface, where it names one.
fn oif(socket: &Sockets, route: &Route) -> Result<Option<u32>, NetError> {
    route.dev.as_deref().map(|dev| index(socket, dev)).transpose()
}

/// The same with the interfaces' names; none for one that went away in between.
fn named(socket: &Sockets, found: Vec<message::Numbered>) -> Result<Vec<Route>, NetError> {
    let names = names(socket)?;
    let route = |mut found: message::Numbered| {
        found.route.dev = found.oif.and_then(|oif| names.get(&oif).cloned());
        found.route
    };
    Ok(found.into_iter().map(route).collect())
}
