//! One namespace as the kernel layer holds it: the way in, and our sockets there.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::{Door, NetnsId};
use crate::NetError;
use crate::socket::{Protocol, Sockets};

/// One namespace.
#[derive(Debug)]
pub(crate) struct Place {
    door: Arc<Door>,
    route: Sockets,
    netfilter: Sockets,
}

impl Place {
    /// The calling thread's namespace.
    pub(crate) fn here() -> Result<Self, NetError> {
        Ok(Self::behind(Door::here()?))
    }

    /// The namespace at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, NetError> {
        Ok(Self::behind(Door::open(path)?))
    }

    fn behind(door: Door) -> Self {
        let door = Arc::new(door);
        let sockets = |protocol| Sockets::new(Arc::clone(&door), protocol);
        let (route, netfilter) = (sockets(Protocol::Route), sockets(Protocol::Netfilter));
        Self {
            door,
            route,
            netfilter,
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.door.fd()
    }

    /// The sockets for links, addresses, routes and neighbours.
    pub(crate) fn route(&self) -> &Sockets {
        &self.route
    }

    /// The sockets for nftables.
    pub(crate) fn netfilter(&self) -> &Sockets {
        &self.netfilter
    }

    /// Who it is.
    pub(crate) fn id(&self) -> Result<NetnsId, NetError> {
        let failed = |source| NetError::Netns {
            path: self.door.path().to_owned(),
            source,
        };
        let boot = boot_id().map_err(failed)?;
        let cookie = self.route.netns_cookie()?.map_err(failed)?;
        Ok(NetnsId { boot, cookie })
    }

    /// Runs `f` in this namespace: at once where the calling thread is in it, else on a thread of its own.
    pub(crate) fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T, NetError> {
        self.door.run(f)
    }

    /// Runs `f` in this namespace, on a thread of its own.
    pub(crate) fn within<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T, NetError> {
        self.door.within(f)
    }
}

/// Which start of the machine this is; read once, for it cannot change.
fn boot_id() -> io::Result<String> {
    static BOOT: OnceLock<String> = OnceLock::new();
    if let Some(boot) = BOOT.get() {
        return Ok(boot.clone());
    }
    let text = io::read_to_string(File::open("/proc/sys/kernel/random/boot_id")?)?;
    Ok(BOOT.get_or_init(|| text.trim_end().to_owned()).clone())
}
