//! A segment's pair on this node: a bridge, and a vxlan device as one of its ports.
//!
//! Both are named by a hash of the network's name, which may be longer than an interface's; their alias is
//! `plexus:<network>`. Whether they are needed is asked of the kernel alone: they are as long as the
//! bridge has another port. Everything here happens under the network's [`Lock`].

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cni_core::plugin::Teardown;
use cni_core::spec::{Error, IfName, Mac, NetName};
use cni_net::link::{Link, LinkKind, NewBridge, NewVxlan};
use cni_net::neigh::Fdb;
use cni_net::{At, Links, Mtu, NetError};

use super::Net;
use super::config::Settings;
use super::conflict;
use super::directory::Directory;
use super::error::VxlanError;
use super::shape::Shape;
use super::underlay::Underlay;
use crate::shared::lock::FileLock;
use crate::shared::mark;

/// The segment of a network, by its names.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    network: &'a NetName,
    /// The bridge.
    pub(super) bridge: IfName,
    /// The vxlan device.
    pub(super) device: IfName,
}

/// Which of the two.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// The bridge.
    Bridge,
    /// The vxlan device.
    Vxlan,
}

/// What a segment is to be like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan<'a> {
    /// The configuration.
    pub(super) settings: &'a Settings,
    /// Whether the bridge is the containers' gateway.
    pub(super) gateway: bool,
}

/// The segment's lock. Whoever also locks a container does that first.
#[must_use = "dropping it at once unlocks"]
pub(super) struct Lock {
    path: PathBuf,
    _held: FileLock,
}

impl<'a> Segment<'a> {
    /// The segment of `network`.
    pub(super) fn of(network: &'a NetName) -> Result<Self, Error> {
        let hash = mark::hash(network.as_str().as_bytes()) & 0xffff_ffff_ffff;
        let name = |prefix| format!("{prefix}{hash:012x}").parse::<IfName>();
        let invalid = |error| Error::from_source(cni_core::spec::Code::INVALID_CONFIG, &error);
        Ok(Self {
            network,
            bridge: name("vb").map_err(invalid)?,
            device: name("vx").map_err(invalid)?,
        })
    }

    /// The alias of bridge and device.
    pub(super) fn alias(&self) -> String {
        format!("plexus:{}", self.network)
    }

    /// The hardware address of a bridge that is a gateway: the same on every node, as is its IP address,
    /// so that a container that moves, or hears another node's answer, need not learn another.
    fn gateway_mac(&self) -> Mac {
        let [_, _, _, b, c, d, e, f] = mark::hash(self.alias().as_bytes()).to_be_bytes();
        Mac([0x02, b, c, d, e, f])
    }

    /// Waits for the lock in `dir`.
    pub(super) fn lock(&self, dir: &Path, deadline: Option<Instant>) -> Result<Lock, VxlanError> {
        fs::create_dir_all(dir).map_err(|source| VxlanError::Directory {
            path: dir.display().to_string(),
            source,
        })?;
        let path = self.lock_file(dir);
        let held = FileLock::acquire(&path, deadline).map_err(|source| VxlanError::Lock {
            network: self.network.to_string(),
            source,
        })?;
        Ok(Lock { path, _held: held })
    }

    /// Takes the pair as it is if it fits, else makes what is missing; then brings the flood list up to
    /// date. Answers the bridge.
    ///
    /// After a failure the pair is gone again, unless containers are attached.
    pub(super) fn ensure<N: Net>(
        &self,
        net: &N,
        plan: &Plan<'_>,
        directory: &dyn Directory,
        lock: &Lock,
    ) -> Result<Link, Error> {
        let outcome = self.complete(net, plan, directory);
        if outcome.is_err() {
            self.undo(net, lock);
        }
        outcome
    }

    /// Removes the pair after a failure, unless containers are attached.
    pub(super) fn undo<N: Net>(&self, net: &N, lock: &Lock) {
        // The error that led here is the one to report; the next DEL or GC tries again.
        if let Err(error) = self.remove_if_empty(net, lock) {
            tracing::warn!(%error, "undo segment");
        }
    }

