//! Attributes of links that the bindings do not have: the kernel's description of veth, macvlan and vxlan
//! is not among those that they are made from (numbers of linux/if_link.h).

use std::net::IpAddr;

use netlink_bindings::utils::{finalize_nested_header, push_header, write_header};

pub(super) const IFLA_INFO_DATA: u16 = 2;

pub(super) const VETH_INFO_PEER: u16 = 1;

pub(super) const IFLA_MACVLAN_MODE: u16 = 1;
pub(super) const IFLA_MACVLAN_BC_QUEUE_LEN: u16 = 7;

pub(super) const IFLA_VXLAN_ID: u16 = 1;
pub(super) const IFLA_VXLAN_GROUP: u16 = 2;
pub(super) const IFLA_VXLAN_LINK: u16 = 3;
pub(super) const IFLA_VXLAN_LOCAL: u16 = 4;
pub(super) const IFLA_VXLAN_LEARNING: u16 = 7;
pub(super) const IFLA_VXLAN_PORT: u16 = 15;
pub(super) const IFLA_VXLAN_GROUP6: u16 = 16;
pub(super) const IFLA_VXLAN_LOCAL6: u16 = 17;
pub(super) const IFLA_VXLAN_UDP_CSUM: u16 = 18;
pub(super) const IFLA_VXLAN_COLLECT_METADATA: u16 = 25;

/// Appends an attribute.
pub(super) fn push(buffer: &mut Vec<u8>, kind: u16, value: &[u8]) {
    push_header(buffer, kind, value.len() as u16);
    buffer.extend(value);
}

/// Appends an address as the attribute of its family.
pub(super) fn push_ip(buffer: &mut Vec<u8>, v4: u16, v6: u16, address: IpAddr) {
    match address {
        IpAddr::V4(address) => push(buffer, v4, &address.octets()),
        IpAddr::V6(address) => push(buffer, v6, &address.octets()),
    }
}

/// Appends an attribute that holds what `fill` appends.
pub(super) fn nest(buffer: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    let at = write_header(buffer, kind);
    fill(buffer);
    finalize_nested_header(buffer, at);
}
