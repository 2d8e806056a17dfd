//! [`Links`] of the fake.

use cni_core::spec::Mac;
use rustix::io::Errno;

use super::world::{Spot, World};
use super::{FakeNet, make, not_found, refused};
use crate::link::{
    Change, Link, LinkKind, Links, NewBridge, NewMacvlan, NewVeth, NewVxlan, POD_GROUP, Port, alias_fits,
};
use crate::{At, NetError, Netns};

impl Links for FakeNet {
    fn link(&self, at: At<'_>, name: &str) -> Result<Option<Link>, NetError> {
        let (world, space) = self.at(at)?;
        let index = world.space(space)?.index(name);
        Ok(index.and_then(|index| world.shown((space, index))))
    }

    fn link_by_index(&self, at: At<'_>, index: u32) -> Result<Option<Link>, NetError> {
        let (world, space) = self.at(at)?;
        Ok(world.shown((space, index)))
    }

    fn links(&self, at: At<'_>) -> Result<Vec<Link>, NetError> {
        let (world, space) = self.at(at)?;
        let spots = world.indices(space).into_iter().map(|index| (space, index));
        Ok(spots.filter_map(|spot| world.shown(spot)).collect())
    }

    fn ensure_bridge(&self, new: &NewBridge) -> Result<Link, NetError> {
        let (mut world, host) = self.at(At::Host)?;
        make::bridge(&mut world, host, new)
    }

    fn add_veth(&self, new: &NewVeth<'_>) -> Result<(Link, Link), NetError> {
        let pod = self.at(At::Netns(new.netns))?.1;
        let (mut world, host) = self.at(At::Host)?;
        make::veth(&mut world, host, pod, new)
    }

    fn add_macvlan(&self, new: &NewMacvlan<'_>) -> Result<Link, NetError> {
        let pod = self.at(At::Netns(new.netns))?.1;
        let (mut world, below) = self.at(new.parent_at)?;
        make::macvlan(&mut world, (below, new.parent), pod, new)
    }

    fn add_vxlan(&self, new: &NewVxlan) -> Result<Link, NetError> {
        let (mut world, host) = self.at(At::Host)?;
        make::vxlan(&mut world, host, new)
    }

    fn set_link(&self, at: At<'_>, name: &str, change: &Change) -> Result<(), NetError> {
        change.alias.as_deref().map_or(Ok(()), alias_fits)?;
        let (mut world, space) = self.at(at)?;
        let spot = (space, world.space(space)?.expect(name)?);
        set(&mut world, spot, name, change)
    }

    fn set_port(&self, at: At<'_>, name: &str, port: Port) -> Result<(), NetError> {
        let (mut world, space) = self.at(at)?;
        let link = &mut world.space_mut(space)?.iface_mut(name)?.link;
        if link.master.is_none() {
            return Err(refused(
                format!("set the port flags of link {name:?}"),
                Errno::OPNOTSUPP,
            ));
        }
        link.port = Some(port);
        Ok(())
    }

    fn del_link(&self, at: At<'_>, name: &str) -> Result<bool, NetError> {
        let (mut world, space) = self.at(at)?;
        let Some(index) = world.space(space)?.index(name) else {
            return Ok(false);
        };
        if name == "lo" {
            return Err(refused(format!("delete link {name:?}"), Errno::OPNOTSUPP));
        }
        world.remove((space, index));
        Ok(true)
    }

    fn del_pod_links(&self, netns: &Netns) -> Result<(), NetError> {
        let (mut world, space) = self.at(At::Netns(netns))?;
        for index in world.indices(space) {
            if world
                .get((space, index))
                .is_some_and(|i| i.link.group == POD_GROUP)
            {
                world.remove((space, index));
            }
        }
        Ok(())
    }
}

fn set(world: &mut World, spot: Spot, name: &str, change: &Change) -> Result<(), NetError> {
    let what = || format!("change link {name:?}");
    if change.mac.is_some_and(|mac| !is_unicast(mac)) {
        return Err(refused(what(), Errno::ADDRNOTAVAIL));
    }
    if change.up == Some(true) && has_twin(world, spot) {
        return Err(refused(what(), Errno::ADDRINUSE));
    }
    let iface = world.get_mut(spot).ok_or_else(|| not_found(name))?;
    let link = &mut iface.link;
    link.promisc = change.promisc.unwrap_or(link.promisc);
    link.allmulti = change.allmulti.unwrap_or(link.allmulti);
    link.txqlen = change.txqlen.unwrap_or(link.txqlen);
    link.group = change.group.unwrap_or(link.group);
    link.mac = change.mac.or(link.mac);
    if let Some(mtu) = change.mtu {
        (link.mtu, iface.mtu_set) = (mtu.get(), true);
    }
    match change.alias.as_deref() {
        None => {}
        Some("") => link.alias = None,
        Some(alias) => link.alias = Some(alias.to_owned()),
    }
    let (before, after) = (link.up, change.up.unwrap_or(link.up));
    link.up = after;
    let space = world.space_mut(spot.0)?;
    match (before, after) {
        (false, true) => space.went_up(spot.1),
        (true, false) => space.went_down(spot.1),
        _ => {}
    }
    Ok(())
}

/// Whether another macvlan device on the same parent is up with the same hardware address.
fn has_twin(world: &World, spot: Spot) -> bool {
    let Some(iface) = world.get(spot) else {
        return false;
    };
    if !matches!(iface.link.kind, LinkKind::Macvlan { .. }) {
        return false;
    }
    let mut others = world.spaces.values().flat_map(|space| space.links.values());
    others.any(|other| {
        let same = other.other == iface.other && other.link.mac == iface.link.mac && other.link.up;
        same && other.link.name != iface.link.name && matches!(other.link.kind, LinkKind::Macvlan { .. })
    })
}

fn is_unicast(mac: Mac) -> bool {
    mac.0[0] & 1 == 0 && mac.0 != [0; 6]
}
