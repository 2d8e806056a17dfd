//! Interfaces: `ip link`, and the port flags of `bridge link`.

use std::net::IpAddr;

use cni_core::spec::{IfName, Mac};

use crate::{At, NetError, Netns};

/// The group number of the container ends of all links that we create: one request removes a pod's.
///
/// It is used for deletion in the pod's own namespace alone, where nobody else's number can match.
pub const POD_GROUP: u32 = 0x706c_7873;

/// An MTU in bytes, 68 to 65535: what IPv4 needs at least, and what the kernel's field for it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mtu(u32);

impl Mtu {
    /// The number of bytes.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Mtu {
    type Error = NetError;
    fn try_from(bytes: u32) -> Result<Self, NetError> {
        if (68..=65_535).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            let rule = "is not between 68 and 65535";
            Err(NetError::Value {
                what: "MTU",
                value: bytes.to_string(),
                rule,
            })
        }
    }
}

/// A VXLAN network identifier, 1 to 2²⁴−1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vni(u32);

impl Vni {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Vni {
    type Error = NetError;
    fn try_from(number: u32) -> Result<Self, NetError> {
        if (1..1 << 24).contains(&number) {
            Ok(Self(number))
        } else {
            let rule = "is not between 1 and 16777215";
            Err(NetError::Value {
                what: "VNI",
                value: number.to_string(),
                rule,
            })
        }
    }
}

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
    /// The number of the bridge that it is a port of.
    pub master: Option<u32>,
    /// The link that it hangs on or is the peer of (`IFLA_LINK`); a number in another namespace for a veth.
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
    /// `ip link set … mtu`.
    pub mtu: Option<Mtu>,
    /// `ip link set … address`.
    pub mac: Option<Mac>,
    /// `ip link set … alias`.
    pub alias: Option<String>,
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

/// Interfaces: `ip link`.
pub trait Links {
    /// `ip link show NAME`; `None` when there is none.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn link(&self, at: At<'_>, name: &str) -> Result<Option<Link>, NetError>;

    /// `ip link show`, by number; `None` when there is none.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn link_by_index(&self, at: At<'_>, index: u32) -> Result<Option<Link>, NetError>;

    /// `ip link show`: all of them.
    ///
    /// # Errors
    /// When the kernel refuses, or the list changed each time that it was read.
    fn links(&self, at: At<'_>) -> Result<Vec<Link>, NetError>;

    /// Makes the bridge, up, with `accept_ra` off, or takes the one that is there as it is.
    ///
    /// # Errors
    /// [`NetError::WrongKind`] when something else has the name.
    fn ensure_bridge(&self, new: &NewBridge) -> Result<Link, NetError>;

    /// Makes a veth pair: the host end up with `accept_ra` off, the container end down and in [`POD_GROUP`].
    /// Answers the host end and the container end.
    ///
    /// # Errors
    /// [`NetError::is_exists`] when either name is taken; then nothing was made.
    fn add_veth(&self, new: &NewVeth<'_>) -> Result<(Link, Link), NetError>;

    /// Makes a macvlan device, down and in [`POD_GROUP`].
    ///
    /// # Errors
    /// [`NetError::is_exists`] when the name is taken; then nothing was made.
    fn add_macvlan(&self, new: &NewMacvlan<'_>) -> Result<Link, NetError>;

    /// Makes a vxlan device on the host, up.
    ///
    /// # Errors
    /// [`NetError::is_exists`] when name or VNI is taken; EADDRINUSE when the port is, on going up. Then
    /// nothing was made.
    fn add_vxlan(&self, new: &NewVxlan) -> Result<Link, NetError>;

    /// `ip link set NAME …`.
    ///
    /// # Errors
    /// [`NetError::LinkNotFound`] when there is none.
    fn set_link(&self, at: At<'_>, name: &str, change: &Change) -> Result<(), NetError>;

    /// `bridge link set dev NAME …`: writes all the flags.
    ///
    /// # Errors
    /// [`NetError::LinkNotFound`] when there is none.
    fn set_port(&self, at: At<'_>, name: &str, port: Port) -> Result<(), NetError>;

    /// `ip link del NAME`; whether there was one.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn del_link(&self, at: At<'_>, name: &str) -> Result<bool, NetError>;

    /// `ip link del group`: removes all links that we made in this container, in one request.
    ///
    /// # Errors
    /// When the kernel refuses; that there is none is no error.
    fn del_pod_links(&self, netns: &Netns) -> Result<(), NetError>;
}
