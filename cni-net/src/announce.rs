//! Telling the others on the link where an address is now.

use std::net::IpAddr;

use cni_core::spec::Mac;

use crate::{At, NetError};

/// Gratuitous ARP (RFC 5227, section 3) and unsolicited neighbour advertisements (RFC 4861, section 7.2.6).
pub trait Announce {
    /// Sends one announcement for each address from LINK, whose hardware address is `mac`.
    ///
    /// # Errors
    /// When a packet could not be handed to the interface.
    fn announce(&self, at: At<'_>, link: &str, mac: Mac, addresses: &[IpAddr]) -> Result<(), NetError>;
}
