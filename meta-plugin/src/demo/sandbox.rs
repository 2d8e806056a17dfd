//! Namespaces of the demonstration's own, so that it touches nothing and leaves nothing, however it ends.

use std::fs;
use std::io;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{getegid, geteuid};
use rustix::thread::UnshareFlags;

/// Leaves the machine's network and mounts for new ones; without root by way of a user namespace.
///
/// Everything made afterwards hangs on these namespaces and so on this process: the kernel removes
/// it when the process ends, be it by `kill -9`. Must be called before any thread is started, since
/// a user namespace is refused to a process with threads.
///
/// # Errors
/// When the kernel allows neither, as in a container without privileges.
pub(super) fn enter() -> io::Result<()> {
    if !geteuid().is_root() {
        become_root_of_user_namespace()?;
    }
    unshare(UnshareFlags::NEWNS | UnshareFlags::NEWNET)?;
    make_mounts_private()
}

fn become_root_of_user_namespace() -> io::Result<()> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    unshare(UnshareFlags::NEWUSER)?;
    // A group may be mapped by an unprivileged process only once it can no longer drop groups.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}

/// Gives the calling thread a network and mounts of its own, with empty `/run` and `/var/lib`: a node.
///
/// # Errors
/// When the kernel refuses, or one of the directories does not exist.
pub(super) fn become_node() -> io::Result<()> {
    // Threads share one view of the file system until they are told otherwise.
    unshare(UnshareFlags::FS | UnshareFlags::NEWNS | UnshareFlags::NEWNET)?;
    make_mounts_private()?;
    for directory in ["/run", "/var/lib"] {
        mount("plexus-demo", directory, "tmpfs", MountFlags::empty(), None)?;
    }
    Ok(())
}

fn make_mounts_private() -> io::Result<()> {
    Ok(mount_change(
        "/",
        MountPropagationFlags::REC | MountPropagationFlags::PRIVATE,
    )?)
}

#[expect(
    deprecated,
    reason = "unsafe is only what UnshareFlags::FILES does, which is not asked for"
)]
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    Ok(rustix::thread::unshare(flags)?)
}
