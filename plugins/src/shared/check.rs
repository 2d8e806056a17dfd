//! CHECK: what there is, compared with the result of ADD.
//!
//! Plugins later in the chain may have changed things: another default route, routes in another table.
//! What they may not change must be there.

use std::collections::BTreeSet;

use cni_core::spec::{Error, IfName, Interface, IpConfig, Mac, NetnsPath, Route, Success};
use cni_net::link::Link;
use cni_net::route::{self, TABLE_MAIN};
use cni_net::{Addrs, At, Links, Netns, Routes};
use ipnet::IpNet;

use super::SharedError;

/// The result of ADD, which CHECK cannot do without.
///
/// # Errors
/// [`SharedError::NoPrev`].
pub fn prev(prev: Option<&Success>) -> Result<&Success, SharedError> {
    prev.ok_or(SharedError::NoPrev)
}

/// The container's interface in `result`, and its index there.
///
/// # Errors
/// [`SharedError::Differs`] when there is none, or it is in another namespace.
pub fn container<'r>(
    result: &'r Success,
    ifname: &IfName,
    netns: &NetnsPath,
) -> Result<(i64, &'r Interface), SharedError> {
    let named = |(_, i): &(usize, &Interface)| i.name == ifname.as_str() && !i.sandbox.is_empty();
    let Some((index, interface)) = result.interfaces.iter().enumerate().find(named) else {
        return Err(differs(
            format!("interface {:?}", ifname.as_str()),
            "is not in the result of ADD",
        ));
    };
    if interface.sandbox != netns.to_string() {
        let problem = format!("was attached in {:?}, not in \"{netns}\"", interface.sandbox);
        return Err(differs(format!("interface {:?}", ifname.as_str()), problem));
    }
    Ok((i64::try_from(index).unwrap_or(i64::MAX), interface))
}

/// The link that `expected` tells of; its hardware address must be the same.
///
/// # Errors
/// [`SharedError::Differs`] when it is not there or has another address; else when the kernel refuses.
pub fn link<N: Links>(net: &N, at: At<'_>, expected: &Interface) -> Result<Link, Error> {
    let subject = || format!("interface {:?}", expected.name);
    let Some(link) = net.link(at, &expected.name)? else {
        return Err(differs(subject(), "is missing").into());
    };
    if !same_mac(&link, expected) {
        let mac = link.mac.map(|mac| mac.to_string()).unwrap_or_default();
        let problem = format!("has address {mac}, not {}", expected.mac);
        return Err(differs(subject(), problem).into());
    }
    Ok(link)
}

/// Whether the hardware address of `link` is the one of `expected`, in whatever case and with whatever
/// separators it was written; an interface without one matches any.
pub fn same_mac(link: &Link, expected: &Interface) -> bool {
    expected.mac.is_empty() || expected.mac.parse::<Mac>().ok() == link.mac
}

/// That `condition` holds for `subject`.
///
/// # Errors
/// [`SharedError::Differs`] with `problem`.
pub fn ensure(condition: bool, subject: &str, problem: &str) -> Result<(), SharedError> {
    if condition {
        Ok(())
    } else {
        Err(differs(subject, problem))
    }
}

/// That the container's interface, number `index` of `result`, has its addresses, and that the routes are there.
///
/// # Errors
/// [`SharedError::Differs`] for the first that is missing; else when the kernel refuses.
pub fn addresses_and_routes<N: Addrs + Routes>(
    net: &N,
    netns: &Netns,
    ifname: &IfName,
    result: &Success,
    index: i64,
) -> Result<(), Error> {
    let mine: Vec<&IpConfig> = result
        .ips
        .iter()
        .filter(|ip| ip.interface == Some(index))
        .collect();
    if mine.is_empty() && result.routes.is_empty() {
        return Ok(());
    }
    let at = At::Netns(netns);
    let addrs = net.addrs(at, ifname.as_str())?;
    let addrs: BTreeSet<IpNet> = addrs.iter().map(|addr| addr.address).collect();
    let routes = net.routes(at)?;
    let subnets: BTreeSet<IpNet> = routes.iter().map(|route| route.dst).collect();
    for ip in mine {
        let subject = format!("address {}", ip.address);
        ensure(addrs.contains(&ip.address), &subject, "is missing")?;
        let is_host = ip.address.prefix_len() == ip.address.max_prefix_len();
        let connected = is_host || subnets.contains(&ip.address.trunc());
        ensure(connected, &subject, "has no route to its subnet")?;
    }
    for wanted in &result.routes {
        let found = routes.iter().any(|there| is_route(wanted, there));
        ensure(found, &format!("route to {}", wanted.dst), "is missing")?;
    }
    Ok(())
}

/// Whether `there` is the route that ADD told of. A default route of any next hop will do, since a pod's
/// default network may change; and one of no named table may have been moved to another.
fn is_route(wanted: &Route, there: &route::Route) -> bool {
    let table = there.table.unwrap_or(TABLE_MAIN);
    let same_table = wanted.table.is_none_or(|wanted| wanted == 0 || wanted == table);
    let gw = wanted
        .gw
        .filter(|gw| !gw.is_unspecified() && wanted.dst.prefix_len() != 0);
    there.dst == wanted.dst.trunc() && same_table && (gw.is_none() || gw == there.gw)
}

fn differs(subject: impl Into<String>, problem: impl Into<String>) -> SharedError {
    SharedError::Differs {
        subject: subject.into(),
        problem: problem.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wanted and a present route as (destination, gateway, table).
    type Text<'a> = (&'a str, Option<&'a str>, Option<u32>);

    #[track_caller]
    fn matches(wanted: Text<'_>, there: Text<'_>, expected: bool) {
        let mut want = Route::new(wanted.0.parse().unwrap());
        (want.gw, want.table) = (wanted.1.map(|gw| gw.parse().unwrap()), wanted.2);
        let mut have = route::Route::new(there.0.parse().unwrap());
        (have.gw, have.table) = (there.1.map(|gw| gw.parse().unwrap()), there.2);
        assert_eq!(is_route(&want, &have), expected, "{wanted:?} {there:?}");
    }

    #[test]
    fn routes_are_compared_by_destination_table_and_next_hop() {
        let net = "10.1.0.0/16";
        matches((net, None, None), (net, Some("10.0.0.1"), None), true);
        matches((net, Some("10.0.0.1"), None), (net, Some("10.0.0.1"), None), true);
        matches(
            (net, Some("10.0.0.1"), None),
            (net, Some("10.0.0.2"), None),
            false,
        );
        matches((net, None, Some(100)), (net, None, Some(100)), true);
        matches((net, None, Some(100)), (net, None, None), false);
        matches((net, None, Some(254)), (net, None, None), true);
        matches((net, None, None), (net, None, Some(100)), true);
        matches((net, None, None), ("10.2.0.0/16", None, None), false);
    }

    #[test]
    fn any_default_route_of_the_family_will_do() {
        matches(
            ("0.0.0.0/0", Some("10.0.0.1"), None),
            ("0.0.0.0/0", Some("10.9.0.1"), None),
            true,
        );
        matches(("::/0", None, None), ("0.0.0.0/0", None, None), false);
    }
}
