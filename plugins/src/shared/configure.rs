//! Gives a container's interface what a result says: addresses, routes, link state.
//!
//! All of it is checked before anything is touched. Differences from the reference: `mtu` and `advmss` of
//! routes reach the kernel; an address is usable at once, without duplicate-address detection, unless that
//! is asked for; a route of link or host scope gets no gateway; other hosts are told where the addresses
//! are once the link carries traffic; and on an address without a subnet (/32, /128) the gateway is taken to be on the link.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cni_core::spec::{Error, IfName, Mac, Success, with_causes};
use cni_net::link::Change;
use cni_net::route::Route;
use cni_net::{Addr, Addrs, Announce, At, Links, Netns, Routes, Sysctl};
use ipnet::IpNet;

use super::{SharedError, wait};

/// Duplicate-address detection (RFC 4862, section 5.4) of the container's IPv6 addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it runs or it does not")]
pub enum Dad {
    /// It runs, and is waited for.
    Detect,
    /// Addresses are usable at once.
    #[default]
    Skip,
}

/// What a plugin asks for besides the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plugins write it as a literal; a new field concerns each"
)]
pub struct Options {
    /// Duplicate-address detection.
    pub dad: Dad,
}

/// What is to be done to one interface; checked.
#[derive(Clone, Debug)]
pub struct Plan {
    ifname: IfName,
    addrs: Vec<Addr>,
    routes: Vec<Route>,
    options: Options,
}

impl Plan {
    /// What `result` says of its interface `index`, which is `ifname` in the container.
    ///
    /// # Errors
    /// When an address or a route cannot be meant so.
    pub fn new(ifname: &IfName, result: &Success, index: i64, options: Options) -> Result<Self, SharedError> {
        let mut plan = Self {
            ifname: ifname.clone(),
            addrs: Vec::new(),
            routes: Vec::new(),
            options,
        };
        let mut hosts = BTreeSet::new();
        for ip in &result.ips {
            match ip.interface {
                None => continue,
                Some(of) if of == index => plan.push_addr(ip.address, &mut hosts)?,
                Some(of) => return Err(plan.bad_index(ip.address, of)),
            }
            same_family(ip.gateway, ip.address)?;
        }
        for route in &result.routes {
            plan.routes.push(plan.route(route, result)?);
        }
        Ok(plan)
    }

    /// Carries it out; afterwards the interface is up, and its addresses receive.
    ///
    /// # Errors
    /// When the kernel refuses, or somebody else on the link has an address.
    pub fn apply<N: Links + Addrs + Routes + Sysctl>(&self, net: &N, netns: &Netns) -> Result<(), Error> {
        let (at, ifname) = (At::Netns(netns), self.ifname.as_str());
        self.set_sysctls(net, at)?;
        if !self.addrs.is_empty() {
            net.add_addrs(at, ifname, &self.addrs)?;
        }
        net.set_link(at, ifname, &Change::up())?;
        if self.options.dad == Dad::Detect {
            wait::settled(net, at, ifname)?;
        }
        if !self.routes.is_empty() {
            net.add_routes(at, &self.routes)?;
        }
        wait::usable(net, at, ifname, self.addrs.iter().map(|a| a.address))
    }

    /// Tells the others on the link where the addresses are now.
    ///
    /// To be called when the link carries traffic; what the kernel sends by itself when the link goes up is
    /// lost where a bridge's port is not forwarding yet. A lost announcement costs the others seconds, not
    /// the attachment, so a failure is only logged.
    pub fn announce<N: Announce>(&self, net: &N, netns: &Netns, mac: Option<Mac>) {
        let Some(mac) = mac.filter(|_| !self.addrs.is_empty()) else {
            return;
        };
        let (at, ifname) = (At::Netns(netns), self.ifname.as_str());
        let announced = wait::carrier(net, at, ifname).and_then(|()| net.announce(at, ifname, mac));
        if let Err(error) = announced {
            tracing::debug!(ifname, error = %with_causes(&error), "announce");
        }
    }

    /// Adds an address, unless it is among `hosts`, where it goes.
    fn push_addr(&mut self, address: IpNet, hosts: &mut BTreeSet<IpAddr>) -> Result<(), SharedError> {
        let ifname = || self.ifname.to_string();
        let host = address.addr();
        if host.is_unspecified() || host.is_multicast() {
            let ifname = ifname();
            return Err(SharedError::AddressKind { ifname, address });
        }
        if !hosts.insert(host) {
            let ifname = ifname();
            return Err(SharedError::AddressTwice { ifname, address });
        }
        let mut addr = Addr::new(address);
        addr.nodad = self.options.dad == Dad::Skip;
        self.addrs.push(addr);
        Ok(())
    }

