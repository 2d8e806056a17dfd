//! What there is: namespaces, and the links in them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use cni_core::spec::Mac;
use ipnet::IpNet;

use super::nft::Tables;
use super::not_found;
use super::routes::Entry;
use crate::link::{Link, LinkKind, OperState};
use crate::neigh::Fdb;
use crate::{Addr, NetError};

/// Where a link is: its namespace and its number there.
pub(super) type Spot = (u64, u32);

/// Everything.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) spaces: BTreeMap<u64, Space>,
    /// How many hardware addresses were drawn.
    drawn: u32,
}

/// One namespace.
#[derive(Debug)]
pub(super) struct Space {
    /// What it is opened by.
    pub(super) path: String,
    pub(super) links: BTreeMap<u32, Iface>,
    last: u32,
    pub(super) routes: Vec<Entry>,
    /// Kernel parameters that do not have their usual value.
    pub(super) sysctls: BTreeMap<String, String>,
    pub(super) tables: Tables,
    /// Those that other programs have.
    pub(super) udp_ports: BTreeSet<u16>,
}

/// A link with all that goes with it.
#[derive(Clone, Debug)]
pub(super) struct Iface {
    /// As it is shown, but for its state.
    pub(super) link: Link,
    /// The other end of a veth pair, or what a macvlan or vxlan device hangs on.
    pub(super) other: Option<Spot>,
    /// Whether its MTU was asked for; a bridge without follows its smallest port.
    pub(super) mtu_set: bool,
    pub(super) addrs: Vec<Addr>,
    pub(super) fdb: Vec<Fdb>,
    pub(super) neighbours: Vec<(IpAddr, Mac)>,
}

impl Space {
    pub(super) fn new(path: &str) -> Self {
        let mut space = Self {
            path: path.to_owned(),
            links: BTreeMap::new(),
            last: 0,
            routes: Vec::new(),
            sysctls: BTreeMap::new(),
            tables: Tables::default(),
            udp_ports: BTreeSet::new(),
        };
        let mut lo = blank("lo", LinkKind::Other(String::new()));
        (lo.mac, lo.mtu) = (Some(Mac([0; 6])), 65_536);
        space.insert(lo, None);
        space
    }

    /// Puts a link in, under the next number.
    pub(super) fn insert(&mut self, mut link: Link, other: Option<Spot>) -> u32 {
        self.last += 1;
        link.index = self.last;
        let iface = Iface {
            link,
            other,
            mtu_set: false,
            addrs: Vec::new(),
            fdb: Vec::new(),
            neighbours: Vec::new(),
        };
        self.links.insert(self.last, iface);
        self.last
    }

    pub(super) fn index(&self, name: &str) -> Option<u32> {
        let mut links = self.links.iter();
        links.find_map(|(index, iface)| (iface.link.name == name).then_some(*index))
    }

    /// The number of `name`, which is to be there.
    pub(super) fn expect(&self, name: &str) -> Result<u32, NetError> {
        self.index(name).ok_or_else(|| not_found(name))
    }

    pub(super) fn iface(&self, name: &str) -> Result<&Iface, NetError> {
        self.links.get(&self.expect(name)?).ok_or_else(|| not_found(name))
    }

    pub(super) fn iface_mut(&mut self, name: &str) -> Result<&mut Iface, NetError> {
        let index = self.expect(name)?;
        self.links.get_mut(&index).ok_or_else(|| not_found(name))
    }

    /// The interface that has the address.
    pub(super) fn owner(&self, address: IpAddr) -> Option<&Iface> {
        let has = |iface: &&Iface| iface.addrs.iter().any(|a| a.address.addr() == address);
        self.links.values().find(has)
    }

    /// All addresses of `index`.
    pub(super) fn nets(&self, index: u32) -> Vec<IpNet> {
        let addrs = self.links.get(&index).map(|iface| &iface.addrs);
        addrs.into_iter().flatten().map(|addr| addr.address).collect()
    }
}

impl World {
    /// The namespace at `path`.
    pub(super) fn named(&self, path: &str) -> Option<u64> {
        let mut spaces = self.spaces.iter();
        spaces.find_map(|(cookie, space)| (space.path == path).then_some(*cookie))
    }

    /// A namespace that is there.
    pub(super) fn space(&self, cookie: u64) -> Result<&Space, NetError> {
        self.spaces.get(&cookie).ok_or_else(gone)
    }

