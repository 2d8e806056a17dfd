//! A bridge as the gateway of its containers: which addresses it has, and that the host forwards.

use std::net::IpAddr;

use cni_core::spec::{Error, IpConfig, Route, Success, with_causes};
use cni_net::link::{Change, Link};
use cni_net::route::TABLE_MAIN;
use cni_net::{Addr, Addrs, At, Links, NetError, Routes, Sysctl};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{SharedError, wait};

/// What a bridge does when it has another address than it should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "`forceAddress` is on or off")]
pub enum Conflict {
    /// The ADD fails.
    #[default]
    Refuse,
    /// The other address is removed.
    Replace,
}

/// What a bridge is to its containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "`isGateway` and `isDefaultGateway` say no more"
)]
pub enum Role {
    /// Their default gateway.
    DefaultGateway,
    /// A gateway.
    Gateway,
    /// No gateway.
    Switch,
}

impl Role {
    /// What the keys `isGateway` and `isDefaultGateway` make it.
    pub fn new(is_gateway: bool, is_default_gateway: bool) -> Self {
        match (is_gateway, is_default_gateway) {
            (_, true) => Self::DefaultGateway,
            (true, false) => Self::Gateway,
            (false, false) => Self::Switch,
        }
    }
}

/// Completes gateways and default routes of the result; answers which addresses the bridge must have.
///
/// # Errors
/// As [`assign`].
pub fn complete(role: Role, success: &mut Success) -> Result<Vec<IpNet>, SharedError> {
    if role == Role::Switch {
        return Ok(Vec::new());
    }
    let gateways = assign(&mut success.ips)?;
    if role == Role::DefaultGateway {
        add_default_routes(success);
    }
    Ok(gateways)
}

/// Gives each address without a gateway the first address of its subnet as one; answers what the bridge must have.
///
/// # Errors
/// When the subnet has no such address, or the container itself has it.
pub fn assign(ips: &mut [IpConfig]) -> Result<Vec<IpNet>, SharedError> {
    let mut gateways = Vec::new();
    for ip in ips {
        let gateway = gateway_of(ip)?;
        ip.gateway = Some(gateway);
        let net = with_prefix_of(ip.address, gateway)?;
        if !gateways.contains(&net) {
            gateways.push(net);
        }
    }
    Ok(gateways)
}

/// Adds a default route through the first gateway of each family that has none in the main table; one that
/// is there without a next hop gets it.
pub fn add_default_routes(success: &mut Success) {
    for v4 in [true, false] {
        let of_family = |gw: &IpAddr| gw.is_ipv4() == v4;
        let Some(gw) = success.ips.iter().find_map(|ip| ip.gateway.filter(of_family)) else {
            continue;
        };
        let is_default = |route: &&mut Route| {
            let main = route.table.is_none_or(|table| table == 0 || table == TABLE_MAIN);
            route.dst.addr().is_ipv4() == v4 && route.dst.prefix_len() == 0 && main
        };
        match success.routes.iter_mut().find(is_default) {
            Some(route) if route.gw.is_none_or(|gw| gw.is_unspecified()) => route.gw = Some(gw),
            Some(_) => {}
            None => {
                let mut route = Route::new(default_dst(v4));
                route.gw = Some(gw);
                success.routes.push(route);
            }
        }
    }
}

/// Gives the bridge its gateway addresses, and holds its hardware address fixed once it has one.
///
/// Many ADDs do this at once: an address that is there is taken as found. For IPv4 the bridge may have no
/// other address than `gateways`, for IPv6 none that overlaps.
///
/// # Errors
/// [`SharedError::GatewayTaken`] with [`Conflict::Refuse`], or when the kernel refuses.
pub fn ensure_addrs<N: Links + Addrs + Routes + Sysctl>(
    net: &N,
    bridge: &Link,
    gateways: &[IpNet],
    conflict: Conflict,
) -> Result<(), Error> {
    let present = net.addrs(At::Host, &bridge.name)?;
    for &gateway in gateways {
        if present.iter().any(|a| a.address == gateway) {
            continue;
        }
        for other in present.iter().map(|a| a.address) {
            if gateways.contains(&other) || !in_the_way(other, gateway) {
                continue;
            }
            if conflict == Conflict::Refuse {
                let (bridge, present) = (bridge.name.clone(), other);
                return Err(SharedError::GatewayTaken {
                    bridge,
                    gateway,
                    present,
                }
                .into());
            }
            net.del_addr(At::Host, &bridge.name, other)?;
        }
        add_addr(net, bridge, gateway)?;
    }
    Ok(())
}

