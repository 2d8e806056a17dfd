//! Options of sockets that no safe interface reaches: who a socket's namespace is, and how netlink answers.
//!
//! The one file of this crate that may be unsafe.

#![expect(
    unsafe_code,
    reason = "getsockopt(2) and setsockopt(2) for options that rustix does not have"
)]

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A switch of a netlink socket (netlink(7)).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Switch {
    /// Refusals do not repeat the request (`NETLINK_CAP_ACK`).
    CapAck,
    /// Refusals carry a text (`NETLINK_EXT_ACK`).
    ExtAck,
    /// Requests are checked and filtered by the kernel (`NETLINK_GET_STRICT_CHK`).
    StrictCheck,
}

/// Turns `switch` on.
pub(crate) fn turn_on(socket: BorrowedFd<'_>, switch: Switch) -> io::Result<()> {
    let name = match switch {
        Switch::CapAck => libc::NETLINK_CAP_ACK,
        Switch::ExtAck => libc::NETLINK_EXT_ACK,
        Switch::StrictCheck => libc::NETLINK_GET_STRICT_CHK,
    };
    let on: c_int = 1;
    // SAFETY: the descriptor is open for as long as the borrow lasts; the pointer is to a live integer and
    // the length is that integer's, and the kernel only reads it.
    // WHY: rustix 1.1 has no options of the level SOL_NETLINK.
    let answer = unsafe {
        let value = (&raw const on).cast();
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_NETLINK,
            name,
            value,
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    if answer == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The number of the namespace that `socket` was made in, unique while the machine runs (`SO_NETNS_COOKIE`,
/// Linux 5.14).
pub(crate) fn netns_cookie(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut cookie: u64 = 0;
    let mut length = size_of::<u64>() as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as the borrow lasts; both pointers are to live integers,
    // `length` says how many bytes `cookie` has, and the kernel writes no more than that.
    // WHY: rustix 1.1 has no SO_NETNS_COOKIE, and nothing else tells namespaces apart for good.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    if answer == 0 {
        Ok(cookie)
    } else {
        Err(io::Error::last_os_error())
    }
}
