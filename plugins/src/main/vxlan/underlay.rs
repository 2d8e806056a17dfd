//! The network that carries the tunnel: how a node is reached from here, and what MTU that leaves.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cni_core::spec::Error;
use cni_net::route::{Route, TABLE_MAIN};
use cni_net::{At, Links, Mtu, NetError, Routes};

use super::config::Settings;
use super::error::VxlanError;

/// The inner frame's Ethernet header, VXLAN, UDP and outer IPv4, in bytes (RFC 7348, section 5).
const OVERHEAD_V4: u32 = 50;

/// The same over IPv6.
const OVERHEAD_V6: u32 = 70;

/// The MTU of an underlay of which nothing is known.
const ETHERNET: u32 = 1500;

/// What this node's end of a segment has to do with the underlay.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Underlay {
    /// The address that tunnel packets come from; none lets the kernel choose for each.
    pub(super) local: Option<IpAddr>,
    /// The other nodes.
    pub(super) remotes: BTreeSet<IpAddr>,
    routes: Vec<Route>,
}

impl Underlay {
    /// Looks up the way to each of `nodes`. Those that are addresses of this node are left out, so that
    /// one configuration with all nodes in it serves every node; the first of them is where packets come
    /// from, unless `settings` say so; without any it is the source address towards the first other.
    pub(super) fn look_up<N: Routes>(net: &N, settings: &Settings, nodes: &[IpAddr]) -> Result<Self, Error> {
        let (mut own, mut source) = (settings.local, None);
        let (mut remotes, mut routes) = (BTreeSet::new(), Vec::new());
        for &node in nodes {
            let route = net.route_to(At::Host, node)?;
            if route.as_ref().is_some_and(|route| is_local(route, node)) || Some(node) == settings.local {
                own = own.or(Some(node));
                continue;
            }
            remotes.insert(node);
            match route {
                Some(route) => {
                    source = source.or(route.src);
                    routes.push(route);
                }
                None => tracing::warn!(%node, "no route to a peer now"),
            }
        }
        Ok(Self {
            local: own.or(source),
            remotes,
            routes,
        })
    }

    /// What the tunnel leaves of the smallest MTU on the ways to the other nodes; where none is known, of
    /// that of `device`, or of the default route. A number in the configuration stands above all of it.
    pub(super) fn mtu<N: Links + Routes>(&self, net: &N, settings: &Settings) -> Result<Mtu, Error> {
        if let Some(mtu) = settings.mtu {
            return Ok(mtu);
        }
        let mut smallest: Option<u32> = None;
        for route in &self.routes {
            let mtu = mtu_of(net, route)?;
            smallest = smallest.into_iter().chain(mtu).min();
        }
        let outer = match (smallest, &settings.device) {
            (Some(mtu), _) => mtu,
            (None, Some(device)) => {
                let link = net.link(At::Host, device.as_str())?;
                link.ok_or_else(|| VxlanError::NoDevice(device.to_string()))?.mtu
            }
            (None, None) => mtu_of_default(net, settings.over_ipv6())?,
        };
        let overhead = if settings.over_ipv6() {
            OVERHEAD_V6
        } else {
            OVERHEAD_V4
        };
        Ok(Mtu::try_from(outer.saturating_sub(overhead).min(65_535))?)
    }
}

/// For an address of its own the kernel answers with a way through the loopback device, or, for IPv6,
/// through the one that has it, from that very address.
fn is_local(route: &Route, node: IpAddr) -> bool {
    route.dev.as_deref() == Some("lo") || route.src == Some(node)
}

fn mtu_of<N: Links>(net: &N, route: &Route) -> Result<Option<u32>, NetError> {
    let link = match &route.dev {
        Some(dev) => net.link(At::Host, dev)?.map(|link| link.mtu),
        None => None,
    };
    Ok(link.into_iter().chain(route.mtu.filter(|mtu| *mtu != 0)).min())
}

/// Of several default routes the one with the lowest metric counts.
fn mtu_of_default<N: Links + Routes>(net: &N, v6: bool) -> Result<u32, NetError> {
    let routes = net.routes(At::Host)?;
    let main = |route: &&Route| route.table.is_none_or(|table| table == TABLE_MAIN);
    let defaults = routes
        .iter()
        .filter(main)
        .filter(|route| route.dst.prefix_len() == 0);
    let of_family = defaults.filter(|route| route.dst.addr().is_ipv6() == v6);
    let best = of_family.min_by_key(|route| route.priority.unwrap_or(0));
    let mtu = best.map(|route| mtu_of(net, route)).transpose()?.flatten();
    Ok(mtu.unwrap_or(ETHERNET))
}
