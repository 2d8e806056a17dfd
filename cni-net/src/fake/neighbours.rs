//! [`Neighbours`] of the fake.

use std::net::IpAddr;

use cni_core::spec::Mac;
use rustix::io::Errno;

use super::world::Iface;
use super::{FakeNet, refused};
use crate::link::LinkKind;
use crate::neigh::{Fdb, Neighbours};
use crate::{At, NetError};

impl Neighbours for FakeNet {
    fn fdb(&self, at: At<'_>, link: &str) -> Result<Vec<Fdb>, NetError> {
        let (world, space) = self.at(at)?;
        Ok(world.space(space)?.iface(link)?.fdb.clone())
    }

    fn ensure_fdb(&self, at: At<'_>, link: &str, entries: &[Fdb]) -> Result<(), NetError> {
        let (mut world, space) = self.at(at)?;
        let iface = world.space_mut(space)?.iface_mut(link)?;
        // The kernel goes on after one that it refused.
        let outcomes: Vec<_> = entries.iter().map(|entry| ensure(iface, entry)).collect();
        outcomes.into_iter().collect()
    }

    fn del_fdb(&self, at: At<'_>, link: &str, entry: &Fdb) -> Result<bool, NetError> {
        let (mut world, space) = self.at(at)?;
        let space = world.space_mut(space)?;
        if space.index(link).is_none() {
            return Ok(false);
        }
        let fdb = &mut space.iface_mut(link)?.fdb;
        // Of an address with other remotes the kernel does not tell whether this one was there.
        let same_kind = |other: &Fdb| other.mac == entry.mac && other.dst.is_some() == entry.dst.is_some();
        let found = fdb.iter().any(same_kind);
        fdb.retain(|other| other != entry);
        Ok(found)
    }

    fn neighbours(&self, at: At<'_>, link: &str) -> Result<Vec<(IpAddr, Mac)>, NetError> {
        let (world, space) = self.at(at)?;
        Ok(world.space(space)?.iface(link)?.neighbours.clone())
    }

    fn ensure_neighbour(&self, at: At<'_>, link: &str, address: IpAddr, mac: Mac) -> Result<(), NetError> {
        let (mut world, space) = self.at(at)?;
        let neighbours = &mut world.space_mut(space)?.iface_mut(link)?.neighbours;
        neighbours.retain(|(there, _)| *there != address);
        neighbours.push((address, mac));
        Ok(())
    }

    fn del_neighbour(&self, at: At<'_>, link: &str, address: IpAddr) -> Result<bool, NetError> {
        let (mut world, space) = self.at(at)?;
        let space = world.space_mut(space)?;
        if space.index(link).is_none() {
            return Ok(false);
        }
        let neighbours = &mut space.iface_mut(link)?.neighbours;
        let before = neighbours.len();
        neighbours.retain(|(there, _)| *there != address);
        Ok(neighbours.len() < before)
    }
}

fn ensure(iface: &mut Iface, entry: &Fdb) -> Result<(), NetError> {
    let possible = match entry.dst {
        Some(_) => matches!(iface.link.kind, LinkKind::Vxlan { .. }),
        None => iface.link.master.is_some(),
    };
    if !possible {
        let what = format!("add {entry} to the forwarding database of {:?}", iface.link.name);
        return Err(refused(what, Errno::OPNOTSUPP));
    }
    // A known address is behind one remote, what is not known goes to many.
    if entry.dst.is_some() && entry.mac != Mac([0; 6]) {
        iface
            .fdb
            .retain(|other| other.mac != entry.mac || other.dst.is_none());
    }
    if !iface.fdb.contains(entry) {
        iface.fdb.push(*entry);
    }
    Ok(())
}
