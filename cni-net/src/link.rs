//! Interfaces: `ip link`, and the port flags of `bridge link`.

mod attr;
mod decode;
mod encode;
mod kernel;
mod make;
mod new;
mod shown;

#[cfg(feature = "fake")]
pub(crate) use kernel::alias_fits;
pub(crate) use kernel::{index, names};
pub use new::{Change, NewBridge, NewMacvlan, NewVeth, NewVxlan};
pub use shown::{Link, LinkKind, MacvlanMode, OperState, Port};

use crate::{At, NetError, Netns};

/// The group number of the container ends of all links that we create: one request removes a pod's.
///
/// It is used for deletion in the pod's own namespace alone, where nobody else's number can match.
pub const POD_GROUP: u32 = 0x706c_7873;

/// The name that a macvlan device is born under where the kernel refuses it its own (before Linux 6.15, when
/// the host has an interface of that name). A process killed before the renaming leaves it behind.
pub const PASSING_NAME: &str = "plx-unfinished";

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

    /// Makes the bridge, up, with `accept_ra` off; or takes the one that is there as it is, but sets it up.
    ///
    /// # Errors
    /// [`NetError::WrongKind`] when something else has the name.
    fn ensure_bridge(&self, new: &NewBridge) -> Result<Link, NetError>;

    /// Makes a veth pair: the host end up with `accept_ra` off, the container end down and in [`POD_GROUP`].
    /// A process killed in between leaves the host end in its [`NewVeth::birth_group`]. Answers the host end and the container end.
    ///
    /// # Errors
    /// [`NetError::is_exists`] when either name is taken; then nothing was made.
    fn add_veth(&self, new: &NewVeth<'_>) -> Result<(Link, Link), NetError>;

    /// Makes a macvlan device, down and in [`POD_GROUP`].
    ///
    /// # Errors
    /// [`NetError::is_exists`] when the name is taken; then nothing was made.
    fn add_macvlan(&self, new: &NewMacvlan<'_>) -> Result<Link, NetError>;

    /// Makes a vxlan device on the host, up, with `accept_ra` off. It checks and sends UDP checksums over IPv4.
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
    /// [`NetError::LinkNotFound`] when there is none; EOPNOTSUPP when it is no bridge's port.
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
