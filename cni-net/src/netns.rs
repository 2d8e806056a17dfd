//! Network namespaces: opened once, identified, entered on threads of their own.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use cni_core::spec::NetnsPath;

use crate::NetError;

/// What identifies a namespace for as long as the machine runs: inode numbers come back, cookies do not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct NetnsId {
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot: String,
    /// `SO_NETNS_COOKIE` (Linux 5.14).
    pub cookie: u64,
}

/// An opened, identified namespace. Clones share the descriptor.
#[derive(Clone, Debug)]
pub struct Netns {
    pub(crate) id: NetnsId,
    pub(crate) path: NetnsPath,
    #[expect(dead_code, reason = "the kernel layer uses it")]
    pub(crate) fd: Option<Arc<OwnedFd>>,
}

impl Netns {
    /// Who it is.
    pub fn id(&self) -> &NetnsId {
        &self.id
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &NetnsPath {
        &self.path
    }
}

/// Where an operation happens.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third place")]
pub enum At<'a> {
    /// In the namespace in which the [`crate::Kernel`] was made: a plugin's own.
    Host,
    /// In a container's.
    Netns(&'a Netns),
}

/// Opening namespaces: `ip netns`.
pub trait Namespaces {
    /// Opens the namespace at `path` and learns its identity.
    ///
    /// # Errors
    /// [`NetError::NetnsGone`] when nothing is there, or a file that is no namespace.
    fn open(&self, path: &NetnsPath) -> Result<Netns, NetError>;

    /// The identity of the host's namespace.
    ///
    /// # Errors
    /// When the kernel does not tell.
    fn host_id(&self) -> Result<NetnsId, NetError>;
}
