//! Interfaces to be made, and changes to be made to them.

use std::net::IpAddr;

use cni_core::spec::{IfName, Mac};

use super::{MacvlanMode, Mtu, Port, Vni};
use crate::{At, Netns};

/// A bridge to be made: `ip link add NAME type bridge`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewBridge {
    /// Its name.
    pub name: IfName,
    /// Its MTU; without one it follows its smallest port.
    pub mtu: Option<Mtu>,
    /// Its address; without one the kernel draws one. Pinned from the start either way.
    pub mac: Option<Mac>,
    /// Whether it listens to IGMP and MLD; the kernel's default is yes.
    pub mcast_snooping: bool,
    /// Its alias.
    pub alias: Option<String>,
}

impl NewBridge {
    /// A bridge with the kernel's defaults.
    pub fn new(name: IfName) -> Self {
        Self {
            name,
            mtu: None,
            mac: None,
            mcast_snooping: true,
            alias: None,
        }
    }
}

/// A veth pair to be made, each end born where it belongs:
/// `ip link add HOST type veth peer name CONTAINER netns NS`, then alias and port flags in one batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewVeth<'a> {
    /// Where the container end is born.
    pub netns: &'a Netns,
    /// The container end's name.
    pub container: IfName,
    /// The container end's address; without one the kernel draws one.
    pub mac: Option<Mac>,
    /// The host end's name.
    pub host: IfName,
    /// The MTU of both ends.
    pub mtu: Option<Mtu>,
    /// The number of the bridge that the host end becomes a port of.
    pub master: Option<u32>,
    /// The port flags of the host end; only with `master`.
    pub port: Port,
    /// The host end's alias.
    pub alias: Option<String>,
    /// The group number of the host end from its birth until it has its alias, which the kernel does not take in
    /// the creating message: it tells what a killed process left from what another program made. Then it is 0.
    pub birth_group: u32,
}

impl<'a> NewVeth<'a> {
    /// A pair that is no bridge's port.
    pub fn new(netns: &'a Netns, container: IfName, host: IfName) -> Self {
        let (mac, mtu, master, alias) = (None, None, None, None);
        Self {
            netns,
            container,
            mac,
            host,
            mtu,
            master,
            port: Port::default(),
            alias,
            birth_group: 0,
        }
    }
}

/// A macvlan device to be made inside a container: `ip link add NAME link PARENT type macvlan`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewMacvlan<'a> {
    /// Where it is born.
    pub netns: &'a Netns,
    /// Its name.
    pub name: IfName,
    /// Where its parent is.
    pub parent_at: At<'a>,
    /// The number of its parent.
    pub parent: u32,
    /// Its mode.
    pub mode: MacvlanMode,
    /// Its address; without one the kernel draws one.
    pub mac: Option<Mac>,
    /// Its MTU; without one the parent's.
    pub mtu: Option<Mtu>,
    /// The length of the queue for broadcasts (`bcqueuelen`).
    pub bcqueuelen: Option<u32>,
}

impl<'a> NewMacvlan<'a> {
    /// A device in bridge mode.
    pub fn new(netns: &'a Netns, name: IfName, parent_at: At<'a>, parent: u32) -> Self {
        let mode = MacvlanMode::Bridge;
        Self {
            netns,
            name,
            parent_at,
            parent,
            mode,
            mac: None,
            mtu: None,
            bcqueuelen: None,
        }
    }
}

/// A vxlan device to be made on the host: `ip link add NAME type vxlan id VNI`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewVxlan {
    /// Its name.
    pub name: IfName,
    /// Its network identifier.
    pub vni: Vni,
    /// Its UDP port.
    pub port: u16,
    /// The address that it sends from.
    pub local: Option<IpAddr>,
    /// The multicast group that unknown destinations go to.
    pub group: Option<IpAddr>,
    /// The number of the underlay device; needed with a group, and else left out, so that routes may change.
    pub device: Option<u32>,
    /// Whether it learns where addresses are from the packets that arrive.
    pub learning: bool,
    /// Its MTU.
    pub mtu: Option<Mtu>,
    /// Its address; without one the kernel draws one.
    pub mac: Option<Mac>,
    /// The number of the bridge that it becomes a port of.
    pub master: Option<u32>,
    /// Its flags as a port; only with `master`.
    pub port_flags: Port,
    /// Its alias.
    pub alias: Option<String>,
}

impl NewVxlan {
    /// A device that is bound to nothing and learns nothing.
    pub fn new(name: IfName, vni: Vni, port: u16) -> Self {
        let (local, group, device, mtu, mac, master, alias) = (None, None, None, None, None, None, None);
        let port_flags = Port::default();
        Self {
            name,
            vni,
            port,
            local,
            group,
            device,
            learning: false,
            mtu,
            mac,
            master,
            port_flags,
            alias,
        }
    }
}

/// What to change of an interface; what is `None` stays.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Change {
    /// `ip link set … up` or `down`.
    pub up: Option<bool>,
    /// `ip link set … promisc on` or `off`.
    pub promisc: Option<bool>,
    /// `ip link set … allmulticast on` or `off`.
    pub allmulti: Option<bool>,
    /// `ip link set … mtu`.
    pub mtu: Option<Mtu>,
    /// `ip link set … address`.
    pub mac: Option<Mac>,
    /// `ip link set … alias`.
    pub alias: Option<String>,
    /// `ip link set … txqueuelen`, in packets.
    pub txqlen: Option<u32>,
    /// `ip link set … group`.
    pub group: Option<u32>,
}

impl Change {
    /// `ip link set … up`.
    pub fn up() -> Self {
        Self {
            up: Some(true),
            ..Self::default()
        }
    }

    /// `ip link set … down`.
    pub fn down() -> Self {
        Self {
            up: Some(false),
            ..Self::default()
        }
    }
}
