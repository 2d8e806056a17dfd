//! One namespace as the kernel layer holds it: its descriptor, and our sockets in it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

use rustix::fs::{Mode, OFlags, fstat, fstatfs, open, stat};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::NetnsId;
use crate::NetError;
use crate::socket::{Protocol, Socket};

/// The calling thread's namespace.
const HERE: &str = "/proc/thread-self/ns/net";

/// `NSFS_MAGIC` of linux/magic.h.
const NSFS_MAGIC: u64 = 0x6e73_6673;

/// One namespace.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    fd: OwnedFd,
    route: Socket,
    /// Few need it.
    netfilter: OnceLock<Socket>,
}

impl Place {
    /// The calling thread's namespace.
    pub(crate) fn here() -> Result<Self, NetError> {
        let path = PathBuf::from(HERE);
        let fd = open_file(&path)?;
        let route = Socket::open(Protocol::Route)?;
        Ok(Self::new(path, fd, route))
    }

    /// The namespace at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, NetError> {
        let fd = open_file(path)?;
        let route = within(path, fd.as_fd(), || Socket::open(Protocol::Route))??;
        Ok(Self::new(path.to_owned(), fd, route))
    }

    fn new(path: PathBuf, fd: OwnedFd, route: Socket) -> Self {
        Self {
            path,
            fd,
            route,
            netfilter: OnceLock::new(),
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The socket for links, addresses, routes and neighbours.
    pub(crate) fn route(&self) -> &Socket {
        &self.route
    }

    /// The socket for nftables.
    pub(crate) fn netfilter(&self) -> Result<&Socket, NetError> {
        if let Some(socket) = self.netfilter.get() {
            return Ok(socket);
        }
        let socket = self.run(|| Socket::open(Protocol::Netfilter))??;
        Ok(self.netfilter.get_or_init(|| socket))
    }

    /// Who it is.
    pub(crate) fn id(&self) -> Result<NetnsId, NetError> {
        let failed = |source| NetError::Netns {
            path: self.path.clone(),
            source,
        };
        let boot = boot_id().map_err(failed)?;
        let cookie = self.route.netns_cookie().map_err(failed)?;
        Ok(NetnsId { boot, cookie })
    }

    /// Runs `f` in this namespace: at once where the calling thread is in it, else on a thread of its own.
    pub(crate) fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T, NetError> {
        if self.is_here() { Ok(f()) } else { self.within(f) }
    }

    /// Runs `f` in this namespace, on a thread of its own.
    pub(crate) fn within<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T, NetError> {
        within(&self.path, self.fd(), f)
    }

    /// Inode numbers come back, but not while somebody holds the namespace, and we hold this one.
    fn is_here(&self) -> bool {
        let (ours, current) = (fstat(&self.fd), stat(HERE));
        matches!((ours, current), (Ok(a), Ok(b)) if (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
    }
}

/// Runs `f` on a thread of its own that entered the namespace `fd` and is never switched back, so that no
/// way out of `f` can leave a thread of the caller's in the wrong place.
fn within<T: Send>(path: &Path, fd: BorrowedFd<'_>, f: impl FnOnce() -> T + Send) -> Result<T, NetError> {
    let failed = |source| NetError::Netns {
        path: path.to_owned(),
        source,
    };
    thread::scope(|scope| {
        let entered = move || enter(fd).map(|()| f());
        let thread = thread::Builder::new()
            .name("netns".to_owned())
            .spawn_scoped(scope, entered)
            .map_err(failed)?;
        match thread.join() {
            Ok(result) => result.map_err(|errno| failed(errno.into())),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a thread changes its namespace; it ends there"
)]
fn enter(netns: BorrowedFd<'_>) -> Result<(), Errno> {
    move_into_link_name_space(netns, Some(LinkNameSpaceType::Network))
}

/// Opens a namespace's file, and nothing that merely lies where one was.
fn open_file(path: &Path) -> Result<OwnedFd, NetError> {
    let gone = |why| NetError::NetnsGone {
        path: path.to_owned(),
        why,
    };
    let failed = |errno: Errno| NetError::Netns {
        path: path.to_owned(),
        source: errno.into(),
    };
    // Whatever lies there must not be able to make us wait: opening a pipe would.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let fd = match open(path, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Err(gone("no such file or directory")),
        // A socket, or links that lead in a circle.
        Err(Errno::NXIO | Errno::LOOP) => return Err(gone("what is there is no namespace")),
        // The process that the path names ended between the look-up and the opening.
        Err(Errno::SRCH) => return Err(gone("its process has ended")),
        opened => opened.map_err(failed)?,
    };
    if fstatfs(&fd).map_err(failed)?.f_type as u64 == NSFS_MAGIC {
        Ok(fd)
    } else {
        Err(gone(
            "the file there is no namespace; either it was unmounted, or its mount did not propagate to the \
             mount namespace of this process",
        ))
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
