//! Interfaces as a result tells of them.

use cni_core::spec::{Interface, Mac, NetnsPath};
use cni_net::link::Link;

/// An interface of the host.
pub fn on_host(link: &Link) -> Interface {
    let mut interface = Interface::new(&link.name);
    interface.mac = link.mac.map(|mac| mac.to_string()).unwrap_or_default();
    interface.mtu = Some(link.mtu);
    interface
}

/// An interface of the container whose namespace is at `netns`.
pub fn inside(link: &Link, netns: &NetnsPath) -> Interface {
    let mut interface = on_host(link);
    interface.sandbox = netns.to_string();
    interface
}

/// Whether `interface` tells of `link`: by name and hardware address.
pub fn is(interface: &Interface, link: &Link) -> bool {
    let mac = interface.mac.parse::<Mac>().ok();
    interface.name == link.name && mac.is_some() && mac == link.mac
}
