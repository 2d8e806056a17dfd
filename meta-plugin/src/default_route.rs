//! The pod's default route, when one of its networks was asked to own it (`default-route`).
//!
//! The owner's default routes stay or are made as requested; those of the pod's other networks go, in the
//! families that the request is about and in the main table only. A family that it is not about is left
//! alone. What is taken away is in the journal first.

use std::net::IpAddr;

use cni_core::spec::{Code, Error, IfName, Success};
use cni_net::route::{PROTOCOL, Route, TABLE_MAIN};
use ipnet::IpNet;

use crate::journal::{RouteChange, RouteRecord};

/// An attachment that may own the default route.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// Its number.
    pub(crate) at: u32,
    /// Its interface in the container.
    pub(crate) ifname: &'a IfName,
    /// The gateways that were asked for, the preferred one first; with none, those of its own result.
    pub(crate) gateways: &'a [IpAddr],
    /// What its ADD answered.
    pub(crate) result: &'a Success,
}

/// What has to change in the container for `owner` to own the default route. `pod` are the interfaces that
/// the pod's networks made; routes of others are not touched. `None` when all is as it should be.
///
/// # Errors
/// Code 7 when no gateway was asked for and the owner's network has none.
pub(crate) fn change(owner: Owner<'_>, pod: &[&str], there: &[Route]) -> Result<Option<RouteChange>, Error> {
    let defaults: Vec<&Route> = there.iter().filter(|route| is_default(route)).collect();
    let own = |route: &&Route| route.dev.as_deref() == Some(owner.ifname.as_str());
    let wanted = wanted(&owner, defaults.iter().copied().filter(own))?;
    let in_family = |route: &Route| wanted.iter().any(|w| is_v6(w.dst) == is_v6(route.dst));
    let of_pod = |route: &Route| route.dev.as_deref().is_some_and(|dev| pod.contains(&dev));
    let kept = |route: &Route| wanted.iter().any(|w| same(w, route));
    let removed = defaults.iter().filter(|r| in_family(r) && of_pod(r) && !kept(r));
    let added = wanted.iter().filter(|w| !defaults.iter().any(|r| same(w, r)));
    let change = RouteChange {
        at: owner.at,
        removed: removed.map(|route| RouteRecord::from(*route)).collect(),
        added: added.map(RouteRecord::from).collect(),
    };
    let nothing = change.removed.is_empty() && change.added.is_empty();
    Ok((!nothing).then_some(change))
}

/// `result` of the network with the interface `ifname`, as it is after `change`.
pub(crate) fn in_result(mut result: Success, ifname: &IfName, change: &RouteChange) -> Success {
    let on_it = |route: &&RouteRecord| route.dev.as_deref() == Some(ifname.as_str());
    for gone in change.removed.iter().filter(on_it) {
        let differs = |route: &cni_core::spec::Route| {
            let in_main = route.table.is_none_or(|table| table == TABLE_MAIN);
            let same_gateway = route.gw.is_none() || gone.gw.is_none() || route.gw == gone.gw;
            !(in_main && route.dst.prefix_len() == 0 && is_v6(route.dst) == is_v6(gone.dst) && same_gateway)
        };
        result.routes.retain(differs);
    }
    for new in change.added.iter().filter(on_it) {
        let mut route = cni_core::spec::Route::new(new.dst);
        route.gw = new.gw;
        route.priority = new.priority;
        result.routes.push(route);
    }
    result
}

/// The default routes that the owner is to have.
fn wanted<'a>(owner: &Owner<'_>, own: impl Iterator<Item = &'a Route>) -> Result<Vec<Route>, Error> {
    if !owner.gateways.is_empty() {
        return Ok(requested(owner));
    }
    let mut wanted: Vec<Route> = own.cloned().collect();
    for gateway in owner.result.ips.iter().filter_map(|ip| ip.gateway) {
        if !wanted.iter().any(|route| is_v6(route.dst) == gateway.is_ipv6()) {
            wanted.push(through(gateway, owner.ifname, 0));
        }
    }
    if wanted.is_empty() {
        let msg = format!(
            "set the default route to {:?}: its network has no gateway",
            owner.ifname.as_str()
        );
        return Err(Error::new(Code::INVALID_CONFIG, msg));
    }
    Ok(wanted)
}

/// A route through each gateway; within a family each one is less preferred than the one before it.
fn requested(owner: &Owner<'_>) -> Vec<Route> {
    let rank = |at: usize, gateway: &IpAddr| {
        let before = owner.gateways.iter().take(at);
        before
            .filter(|other| other.is_ipv6() == gateway.is_ipv6())
            .count() as u32
    };
    let numbered = owner.gateways.iter().enumerate();
    numbered
        .map(|(at, gateway)| through(*gateway, owner.ifname, rank(at, gateway)))
        .collect()
}

fn through(gateway: IpAddr, ifname: &IfName, rank: u32) -> Route {
    let everything = match gateway {
        IpAddr::V4(_) => IpNet::from(ipnet::Ipv4Net::default()),
        IpAddr::V6(_) => IpNet::from(ipnet::Ipv6Net::default()),
    };
    let mut route = Route::new(everything);
    route.gw = Some(gateway);
    route.dev = Some(ifname.as_str().to_owned());
    route.protocol = Some(PROTOCOL);
    route.priority = (rank > 0).then(|| usual_priority(everything) + rank);
    route
}

fn is_default(route: &Route) -> bool {
    route.dst.prefix_len() == 0 && route.table.is_none_or(|table| table == TABLE_MAIN)
}

/// Whether two default routes lead the same way with the same preference.
fn same(one: &Route, other: &Route) -> bool {
    let key = |route: &Route| {
        let priority = route.priority.unwrap_or(usual_priority(route.dst));
        (is_v6(route.dst), route.gw, route.dev.clone(), priority)
    };
    key(one) == key(other)
}

/// The metric that the kernel gives when none is asked for.
fn usual_priority(dst: IpNet) -> u32 {
    if is_v6(dst) { 1024 } else { 0 }
}

/// Whether it is IPv6.
fn is_v6(net: IpNet) -> bool {
    net.addr().is_ipv6()
}

#[cfg(test)]
mod tests;
