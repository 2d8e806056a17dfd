//! The way into a namespace.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::{Mode, OFlags, fstat, fstatfs, open, stat};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tracing::Span;

use crate::NetError;

/// The calling thread's namespace.
const HERE: &str = "/proc/thread-self/ns/net";

/// `NSFS_MAGIC` of linux/magic.h.
const NSFS_MAGIC: u64 = 0x6e73_6673;

/// An open namespace.
#[derive(Debug)]
pub(crate) struct Door {
    path: PathBuf,
    fd: OwnedFd,
}

impl Door {
    /// The calling thread's namespace.
    pub(super) fn here() -> Result<Self, NetError> {
        Self::open(Path::new(HERE))
    }

    /// The namespace at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, NetError> {
        let (fd, path) = (open_file(path)?, path.to_owned());
        Ok(Self { path, fd })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Runs `f` in this namespace: at once where the calling thread is in it, else on a thread of its own.
    pub(crate) fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T, NetError> {
        if self.is_here() { Ok(f()) } else { self.within(f) }
    }

    /// Runs `f` in this namespace, on a thread of its own.
    pub(super) fn within<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T, NetError> {
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
    // What is logged there belongs to what the caller does.
    let span = Span::current();
    thread::scope(|scope| {
        let entered = move || enter(fd).map(|()| span.in_scope(f));
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