/// Lets the host forward the families of `gateways`. Values that are right are not written again.
///
/// # Errors
/// When a value cannot be read or written.
pub fn ensure_forwarding<N: Links + Sysctl>(net: &N, gateways: &[IpNet]) -> Result<(), Error> {
    if gateways.iter().any(|gw| gw.addr().is_ipv4()) && net.sysctl(At::Host, IP_FORWARD)? != "1" {
        net.set_sysctls(At::Host, &[(IP_FORWARD.to_owned(), "1".to_owned())])?;
    }
    if gateways.iter().any(|gw| gw.addr().is_ipv6()) && net.sysctl(At::Host, FORWARDING)? != "1" {
        let mut values = still_accepting_ra(net)?;
        values.push((FORWARDING.to_owned(), "1".to_owned()));
        net.set_sysctls(At::Host, &values)?;
    }
    Ok(())
}

const IP_FORWARD: &str = "ipv4/ip_forward";
const FORWARDING: &str = "ipv6/conf/all/forwarding";

/// A host that forwards stops listening to router advertisements, and loses the default route that it has
/// from them, unless `accept_ra` is 2: so each interface that listens now goes on listening.
fn still_accepting_ra<N: Links + Sysctl>(net: &N) -> Result<Vec<(String, String)>, NetError> {
    let keys = net.links(At::Host)?.into_iter().filter(|link| link.name != "lo");
    let mut values = Vec::new();
    for key in keys.map(|link| format!("ipv6/conf/{}/accept_ra", link.name)) {
        match net.sysctl(At::Host, &key) {
            // An interface without IPv6, or gone meanwhile, has no such key.
            Err(error) if error.is_absent() => {}
            value => values.extend((value? == "1").then(|| (key, "2".to_owned()))),
        }
    }
    Ok(values)
}

fn add_addr<N: Links + Addrs + Routes + Sysctl>(net: &N, bridge: &Link, gateway: IpNet) -> Result<(), Error> {
    match net.add_addrs(At::Host, &bridge.name, &[Addr::new(gateway)]) {
        Err(error) if error.is_exists() => return Ok(()),
        outcome => outcome?,
    }
    wait::usable(net, At::Host, &bridge.name, std::iter::once(gateway))?;
    let Some(mac) = bridge.mac else {
        return Ok(());
    };
    if let Err(error) = net.set_sysctls(At::Host, &announcing(&bridge.name, gateway)) {
        tracing::debug!(bridge = bridge.name, error = %with_causes(&error), "announce");
    }
    // A bridge that somebody else made follows the lowest address of its ports until it is given one; and
    // being given one, it announces its addresses.
    let mut pinned = Change::default();
    pinned.mac = Some(mac);
    net.set_link(At::Host, &bridge.name, &pinned)?;
    Ok(())
}

/// The kernel parameter by which an interface announces its addresses of the gateway's family.
fn announcing(bridge: &str, gateway: IpNet) -> [(String, String); 1] {
    let key = match gateway {
        IpNet::V4(_) => format!("ipv4/conf/{bridge}/arp_notify"),
        IpNet::V6(_) => format!("ipv6/conf/{bridge}/ndisc_notify"),
    };
    [(key, "1".to_owned())]
}

fn in_the_way(other: IpNet, gateway: IpNet) -> bool {
    match (other, gateway) {
        (IpNet::V4(_), IpNet::V4(_)) => true,
        (IpNet::V6(_), IpNet::V6(_)) => other.contains(&gateway.addr()) || gateway.contains(&other.addr()),
        _ => false,
    }
}

fn gateway_of(ip: &IpConfig) -> Result<IpAddr, SharedError> {
    let address = ip.address;
    let fail = |problem| Err(SharedError::Gateway { address, problem });
    let gateway = match ip.gateway {
        Some(gateway) => gateway,
        None if address.prefix_len() == address.max_prefix_len() => {
            return fail("a subnet of one address has no room for it");
        }
        None => first_of(address),
    };
    if gateway == address.addr() {
        return fail("the container itself has that address");
    }
    Ok(gateway)
}