    fn bad_index(&self, address: IpNet, index: i64) -> SharedError {
        let ifname = self.ifname.to_string();
        SharedError::Index {
            ifname,
            address,
            index,
        }
    }

    /// The kernel's route for a result's.
    fn route(&self, wanted: &cni_core::spec::Route, result: &Success) -> Result<Route, SharedError> {
        same_family(wanted.gw, wanted.dst)?;
        let mut route = Route::new(wanted.dst.trunc());
        route.dev = Some(self.ifname.to_string());
        route.gw = gateway(wanted, result);
        route.onlink = route.gw.is_some_and(|gw| self.beyond_host_prefix(gw));
        route.table = wanted.table;
        route.priority = wanted.priority;
        route.scope = wanted.scope;
        route.mtu = wanted.mtu.filter(|&mtu| mtu != 0);
        route.advmss = wanted.advmss.filter(|&mss| mss != 0);
        Ok(route)
    }

    /// Whether all addresses of the gateway's family have no subnet that it could be in.
    fn beyond_host_prefix(&self, gw: IpAddr) -> bool {
        let mut family = self
            .addrs
            .iter()
            .filter(|a| a.address.addr().is_ipv4() == gw.is_ipv4())
            .peekable();
        family.peek().is_some() && family.all(|a| a.address.prefix_len() == a.address.max_prefix_len())
    }

    fn set_sysctls<N: Sysctl>(&self, net: &N, at: At<'_>) -> Result<(), Error> {
        let ifname = &self.ifname;
        let set = |key: String, value: &str| (key, value.to_owned());
        let v6 = |key: &str, value| set(format!("ipv6/conf/{ifname}/{key}"), value);
        let has_v6 = self.addrs.iter().any(|a| a.address.addr().is_ipv6());
        let mut needed = Vec::new();
        if has_v6 {
            needed.push(set("ipv6/conf/lo/disable_ipv6".to_owned(), "0"));
            needed.push(v6("disable_ipv6", "0"));
            needed.push(v6("keep_addr_on_down", "1"));
        }
        // Without these the attachment works; the kernel may have no IPv6, or /proc/sys be read-only.
        let mut wishes = vec![set(format!("ipv4/conf/{ifname}/arp_notify"), "1")];
        match self.options.dad {
            Dad::Detect if has_v6 => needed.extend([v6("enhanced_dad", "1"), v6("accept_dad", "1")]),
            Dad::Detect => wishes.extend([v6("enhanced_dad", "1"), v6("accept_dad", "1")]),
            Dad::Skip => wishes.push(v6("accept_dad", "0")),
        }
        if has_v6 {
            wishes.push(v6("ndisc_notify", "1"));
        }
        let all: Vec<_> = needed.iter().chain(&wishes).cloned().collect();
        let Err(error) = net.set_sysctls(at, &all) else {
            return Ok(());
        };
        tracing::debug!(%ifname, error = %with_causes(&error), "set kernel parameters");
        Ok(net.set_sysctls(at, &needed)?)
    }
}

/// The next hop of a route: its own, else the first gateway of its family, but for link and host scope.
fn gateway(route: &cni_core::spec::Route, result: &Success) -> Option<IpAddr> {
    /// `RT_SCOPE_LINK`; greater is nearer.
    const LINK_SCOPE: u8 = 253;
    match route.gw {
        // DHCP says so that there is none.
        Some(gw) if gw.is_unspecified() => None,
        Some(gw) => Some(gw),
        None if route.scope.is_some_and(|scope| scope >= LINK_SCOPE) => None,
        None => {
            let of_family = |gw: &IpAddr| gw.is_ipv4() == route.dst.addr().is_ipv4();
            let mut gateways = result.ips.iter().filter(|ip| ip.interface.is_some());
            gateways.find_map(|ip| ip.gateway.filter(of_family))
        }
    }
}

fn same_family(gateway: Option<IpAddr>, subject: IpNet) -> Result<(), SharedError> {
    match gateway {
        Some(gateway) if gateway.is_ipv4() != subject.addr().is_ipv4() => {
            Err(SharedError::GatewayFamily { gateway, subject })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
