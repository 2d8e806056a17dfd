//! Namespaces without a name.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;

use cni_core::spec::NetnsPath;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::getpid;
use rustix::thread::UnshareFlags;

use crate::NetError;

/// A fresh, empty namespace that this process alone holds: it goes when the value is dropped and nobody has
/// opened it in the meantime. For demonstrations and tests; nothing is left to sweep up.
#[derive(Debug)]
pub struct Anonymous {
    path: NetnsPath,
    _fd: OwnedFd,
}

impl Anonymous {
    /// Makes one: `unshare -n`. Its loopback interface is down, as the kernel makes it.
    ///
    /// # Errors
    /// [`NetError::Netns`] when the kernel refuses, for want of `CAP_SYS_ADMIN` for instance.
    pub fn new() -> Result<Self, NetError> {
        let failed = |source| NetError::Netns {
            path: "(new)".into(),
            source,
        };
        let thread = thread::Builder::new().name("netns".to_owned()).spawn(unshared);
        let fd = match thread.map_err(failed)?.join() {
            Ok(fd) => fd.map_err(failed)?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let pid = getpid().as_raw_nonzero();
        let path = NetnsPath::new(format!("/proc/{pid}/fd/{}", fd.as_raw_fd()));
        Ok(Self { path, _fd: fd })
    }

    /// Where other processes of this machine find it too.
    pub fn path(&self) -> &NetnsPath {
        &self.path
    }
}

/// The namespace of a thread that ends with this function.
#[expect(
    deprecated,
    reason = "unsafe is only what UnshareFlags::FILES does, which is not asked for"
)]
fn unshared() -> io::Result<OwnedFd> {
    rustix::thread::unshare(UnshareFlags::NEWNET)?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(open("/proc/thread-self/ns/net", flags, Mode::empty())?)
}
