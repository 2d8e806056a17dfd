//! Telling the others on the link where an address is now.

use std::net::IpAddr;
use std::os::fd::AsRawFd;

use cni_core::spec::Mac;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::bind;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socket_with};

use crate::{At, Kernel, NetError};

mod packet;

/// Gratuitous ARP (RFC 5227, section 3) and unsolicited neighbour advertisements (RFC 4861, section 7.2.6).
pub trait Announce {
    /// Sends one announcement for each address from LINK, whose hardware address is `mac`.
    ///
    /// # Errors
    /// When a packet could not be handed to the interface.
    fn announce(&self, at: At<'_>, link: &str, mac: Mac, addresses: &[IpAddr]) -> Result<(), NetError>;
}

impl Announce for Kernel {
    fn announce(&self, at: At<'_>, link: &str, mac: Mac, addresses: &[IpAddr]) -> Result<(), NetError> {
        let frames: Vec<_> = addresses
            .iter()
            .map(|address| packet::announcement(mac, *address))
            .collect();
        let sent = self.place(at)?.run(|| send_all(link, &frames))?;
        sent.map_err(|error| match error {
            Errno::NODEV => NetError::LinkNotFound {
                name: link.to_owned(),
            },
            errno => NetError::Request {
                what: format!("announce the addresses of {link:?}"),
                source: errno.into(),
            },
        })
    }
}

/// Sends `frames` from the interface `link` of the calling thread's namespace.
fn send_all(link: &str, frames: &[Vec<u8>]) -> Result<(), Errno> {
    // The kernel's list gives the one form of an interface's address that a packet socket binds to.
    let found = getifaddrs()
        .map_err(errno)?
        .filter(|entry| entry.interface_name == link)
        .find_map(|entry| entry.address?.as_link_addr().copied());
    let link = found.ok_or(Errno::NODEV)?;
    // Without a protocol number it sends, and receives nothing.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
    bind(socket.as_raw_fd(), &link).map_err(errno)?;
    frames
        .iter()
        .try_for_each(|frame| send(&socket, frame, SendFlags::empty()).map(drop))
}

fn errno(error: nix::errno::Errno) -> Errno {
    Errno::from_raw_os_error(error as i32)
}
