//! New links of the fake: whole, or not at all.

use std::net::IpAddr;

use rustix::io::Errno;

use super::world::{Spot, World, blank};
use super::{not_found, refused, refused_because};
use crate::NetError;
use crate::link::{
    Link, LinkKind, MacvlanMode, NewBridge, NewMacvlan, NewVeth, NewVxlan, POD_GROUP, Port, alias_fits,
};
use crate::neigh::Fdb;

pub(super) fn bridge(world: &mut World, host: u64, new: &NewBridge) -> Result<Link, NetError> {
    let name = new.name.as_str();
    if let Some(index) = world.space(host)?.index(name) {
        let iface = world.get_mut((host, index)).ok_or_else(|| not_found(name))?;
        if iface.link.kind != LinkKind::Bridge {
            let (name, wanted) = (name.to_owned(), "bridge");
            return Err(NetError::WrongKind { name, wanted });
        }
        if !iface.link.up {
            iface.link.up = true;
            world.space_mut(host)?.went_up(index);
        }
        return show(world, (host, index), name);
    }
    new.alias.as_deref().map_or(Ok(()), alias_fits)?;
    let mac = new.mac.unwrap_or_else(|| world.draw_mac());
    let mut link = blank(name, LinkKind::Bridge);
    link.mac = Some(mac);
    link.mtu = new.mtu.map_or(link.mtu, |mtu| mtu.get());
    link.alias.clone_from(&new.alias);
    let spot = born_up(world, host, link, None)?;
    if let Some(iface) = world.get_mut(spot) {
        iface.mtu_set = new.mtu.is_some();
    }
    show(world, spot, name)
}

pub(super) fn veth(
    world: &mut World,
    host: u64,
    pod: u64,
    new: &NewVeth<'_>,
) -> Result<(Link, Link), NetError> {
    let (name, peer) = (new.host.as_str(), new.container.as_str());
    let what = || format!("create veth {name:?} with peer {peer:?}");
    let same_place = host == pod && name == peer;
    if same_place || world.space(host)?.index(name).is_some() || world.space(pod)?.index(peer).is_some() {
        return Err(refused(what(), Errno::EXIST));
    }
    port_of(world, host, new.master).map_err(|errno| refused(what(), errno))?;
    new.alias.as_deref().map_or(Ok(()), alias_fits)?;
    let mut outer = blank(name, LinkKind::Veth);
    outer.mac = Some(world.draw_mac());
    let mut inner = blank(peer, LinkKind::Veth);
    inner.mac = Some(new.mac.unwrap_or_else(|| world.draw_mac()));
    (outer.txqlen, inner.group) = (0, POD_GROUP);
    for end in [&mut outer, &mut inner] {
        end.mtu = new.mtu.map_or(end.mtu, |mtu| mtu.get());
    }
    outer.alias.clone_from(&new.alias);
    (outer.master, outer.port) = (new.master, new.master.map(|_| new.port));
    let inner = (pod, world.space_mut(pod)?.insert(inner, None));
    let outer = born_up(world, host, outer, Some(inner))?;
    join(world, inner, outer);
    join(world, outer, inner);
    Ok((show(world, outer, name)?, show(world, inner, peer)?))
}

pub(super) fn macvlan(
    world: &mut World,
    parent: Spot,
    pod: u64,
    new: &NewMacvlan<'_>,
) -> Result<Link, NetError> {
    let name = new.name.as_str();
    let refuse = |errno| Err(refused(format!("create macvlan {name:?}"), errno));
    if world.space(pod)?.index(name).is_some() {
        return refuse(Errno::EXIST);
    }
    let Some(below) = world.get(parent).map(|iface| iface.link.clone()) else {
        return refuse(Errno::NODEV);
    };
    if below.name == "lo" || new.mtu.is_some_and(|mtu| mtu.get() > below.mtu) {
        return refuse(Errno::INVAL);
    }
    if below.master.is_some() {
        return refuse(Errno::BUSY);
    }
    let siblings = world.spaces.values().flat_map(|space| space.links.values());
    let modes = siblings
        .filter(|i| i.other == Some(parent))
        .filter_map(|i| match i.link.kind {
            LinkKind::Macvlan { mode } => Some(mode),
            _ => None,
        });
    let modes: Vec<_> = modes.collect();
    let alone = new.mode == MacvlanMode::Passthru || modes.contains(&MacvlanMode::Passthru);
    if alone && !modes.is_empty() {
        return refuse(Errno::INVAL);
    }
    let mut link = blank(name, LinkKind::Macvlan { mode: new.mode });
    link.mac = match new.mode {
        MacvlanMode::Passthru => below.mac,
        _ => Some(new.mac.unwrap_or_else(|| world.draw_mac())),
    };
    link.mtu = new.mtu.map_or(below.mtu, |mtu| mtu.get());
    (link.group, link.parent) = (POD_GROUP, Some(parent.1));
    let index = world.space_mut(pod)?.insert(link, Some(parent));
    show(world, (pod, index), name)
}

