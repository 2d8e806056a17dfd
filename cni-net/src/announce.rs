//! Telling the others on the link where an interface's addresses are now.

use cni_core::spec::Mac;

use crate::link::Change;
use crate::{At, Links, NetError};

/// Gratuitous ARP (RFC 5227, section 3) and unsolicited neighbour advertisements (RFC 4861, section 7.2.6).
///
/// The kernel sends them when an interface is given its hardware address, even the one that it has. That is
/// used here rather than a packet socket: closing one of those waits for an RCU grace period, which costs
/// more than all the rest of an ADD.
pub trait Announce: Links {
    /// Has the kernel announce all addresses of `link`, whose hardware address is `mac`:
    /// `ip link set LINK address MAC`.
    ///
    /// # Assumptions
    /// The link is up, and `net.ipv4.conf.LINK.arp_notify` and `net.ipv6.conf.LINK.ndisc_notify` are 1.
    ///
    /// # Errors
    /// [`NetError::LinkNotFound`] when there is no such interface.
    fn announce(&self, at: At<'_>, link: &str, mac: Mac) -> Result<(), NetError> {
        let again = Change {
            mac: Some(mac),
            ..Change::default()
        };
        self.set_link(at, link, &again)
    }
}

impl<N: Links + ?Sized> Announce for N {}
