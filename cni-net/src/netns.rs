//! Network namespaces: opened once, identified, entered on threads of their own.

mod anonymous;
mod door;
mod place;

use std::sync::Arc;

use cni_core::spec::NetnsPath;

use crate::NetError;

pub use anonymous::Anonymous;
pub(crate) use door::Door;
pub(crate) use place::Place;

/// What identifies a namespace for as long as the machine runs: inode numbers come back, cookies do not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct NetnsId {
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot: String,
    /// `SO_NETNS_COOKIE` (Linux 5.14).
    pub cookie: u64,
}

impl NetnsId {
    /// The namespace with `cookie`, since the boot `boot`.
    pub fn new(boot: impl Into<String>, cookie: u64) -> Self {
        let boot = boot.into();
        Self { boot, cookie }
    }
}

/// An opened, identified namespace. Clones share the descriptor and the sockets, which are closed with the
/// last of them: a namespace lives on for as long as somebody holds one.
#[derive(Clone, Debug)]
pub struct Netns {
    pub(crate) id: NetnsId,
    pub(crate) path: NetnsPath,
    /// Nothing where there is no kernel behind it.
    pub(crate) place: Option<Arc<Place>>,
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

    pub(crate) fn place(&self) -> Result<&Arc<Place>, NetError> {
        self.place.as_ref().ok_or_else(|| NetError::NetnsGone {
            path: self.path.as_path().to_owned(),
            why: "it was never opened",
        })
    }
}

/// Runs `f` in `netns`, on a thread of its own, which is never switched back: `ip netns exec`.
///
/// # Errors
/// [`NetError::Netns`] when there can be no such thread, or it may not enter.
pub fn within<T: Send>(netns: &Netns, f: impl FnOnce() -> T + Send) -> Result<T, NetError> {
    netns.place()?.within(f)
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