pub(super) fn vxlan(world: &mut World, host: u64, new: &NewVxlan) -> Result<Link, NetError> {
    let name = new.name.as_str();
    let what = || format!("create vxlan {name:?} with VNI {}", new.vni.get());
    if world.space(host)?.index(name).is_some() {
        return Err(refused(what(), Errno::EXIST));
    }
    let device = new.device.map(|index| (host, index));
    if device.is_some_and(|spot| world.get(spot).is_none()) {
        return Err(refused(what(), Errno::NODEV));
    }
    if new.group.is_some() && device.is_none() {
        return Err(refused(what(), Errno::INVAL));
    }
    if taken(world, host, new)? {
        let text = "A VXLAN device with the specified VNI already exists";
        return Err(refused_because(what(), Errno::EXIST, text));
    }
    port_of(world, host, new.master).map_err(|errno| refused(what(), errno))?;
    if world.space(host)?.udp_ports.contains(&new.port) {
        return Err(refused(what(), Errno::ADDRINUSE));
    }
    new.alias.as_deref().map_or(Ok(()), alias_fits)?;
    let kind = LinkKind::Vxlan {
        vni: new.vni.get(),
        port: new.port,
        local: new.local,
        group: new.group,
        external: false,
    };
    let mut link = blank(name, kind);
    link.mac = Some(new.mac.unwrap_or_else(|| world.draw_mac()));
    link.mtu = new.mtu.map_or(link.mtu, |mtu| mtu.get());
    link.alias.clone_from(&new.alias);
    link.parent = new.device;
    (link.master, link.port) = (new.master, new.master.map(|_| new.port_flags));
    let spot = born_up(world, host, link, device)?;
    if let Some(iface) = world.get_mut(spot) {
        iface.fdb.extend(new.group.map(Fdb::flood));
    }
    show(world, spot, name)
}

/// Devices of one address family share a port, and may not share a VNI on it.
fn taken(world: &World, host: u64, new: &NewVxlan) -> Result<bool, NetError> {
    let over_v6 = |local: Option<IpAddr>, group: Option<IpAddr>| local.or(group).is_some_and(|a| a.is_ipv6());
    let mut links = world.space(host)?.links.values();
    Ok(links.any(|iface| match iface.link.kind {
        LinkKind::Vxlan {
            vni,
            port,
            local,
            group,
            ..
        } => {
            let same_family = over_v6(local, group) == over_v6(new.local, new.group);
            (vni, port) == (new.vni.get(), new.port) && same_family
        }
        _ => false,
    }))
}

/// That a link can become a port of `master`.
fn port_of(world: &World, host: u64, master: Option<u32>) -> Result<(), Errno> {
    match master.map(|index| world.get((host, index))) {
        Some(None) => Err(Errno::INVAL),
        Some(Some(iface)) if iface.link.kind != LinkKind::Bridge => Err(Errno::OPNOTSUPP),
        _ => Ok(()),
    }
}

fn born_up(world: &mut World, at: u64, mut link: Link, other: Option<Spot>) -> Result<Spot, NetError> {
    link.up = true;
    let name = link.name.clone();
    if link.master.is_some() && link.port.is_none() {
        link.port = Some(Port::default());
    }
    let space = world.space_mut(at)?;
    let index = space.insert(link, other);
    space.went_up(index);
    space.set_parameter(&format!("ipv6/conf/{name}/accept_ra"), "0");
    Ok((at, index))
}

fn join(world: &mut World, end: Spot, peer: Spot) {
    if let Some(iface) = world.get_mut(end) {
        iface.other = Some(peer);
        iface.link.parent = Some(peer.1);
    }
}

fn show(world: &World, spot: Spot, name: &str) -> Result<Link, NetError> {
    world.shown(spot).ok_or_else(|| not_found(name))
}