    fn complete<N: Net>(&self, net: &N, plan: &Plan<'_>, directory: &dyn Directory) -> Result<Link, Error> {
        let settings = plan.settings;
        let underlay = Underlay::look_up(net, settings, &directory.nodes(self.network)?)?;
        self.clear_unfit(net, settings)?;
        let device = self.ours(net, Kind::Vxlan)?;
        if device.is_none() {
            conflict::refuse(net, self, settings)?;
        }
        let bridge = match self.ours(net, Kind::Bridge)? {
            Some(bridge) => bridge,
            None => net.ensure_bridge(&self.new_bridge(plan, underlay.mtu(net, settings)?))?,
        };
        if device.is_none() {
            let mut new = self.new_device(settings, &bridge)?;
            new.local = underlay.local;
            new.device = bound_to(net, settings)?;
            new.learning = directory.learning();
            net.add_vxlan(&new)
                .map_err(|refusal| conflict::explain(net, self, settings, refusal))?;
        }
        self.flood(net, settings, &underlay.remotes)?;
        Ok(bridge)
    }

    fn new_bridge(&self, plan: &Plan<'_>, mtu: Mtu) -> NewBridge {
        let mut new = NewBridge::new(self.bridge.clone());
        new.mtu = Some(mtu);
        new.mac = plan.gateway.then(|| self.gateway_mac());
        // Nobody on the segment asks who is a member of what, so that listening would lose multicast, and
        // with it the neighbour discovery of IPv6.
        new.mcast_snooping = false;
        new.alias = Some(self.alias());
        new
    }

    fn new_device(&self, settings: &Settings, bridge: &Link) -> Result<NewVxlan, Error> {
        let mut new = NewVxlan::new(self.device.clone(), settings.vni, settings.port);
        new.group = settings.group;
        new.mtu = Some(bridge.mtu.try_into()?);
        new.master = Some(bridge.index);
        new.alias = Some(self.alias());
        Ok(new)
    }

    /// Removes a pair that an earlier configuration made, unless containers are attached.
    fn clear_unfit<N: Net>(&self, net: &N, settings: &Settings) -> Result<(), Error> {
        if let Some(unfit) = self.unfit(net, settings)? {
            if !self.ports(net)?.is_empty() {
                return Err(unfit.into());
            }
            net.del_link(At::Host, self.device.as_str())?;
            net.del_link(At::Host, self.bridge.as_str())?;
        }
        Ok(())
    }

    /// What is wrong with the device, should it be there and not fit.
    fn unfit<N: Links>(&self, net: &N, settings: &Settings) -> Result<Option<VxlanError>, Error> {
        let device = self.ours(net, Kind::Vxlan)?;
        let differing = device.and_then(|link| Shape::differing(&link.kind, settings));
        Ok(differing.map(|(present, wanted)| VxlanError::Settled {
            network: self.network.to_string(),
            device: self.device.to_string(),
            present,
            wanted,
        }))
    }

    /// Whether an ADD would find or could make the pair; makes nothing.
    pub(super) fn available<N: Net>(&self, net: &N, settings: &Settings) -> Result<(), Error> {
        bound_to(net, settings)?;
        self.ours(net, Kind::Bridge)?;
        let there = self.ours(net, Kind::Vxlan)?.is_some();
        match self.unfit(net, settings)? {
            Some(unfit) if !self.ports(net)?.is_empty() => Err(unfit.into()),
            None if there => Ok(()),
            _ => conflict::foresee(net, self, settings),
        }
    }

    /// Writes the flood entries that are missing, and deletes those of nodes that are no peers any more.
    fn flood<N: Net>(&self, net: &N, settings: &Settings, remotes: &BTreeSet<IpAddr>) -> Result<(), Error> {
        let present = self.flooded(net)?;
        let missing: Vec<Fdb> = remotes.difference(&present).map(|ip| Fdb::flood(*ip)).collect();
        if !missing.is_empty() {
            net.ensure_fdb(At::Host, self.device.as_str(), &missing)?;
        }
        for stale in present
            .difference(remotes)
            .filter(|ip| settings.group != Some(**ip))
        {
            net.del_fdb(At::Host, self.device.as_str(), &Fdb::flood(*stale))?;
        }
        Ok(())
    }

