//! [`Routes`] of the fake.

use std::net::IpAddr;

use ipnet::IpNet;
use rustix::io::Errno;

use super::world::Space;
use super::{FakeNet, refused, refused_because};
use crate::route::{Route, Routes, TABLE_MAIN};
use crate::{At, NetError};

/// `RT_TABLE_LOCAL`.
const TABLE_LOCAL: u32 = 255;
/// `RTPROT_KERNEL` and `RTPROT_BOOT`.
const KERNEL: u8 = 2;
const BOOT: u8 = 3;
/// `RT_SCOPE_LINK`.
const SCOPE_LINK: u8 = 253;
/// The metric of IPv6 routes to subnets, and of those that name none.
const METRIC_SUBNET: u32 = 256;
const METRIC: u32 = 1024;

/// A route, and the number of its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) route: Route,
    pub(super) oif: u32,
}

impl Routes for FakeNet {
    fn routes(&self, at: At<'_>) -> Result<Vec<Route>, NetError> {
        let (world, space) = self.at(at)?;
        let space = world.space(space)?;
        Ok(space.routes.iter().map(|entry| space.named(entry)).collect())
    }

    fn add_routes(&self, at: At<'_>, routes: &[Route]) -> Result<(), NetError> {
        let (mut world, space) = self.at(at)?;
        let space = world.space_mut(space)?;
        for dev in routes.iter().filter_map(|route| route.dev.as_deref()) {
            space.expect(dev)?;
        }
        // The kernel goes on after one that it refused.
        let outcomes: Vec<_> = routes.iter().map(|route| append(space, route)).collect();
        outcomes.into_iter().collect()
    }

    fn replace_route(&self, at: At<'_>, route: &Route) -> Result<(), NetError> {
        let (mut world, space) = self.at(at)?;
        let space = world.space_mut(space)?;
        let new = space.entry(route, &format!("replace route {route}"))?;
        let same = |old: &Entry| key(old) == key(&new);
        match space.routes.iter().position(same) {
            Some(at) => space.routes[at] = new,
            None => space.routes.push(new),
        }
        Ok(())
    }

    fn del_route(&self, at: At<'_>, route: &Route) -> Result<bool, NetError> {
        let (mut world, space) = self.at(at)?;
        let space = world.space_mut(space)?;
        let oif = match route.dev.as_deref().map(|dev| space.index(dev)) {
            Some(None) => return Ok(false),
            oif => oif.flatten(),
        };
        let at = space.routes.iter().position(|entry| fits(entry, route, oif));
        if let Some(at) = at {
            space.routes.remove(at);
        }
        Ok(at.is_some())
    }

    fn route_to(&self, at: At<'_>, destination: IpAddr) -> Result<Option<Route>, NetError> {
        let (world, space) = self.at(at)?;
        let space = world.space(space)?;
        Ok(space.local(destination).or_else(|| space.best(destination)))
    }
}

fn append(space: &mut Space, route: &Route) -> Result<(), NetError> {
    let what = format!("add route {route}");
    let new = space.entry(route, &what)?;
    let v6 = new.route.dst.addr().is_ipv6();
    let same = |old: &Entry| match v6 {
        true => key(old) == key(&new) && (old.route.gw, old.oif) == (new.route.gw, new.oif),
        false => *old == new,
    };
    if space.routes.iter().any(same) {
        return Err(refused(what, Errno::EXIST));
    }
    space.routes.push(new);
    Ok(())
}

/// What makes two routes alternatives to each other.
fn key(entry: &Entry) -> (IpNet, Option<u32>, Option<u32>) {
    (entry.route.dst, entry.route.table, entry.route.priority)
}

/// Whether a deletion of `route` means `entry`: what it leaves out may be anything.
fn fits(entry: &Entry, route: &Route, oif: Option<u32>) -> bool {
    let there = &entry.route;
    let any = |wanted: Option<u32>, there: Option<u32>| wanted.is_none() || wanted == there;
    let v6 = route.dst.addr().is_ipv6();
    there.dst == route.dst.trunc()
        && there.table == Some(route.table.unwrap_or(TABLE_MAIN))
        && (route.gw.is_none() || route.gw == there.gw)
        && oif.is_none_or(|oif| oif == entry.oif)
        && any(route.priority, there.priority)
        && (v6 || any(route.scope.map(u32::from), there.scope.map(u32::from)))
        && any(route.protocol.map(u32::from), there.protocol.map(u32::from))
        && (route.src.is_none() || route.src == there.src)
}

impl Space {
    fn named(&self, entry: &Entry) -> Route {
        let mut route = entry.route.clone();
        route.dev = self.links.get(&entry.oif).map(|iface| iface.link.name.clone());
        route
    }

