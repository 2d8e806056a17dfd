//! Interfaces as the kernel shows them.

use std::net::IpAddr;

use cni_core::spec::Mac;

/// An interface as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Its number within its namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its hardware address, where it is an Ethernet one.
    pub mac: Option<Mac>,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// Whether it is administratively up (`IFF_UP`).
    pub up: bool,
    /// Its operational state.
    pub state: OperState,
    /// Whether it is promiscuous by request (`IFF_PROMISC`).
    pub promisc: bool,
    /// Whether it takes every multicast frame by request (`IFF_ALLMULTI`).
    pub allmulti: bool,
    /// The length of its queue for what it sends, in packets.
    pub txqlen: u32,
    /// The number of the bridge that it is a port of.
    pub master: Option<u32>,
    /// The link that it hangs on or is the peer of (`IFLA_LINK`, `IFLA_VXLAN_LINK`); perhaps a number in
    /// another namespace.
    pub parent: Option<u32>,
    /// Its alias (`IFLA_IFALIAS`).
    pub alias: Option<String>,
    /// Its group.
    pub group: u32,
    /// Its kind and what belongs to it.
    pub kind: LinkKind,
    /// Its flags as a bridge's port.
    pub port: Option<Port>,
}

/// The operational state (`IFLA_OPERSTATE`, RFC 2863).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperState {
    /// It carries traffic.
    Up,
    /// It does not.
    Down,
    /// The one below it does not.
    LowerLayerDown,
    /// Nobody keeps its state (loopback, tun).
    Unknown,
    /// Another state of RFC 2863.
    Other,
}

/// The kind of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkKind {
    /// A bridge.
    Bridge,
    /// A macvlan device.
    Macvlan {
        /// How its siblings see each other.
        mode: MacvlanMode,
    },
    /// One end of a veth pair.
    Veth,
    /// A vxlan device.
    Vxlan {
        /// Its network identifier.
        vni: u32,
        /// Its UDP port.
        port: u16,
        /// The address that it sends from.
        local: Option<IpAddr>,
        /// The multicast group or the default remote.
        group: Option<IpAddr>,
        /// Whether it takes packets of every VNI of its port (`external`).
        external: bool,
    },
    /// Any other: the kernel's name of the kind, empty for a physical device.
    Other(String),
}

/// How the macvlan devices on one parent see each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the modes that the CNI plugin's configuration names"
)]
pub enum MacvlanMode {
    /// Directly.
    #[default]
    Bridge,
    /// One device takes the parent over.
    Passthru,
    /// Not at all.
    Private,
    /// Through the switch beyond the parent.
    Vepa,
}

/// Flags of a bridge's port: `bridge link set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Port {
    /// A frame may go out where it came in.
    pub hairpin: bool,
    /// It talks to no other isolated port.
    pub isolated: bool,
    /// The bridge learns addresses from it.
    pub learning: bool,
    /// The bridge answers neighbour requests for what lies behind it.
    pub neigh_suppress: bool,
}

impl Default for Port {
    /// The kernel's own defaults.
    fn default() -> Self {
        Self {
            hairpin: false,
            isolated: false,
            learning: true,
            neigh_suppress: false,
        }
    }
}