    /// A namespace that is there.
    pub(super) fn space_mut(&mut self, cookie: u64) -> Result<&mut Space, NetError> {
        self.spaces.get_mut(&cookie).ok_or_else(gone)
    }

    pub(super) fn indices(&self, cookie: u64) -> Vec<u32> {
        let space = self.spaces.get(&cookie);
        space
            .map(|space| space.links.keys().copied().collect())
            .unwrap_or_default()
    }

    pub(super) fn get(&self, (space, index): Spot) -> Option<&Iface> {
        self.spaces.get(&space)?.links.get(&index)
    }

    pub(super) fn get_mut(&mut self, (space, index): Spot) -> Option<&mut Iface> {
        self.spaces.get_mut(&space)?.links.get_mut(&index)
    }

    /// A hardware address that nobody has.
    pub(super) fn draw_mac(&mut self) -> Mac {
        self.drawn += 1;
        let [_, b, c, d] = self.drawn.to_be_bytes();
        Mac([0x02, 0xfa, 0xce, b, c, d])
    }

    /// A link as it is shown now.
    pub(super) fn shown(&self, spot: Spot) -> Option<Link> {
        let iface = self.get(spot)?;
        let mut link = iface.link.clone();
        link.state = match &link.kind {
            _ if !link.up => OperState::Down,
            LinkKind::Other(_) | LinkKind::Vxlan { .. } => OperState::Unknown,
            _ if self.carrier(spot) => OperState::Up,
            _ => OperState::Down,
        };
        if link.kind == LinkKind::Bridge && !iface.mtu_set {
            let ports = self
                .spaces
                .get(&spot.0)
                .into_iter()
                .flat_map(|space| space.links.values());
            let mtus = ports
                .filter(|port| port.link.master == Some(spot.1))
                .map(|port| port.link.mtu);
            link.mtu = mtus.min().unwrap_or(link.mtu);
        }
        Some(link)
    }

    fn carrier(&self, spot: Spot) -> bool {
        let Some(iface) = self.get(spot).filter(|iface| iface.link.up) else {
            return false;
        };
        match iface.link.kind {
            LinkKind::Bridge => {
                let mut links = self.indices(spot.0).into_iter().map(|index| (spot.0, index));
                links
                    .any(|at| self.get(at).is_some_and(|i| i.link.master == Some(spot.1)) && self.carrier(at))
            }
            LinkKind::Macvlan { .. } => iface.other.is_some_and(|parent| self.carrier(parent)),
            LinkKind::Veth => iface
                .other
                .and_then(|peer| self.get(peer))
                .is_some_and(|peer| peer.link.up),
            LinkKind::Other(_) | LinkKind::Vxlan { .. } => true,
        }
    }

    /// Removes a link, and what cannot be without it: the other end of a pair, devices on top, addresses,
    /// routes, kernel parameters. Ports of a bridge become free.
    pub(super) fn remove(&mut self, spot: Spot) {
        let Some(space) = self.spaces.get_mut(&spot.0) else {
            return;
        };
        let Some(iface) = space.links.remove(&spot.1) else {
            return;
        };
        space.routes.retain(|entry| entry.oif != spot.1);
        space.forget_parameters(&iface.link.name);
        for port in space.links.values_mut().filter(|i| i.link.master == Some(spot.1)) {
            (port.link.master, port.link.port) = (None, None);
            port.fdb.retain(|entry| entry.dst.is_some());
        }
        for cookie in self.spaces.keys().copied().collect::<Vec<_>>() {
            for index in self.indices(cookie) {
                if self.get((cookie, index)).is_some_and(|i| i.other == Some(spot)) {
                    self.remove((cookie, index));
                }
            }
        }
    }
}

/// A link with nothing special about it, down.
pub(super) fn blank(name: &str, kind: LinkKind) -> Link {
    Link {
        index: 0,
        name: name.to_owned(),
        mac: None,
        mtu: 1500,
        up: false,
        state: OperState::Down,
        promisc: false,
        allmulti: false,
        txqlen: 1000,
        master: None,
        parent: None,
        alias: None,
        group: 0,
        kind,
        port: None,
    }
}

fn gone() -> NetError {
    NetError::NetnsGone {
        path: "(deleted)".into(),
        why: "it has been deleted",
    }
}
