//! What is left of a result on its way from one plugin to the next, without the JSON between them.

use super::codec::{Layout, layout};
use super::parts::{self, DNS_KEYS, ROUTE_KEYS};
use super::{Interface, IpConfig, ResultError, Route, Success, v0_4, v1};
use crate::spec::{Cidr, Version};

impl Success {
    /// What a reader has once `version` has said this result: [`Success::decode`] of [`Success::encode`].
    ///
    /// # Errors
    /// Those of [`Success::encode`].
    pub(crate) fn carried(self, version: Version) -> Result<Self, ResultError> {
        match layout(version)? {
            // One address a family, each with its routes: rare by now, and not worth a second telling.
            Layout::V0_2 => Self::decode(version, self.encode(version)?.get().as_bytes()),
            Layout::V0_4 => Ok(self.known(v0_4::KEYS, v0_4::IP_KEYS, old_interface)),
            Layout::V1 => Ok(self.known(v1::KEYS, v1::IP_KEYS, interface)),
        }
    }

    fn known(mut self, keys: &[&str], ip_keys: &[&str], interface: fn(&mut Interface)) -> Self {
        self.interfaces.iter_mut().for_each(interface);
        self.ips.iter_mut().for_each(|it| ip(it, ip_keys));
        self.routes.iter_mut().for_each(route);
        self.dns.unknown.remove_all(DNS_KEYS);
        self.unknown.remove_all(keys);
        self
    }
}

fn interface(interface: &mut Interface) {
    interface.mtu = parts::number(interface.mtu);
    interface.unknown.remove_all(v1::INTERFACE_KEYS);
}

/// Before 1.0.0 an interface is its name, address and namespace; the rest, if a plugin says it, is not understood.
fn old_interface(interface: &mut Interface) {
    interface.mtu = None;
    interface.socket_path.clear();
    interface.pci_id.clear();
    interface.unknown.remove_all(v0_4::INTERFACE_KEYS);
}

fn ip(ip: &mut IpConfig, keys: &[&str]) {
    ip.address = Cidr::from(ip.address).net();
    ip.gateway = parts::gateway(ip.gateway);
    ip.unknown.remove_all(keys);
}

fn route(route: &mut Route) {
    route.dst = Cidr::from(route.dst).net();
    route.gw = parts::gateway(route.gw);
    route.mtu = parts::number(route.mtu);
    route.advmss = parts::number(route.advmss);
    route.priority = parts::number(route.priority);
    route.unknown.remove_all(ROUTE_KEYS);
}
