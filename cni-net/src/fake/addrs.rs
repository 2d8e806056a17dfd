//! [`Addrs`] of the fake.

use ipnet::IpNet;
use rustix::io::Errno;

use super::world::Space;
use super::{FakeNet, not_found, refused};
use crate::{Addr, Addrs, At, NetError};

impl Addrs for FakeNet {
    fn addrs(&self, at: At<'_>, link: &str) -> Result<Vec<Addr>, NetError> {
        let (world, space) = self.at(at)?;
        let mut addrs = world.space(space)?.iface(link)?.addrs.clone();
        addrs.sort_by_key(|addr| addr.address.addr().is_ipv6());
        Ok(addrs)
    }

    fn add_addrs(&self, at: At<'_>, link: &str, addrs: &[Addr]) -> Result<(), NetError> {
        let (mut world, space) = self.at(at)?;
        let space = world.space_mut(space)?;
        space.expect(link)?;
        // The kernel goes on after one that it refused.
        let outcomes: Vec<_> = addrs.iter().map(|addr| add(space, link, *addr)).collect();
        outcomes.into_iter().collect()
    }

    fn del_addr(&self, at: At<'_>, link: &str, address: IpNet) -> Result<bool, NetError> {
        let (mut world, space) = self.at(at)?;
        let space = world.space_mut(space)?;
        let Some(index) = space.index(link) else {
            return Ok(false);
        };
        let addrs = &mut space.iface_mut(link)?.addrs;
        let before = addrs.len();
        addrs.retain(|addr| addr.address != address);
        let found = addrs.len() < before;
        if found {
            space.disconnect(index, address);
        }
        Ok(found)
    }
}

fn add(space: &mut Space, link: &str, mut addr: Addr) -> Result<(), NetError> {
    let what = || format!("add address {} to {link:?}", addr.address);
    let v6 = addr.address.addr().is_ipv6();
    if v6 && space.parameter(&format!("ipv6/conf/{link}/disable_ipv6")) != Some("0") {
        return Err(refused(what(), Errno::ACCESS));
    }
    let index = space.expect(link)?;
    let iface = space.links.get_mut(&index).ok_or_else(|| not_found(link))?;
    // IPv4 has one address several times, with other prefixes.
    let same = |there: &Addr| match v6 {
        true => there.address.addr() == addr.address.addr(),
        false => there.address == addr.address,
    };
    if iface.addrs.iter().any(same) {
        return Err(refused(what(), Errno::EXIST));
    }
    addr.nodad = v6 && addr.nodad;
    addr.tentative = v6 && !addr.nodad && !iface.link.up;
    addr.dad_failed = false;
    let up = iface.link.up;
    // The kernel lists IPv6 addresses newest first.
    let at = if v6 { 0 } else { iface.addrs.len() };
    iface.addrs.insert(at, addr);
    if up {
        space.connect(index, addr.address);
    }
    Ok(())
}

impl Space {
    /// What the kernel does for a link that comes up: the way to its subnets, and loopback's addresses.
    pub(super) fn went_up(&mut self, index: u32) {
        let Some(iface) = self.links.get_mut(&index) else {
            return;
        };
        if iface.link.name == "lo" {
            let own = ["127.0.0.1/8", "::1/128"]
                .iter()
                .filter_map(|text| text.parse().ok());
            for address in own {
                let addr = Addr {
                    nodad: false,
                    ..Addr::new(address)
                };
                if !iface.addrs.iter().any(|there| there.address == address) {
                    iface.addrs.push(addr);
                }
            }
        }
        for addr in &mut iface.addrs {
            addr.tentative = false;
        }
        for address in self.nets(index) {
            self.connect(index, address);
        }
    }

    /// What goes when a link goes down: its routes, neighbours, and IPv6 addresses unless they are to be kept.
    pub(super) fn went_down(&mut self, index: u32) {
        self.routes.retain(|entry| entry.oif != index);
        let name = self.links.get(&index).map(|iface| iface.link.name.clone());
        let name = name.unwrap_or_default();
        let keep = self.parameter(&format!("ipv6/conf/{name}/keep_addr_on_down")) == Some("1");
        if let Some(iface) = self.links.get_mut(&index) {
            iface.neighbours.clear();
            iface.addrs.retain(|addr| keep || addr.address.addr().is_ipv4());
        }
    }
}