/// The address after the network's own.
fn first_of(address: IpNet) -> IpAddr {
    match address.network() {
        IpAddr::V4(network) => IpAddr::from((u32::from(network).saturating_add(1)).to_be_bytes()),
        IpAddr::V6(network) => IpAddr::from((u128::from(network).saturating_add(1)).to_be_bytes()),
    }
}

/// `gateway` with the prefix length of `subject`.
fn with_prefix_of(subject: IpNet, gateway: IpAddr) -> Result<IpNet, SharedError> {
    let net = IpNet::new(gateway, subject.prefix_len()).ok();
    net.filter(|_| gateway.is_ipv4() == subject.addr().is_ipv4())
        .ok_or(SharedError::GatewayFamily { gateway, subject })
}

fn default_dst(v4: bool) -> IpNet {
    if v4 {
        IpNet::V4(Ipv4Net::default())
    } else {
        IpNet::V6(Ipv6Net::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(address: &str, gateway: Option<&str>) -> IpConfig {
        let mut ip = IpConfig::new(address.parse().unwrap());
        ip.gateway = gateway.map(|gw| gw.parse().unwrap());
        ip
    }

    #[track_caller]
    fn gateways(ips: &[(&str, Option<&str>)], expected: Result<&[&str], &str>) {
        let mut ips: Vec<IpConfig> = ips.iter().map(|(address, gw)| ip(address, *gw)).collect();
        match (assign(&mut ips), expected) {
            (Ok(found), Ok(expected)) => {
                let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                assert_eq!(found, expected);
            }
            (Err(error), Err(message)) => assert!(error.to_string().contains(message), "{error}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_gateway_is_given_or_the_first_of_the_subnet() {
        gateways(&[("10.1.2.3/16", None)], Ok(&["10.1.0.1/16"]));
        gateways(&[("fd00::9/64", None)], Ok(&["fd00::1/64"]));
        gateways(&[("10.0.0.9/24", Some("10.0.0.254"))], Ok(&["10.0.0.254/24"]));
        gateways(
            &[("10.0.0.8/24", None), ("10.0.0.9/24", None)],
            Ok(&["10.0.0.1/24"]),
        );
        gateways(&[("10.0.0.0/31", None)], Ok(&["10.0.0.1/31"]));
        gateways(&[("10.0.0.9/32", None)], Err("has no room"));
        gateways(&[("10.0.0.1/24", None)], Err("the container itself"));
        gateways(&[("10.0.0.1/24", Some("fd00::1"))], Err("other address family"));
        gateways(&[("fd00::9/64", Some("10.0.0.1"))], Err("other address family"));
    }

    /// Routes as `dst[ via gw]`, before and after.
    #[track_caller]
    fn routes(ips: &[(&str, Option<&str>)], before: &[(&str, Option<&str>)], after: &[&str]) {
        let mut success = Success::new();
        success.ips = ips.iter().map(|(address, gw)| ip(address, *gw)).collect();
        for (dst, gw) in before {
            let mut route = Route::new(dst.parse().unwrap());
            route.gw = gw.map(|gw| gw.parse().unwrap());
            success.routes.push(route);
        }
        add_default_routes(&mut success);
        let show = |route: &Route| {
            let via = route.gw.map(|gw| format!(" via {gw}")).unwrap_or_default();
            format!("{}{via}", route.dst)
        };
        let found: Vec<String> = success.routes.iter().map(show).collect();
        assert_eq!(found, after);
    }

    #[test]
    fn each_family_has_one_default_route() {
        let dual = [("10.0.0.2/24", Some("10.0.0.1")), ("fd00::2/64", Some("fd00::1"))];
        routes(&dual, &[], &["0.0.0.0/0 via 10.0.0.1", "::/0 via fd00::1"]);
        routes(&dual[..1], &[("0.0.0.0/0", None)], &["0.0.0.0/0 via 10.0.0.1"]);
        routes(
            &dual[..1],
            &[("0.0.0.0/0", Some("10.0.0.9"))],
            &["0.0.0.0/0 via 10.0.0.9"],
        );
        routes(&[("10.0.0.2/24", None)], &[], &[]);
    }

    #[test]
    fn a_default_route_of_another_table_does_not_count() {
        let mut success = Success::new();
        success.ips = vec![ip("10.0.0.2/24", Some("10.0.0.1"))];
        let mut other = Route::new("0.0.0.0/0".parse().unwrap());
        other.table = Some(100);
        success.routes = vec![other];
        add_default_routes(&mut success);
        assert_eq!(success.routes.len(), 2);
    }
}