    /// What the kernel makes of `route`, which `what` attempts.
    fn entry(&self, route: &Route, what: &str) -> Result<Entry, NetError> {
        let v6 = route.dst.addr().is_ipv6();
        let dev = route.dev.as_deref().map(|dev| self.expect(dev)).transpose()?;
        let is_up = |index: &u32| self.links.get(index).is_some_and(|iface| iface.link.up);
        if dev.is_some_and(|index| !is_up(&index)) {
            return Err(refused(what, Errno::NETDOWN));
        }
        let oif = match route.gw {
            Some(gw) if v6 && self.owner(gw).is_some() => return Err(refused(what, Errno::INVAL)),
            Some(gw) if !route.onlink => Some(self.neighbouring(gw, dev).ok_or_else(|| {
                let errno = if v6 { Errno::HOSTUNREACH } else { Errno::NETUNREACH };
                refused_because(what, errno, "Nexthop has invalid gateway")
            })?),
            _ => dev,
        };
        if route.src.is_some_and(|src| self.owner(src).is_none()) {
            return Err(refused(what, Errno::INVAL));
        }
        let near = if route.gw.is_none() { SCOPE_LINK } else { 0 };
        let mut made = route.clone();
        made.dst = route.dst.trunc();
        made.dev = None;
        made.table = Some(route.table.unwrap_or(TABLE_MAIN));
        made.protocol = Some(route.protocol.unwrap_or(BOOT));
        made.scope = Some(if v6 { 0 } else { route.scope.unwrap_or(near) });
        made.priority = match route.priority.filter(|priority| *priority != 0) {
            None if v6 => Some(METRIC),
            priority => priority,
        };
        let oif = oif.ok_or_else(|| refused(what, Errno::NODEV))?;
        Ok(Entry { route: made, oif })
    }

    /// The interface that has `gw` on its link.
    fn neighbouring(&self, gw: IpAddr, dev: Option<u32>) -> Option<u32> {
        let near = |entry: &&Entry| {
            let route = &entry.route;
            let main = route.table == Some(TABLE_MAIN);
            main && route.gw.is_none() && route.dst.contains(&gw) && dev.is_none_or(|dev| dev == entry.oif)
        };
        let ways = self.routes.iter().filter(near);
        ways.max_by_key(|entry| entry.route.dst.prefix_len())
            .map(|entry| entry.oif)
    }

    /// The kernel's own route to an address of this namespace. For IPv4 it does not say which table that is in.
    fn local(&self, destination: IpAddr) -> Option<Route> {
        let owner = self.owner(destination)?;
        if destination.is_ipv6() && !owner.link.up {
            return None;
        }
        let mut route = Route::new(destination.into());
        let dev = if destination.is_ipv4() {
            "lo"
        } else {
            &*owner.link.name
        };
        (route.dev, route.src) = (Some(dev.to_owned()), Some(destination));
        let table = if destination.is_ipv4() {
            TABLE_MAIN
        } else {
            TABLE_LOCAL
        };
        route.table = Some(table);
        Some(route)
    }

    /// The route of the main table that a packet would take.
    fn best(&self, destination: IpAddr) -> Option<Route> {
        let leads =
            |entry: &&Entry| entry.route.table == Some(TABLE_MAIN) && entry.route.dst.contains(&destination);
        let rank = |entry: &&Entry| {
            let nearness = 128 - entry.route.dst.prefix_len();
            (nearness, entry.route.priority.unwrap_or(0))
        };
        let entry = self.routes.iter().filter(leads).min_by_key(rank)?;
        let mut route = self.named(entry);
        let hop = route.gw.unwrap_or(destination);
        let nets = self.nets(entry.oif);
        let mut mine = nets.iter().filter(|net| net.addr().is_ipv4() == hop.is_ipv4());
        let source = nets.iter().find(|net| net.contains(&hop)).or_else(|| mine.next());
        route.src = route.src.or(source.map(IpNet::addr));
        route.dst = destination.into();
        Some(route)
    }

    /// The route to the subnet of an address that `index` has, which is up.
    pub(super) fn connect(&mut self, index: u32, address: IpNet) {
        let is_lo = self
            .links
            .get(&index)
            .is_some_and(|iface| iface.link.name == "lo");
        let alone = address.addr().is_ipv4() && address.prefix_len() == 32;
        if alone || (is_lo && address.addr().is_ipv4()) {
            return;
        }
        let mut route = Route::new(address.trunc());
        (route.table, route.protocol) = (Some(TABLE_MAIN), Some(KERNEL));
        match address {
            IpNet::V4(_) => (route.scope, route.src) = (Some(SCOPE_LINK), Some(address.addr())),
            IpNet::V6(_) => (route.scope, route.priority) = (Some(0), Some(METRIC_SUBNET)),
        }
        let entry = Entry { route, oif: index };
        if !self.routes.contains(&entry) {
            self.routes.push(entry);
        }
    }

    /// Takes away what was there for the sake of an address that `index` had.
    pub(super) fn disconnect(&mut self, index: u32, address: IpNet) {
        let nets = self.nets(index);
        let shared = address.addr().is_ipv6() && nets.iter().any(|net| net.trunc() == address.trunc());
        let elsewhere = self.owner(address.addr()).is_some();
        self.routes.retain(|Entry { route, oif }| {
            let subnet = *oif == index && route.protocol == Some(KERNEL) && route.dst == address.trunc();
            let from = route.src.is_none_or(|src| src == address.addr());
            let of_it = route.src == Some(address.addr()) && !elsewhere;
            !(subnet && from && !shared || of_it)
        });
    }
}
