//! The frames of an announcement.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cni_core::spec::Mac;

const ETHERTYPE_ARP: [u8; 2] = [0x08, 0x06];
const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];
const ICMPV6: u8 = 58;

/// The frame that says that `address` is at `mac`.
pub(super) fn announcement(mac: Mac, address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => gratuitous_arp(mac, address),
        IpAddr::V6(address) => unsolicited_advertisement(mac, address),
    }
}

/// An ARP announcement: a broadcast request for the sender's own address (RFC 5227, section 3).
fn gratuitous_arp(mac: Mac, address: Ipv4Addr) -> Vec<u8> {
    // Ethernet, IPv4, their lengths, and the operation "request".
    const HEAD: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, 1];
    let mut frame = ethernet(Mac([0xff; 6]), mac, ETHERTYPE_ARP);
    frame.extend_from_slice(&HEAD);
    frame.extend_from_slice(&mac.0);
    frame.extend_from_slice(&address.octets());
    frame.extend_from_slice(&[0; 6]);
    frame.extend_from_slice(&address.octets());
    frame
}

/// A neighbour advertisement to all nodes that nobody asked for, with the override flag
/// (RFC 4861, sections 4.4 and 7.2.6).
fn unsolicited_advertisement(mac: Mac, address: Ipv6Addr) -> Vec<u8> {
    const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    const ALL_NODES_MAC: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);
    const OVERRIDE: u8 = 0x20;
    /// The advertiser's link-layer address, one unit of eight bytes.
    const TARGET_LINK_LAYER: [u8; 2] = [2, 1];

    let mut icmp = vec![136, 0, 0, 0, OVERRIDE, 0, 0, 0];
    icmp.extend_from_slice(&address.octets());
    icmp.extend_from_slice(&TARGET_LINK_LAYER);
    icmp.extend_from_slice(&mac.0);
    let sum = checksum(address, ALL_NODES, &icmp).to_be_bytes();
    icmp[2..4].copy_from_slice(&sum);

    let mut frame = ethernet(ALL_NODES_MAC, mac, ETHERTYPE_IPV6);
    let length = (icmp.len() as u16).to_be_bytes();
    // Receivers drop an advertisement whose hop limit is not 255: a router would have lowered it.
    frame.extend_from_slice(&[0x60, 0, 0, 0, length[0], length[1], ICMPV6, 255]);
    frame.extend_from_slice(&address.octets());
    frame.extend_from_slice(&ALL_NODES.octets());
    frame.extend_from_slice(&icmp);
    frame
}

fn ethernet(to: Mac, from: Mac, ethertype: [u8; 2]) -> Vec<u8> {
    let mut frame = to.0.to_vec();
    frame.extend_from_slice(&from.0);
    frame.extend_from_slice(&ethertype);
    frame
}

/// The checksum of an ICMPv6 message with its pseudo-header (RFC 8200, section 8.1).
fn checksum(from: Ipv6Addr, to: Ipv6Addr, message: &[u8]) -> u16 {
    let pseudo = from.octets().into_iter().chain(to.octets());
    let pseudo = pseudo.chain((message.len() as u32).to_be_bytes());
    let bytes: Vec<u8> = pseudo
        .chain([0, 0, 0, ICMPV6])
        .chain(message.iter().copied())
        .collect();
    let word = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
    let mut sum: u32 = bytes.chunks(2).map(word).sum();
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f]);

    #[test]
    fn an_ipv4_announcement_is_a_broadcast_request_for_itself() {
        #[rustfmt::skip]
        let expected = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f, 0x08, 0x06,
            0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
            0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f, 10, 1, 2, 3,
            0, 0, 0, 0, 0, 0, 10, 1, 2, 3,
        ];
        assert_eq!(announcement(MAC, "10.1.2.3".parse().unwrap()), expected);
    }

    #[test]
    fn an_ipv6_announcement_overrides_what_all_nodes_know() {
        #[rustfmt::skip]
        let expected = [
            0x33, 0x33, 0, 0, 0, 1, 0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f, 0x86, 0xdd,
            0x60, 0, 0, 0, 0, 32, 58, 255,
            0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3,
            0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
            136, 0, SUM[0], SUM[1], 0x20, 0, 0, 0,
            0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3,
            2, 1, 0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f,
        ];
        assert_eq!(announcement(MAC, "fd00::3".parse().unwrap()), expected);
    }

    /// By hand: fd00+3 + ff02+1 + 20 + 3a + 8800 + 2000 + fd00+3 + 0201+0a1b+2c3d+4e5f, folded, inverted.
    const SUM: [u8; 2] = [0xd7, 0xe0];
}