    /// Where the device sends what has no known place.
    pub(super) fn flooded<N: Net>(&self, net: &N) -> Result<BTreeSet<IpAddr>, NetError> {
        let entries = net.fdb(At::Host, self.device.as_str())?;
        let flood = entries.into_iter().filter(|entry| entry.mac == Mac([0; 6]));
        Ok(flood.filter_map(|entry| entry.dst).collect())
    }

    /// Removes the pair and the lock's file if no container is attached.
    pub(super) fn remove_if_empty<N: Net>(&self, net: &N, lock: &Lock) -> Result<(), Error> {
        if !self.ports(net)?.is_empty() {
            return Ok(());
        }
        let mut teardown = Teardown::default();
        for kind in [Kind::Vxlan, Kind::Bridge] {
            let gone = self.ours(net, kind).and_then(|link| match link {
                Some(link) => Ok(net.del_link(At::Host, &link.name).map(drop)?),
                None => Ok(()),
            });
            teardown.step("segment", gone);
        }
        teardown.finish()?;
        // Those who wait for it look the path up again.
        match fs::remove_file(&lock.path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                let path = lock.path.display().to_string();
                Err(VxlanError::LockFile { path, source }.into())
            }
            _ => Ok(()),
        }
    }

    /// The ports of the bridge that are not the device.
    fn ports<N: Net>(&self, net: &N) -> Result<Vec<Link>, Error> {
        let Some(bridge) = net.link(At::Host, self.bridge.as_str())? else {
            return Ok(Vec::new());
        };
        let mut ports = net.links(At::Host)?;
        ports.retain(|link| link.master == Some(bridge.index) && link.name != self.device.as_str());
        Ok(ports)
    }

    /// The bridge or the device, if it is there.
    ///
    /// # Errors
    /// When the name is another's: the kind differs, or the alias. One without an alias is a process's that
    /// was killed before it could give it.
    pub(super) fn ours<N: Links>(&self, net: &N, kind: Kind) -> Result<Option<Link>, Error> {
        let name = match kind {
            Kind::Bridge => &self.bridge,
            Kind::Vxlan => &self.device,
        };
        let Some(link) = net.link(At::Host, name.as_str())? else {
            return Ok(None);
        };
        let fits = match kind {
            Kind::Bridge => link.kind == LinkKind::Bridge,
            Kind::Vxlan => matches!(link.kind, LinkKind::Vxlan { .. }),
        };
        let alias = link.alias.as_deref().unwrap_or_default();
        if fits && (alias.is_empty() || alias == self.alias()) {
            return Ok(Some(link));
        }
        let (network, link) = (self.network.to_string(), link.name);
        Err(VxlanError::NameTaken { network, link }.into())
    }

    /// Whether anything of it is there: bridge, device, or the lock's file in `dir`, which an ADD makes first.
    pub(super) fn exists<N: Links>(&self, net: &N, dir: &Path) -> Result<bool, NetError> {
        let bridge = net.link(At::Host, self.bridge.as_str())?;
        let device = net.link(At::Host, self.device.as_str())?;
        Ok(bridge.is_some() || device.is_some() || self.lock_file(dir).exists())
    }

    fn lock_file(&self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.lock", self.network))
    }

    /// The network.
    pub(super) fn network(&self) -> &NetName {
        self.network
    }
}

/// The device that a multicast group is joined on. Without a group the tunnel follows the routes.
fn bound_to<N: Links>(net: &N, settings: &Settings) -> Result<Option<u32>, Error> {
    let Some(device) = settings.device.as_ref().filter(|_| settings.group.is_some()) else {
        return Ok(None);
    };
    let link = net.link(At::Host, device.as_str())?;
    Ok(Some(
        link.ok_or_else(|| VxlanError::NoDevice(device.to_string()))?
            .index,
    ))
}
