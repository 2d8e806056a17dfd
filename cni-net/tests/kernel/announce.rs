use std::net::IpAddr;
use std::num::NonZeroU32;
use std::os::fd::OwnedFd;
use std::time::Duration;

use cni_core::spec::Mac;
use cni_net::link::Change;
use cni_net::netns::within;
use cni_net::{Announce, At, Links, NetError};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketFlags, SocketType, recv, socket_with, sockopt};

use crate::fixture::{Node, Place};

const MAC: Mac = Mac([2, 0, 0, 0, 0, 9]);

/// Hears all frames of a namespace.
fn listener() -> OwnedFd {
    /// `ETH_P_ALL`.
    const ALL: u16 = 3;
    let all = NonZeroU32::new(ALL.to_be().into()).map(Protocol::from_raw);
    let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, all);
    let socket = socket.unwrap();
    let patience = Some(Duration::from_secs(5));
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, patience).unwrap();
    socket
}

/// The next frame from [`MAC`] of that type.
fn next(listener: &OwnedFd, ethertype: [u8; 2]) -> Vec<u8> {
    let mut frame = [0; 2048];
    loop {
        let (length, _) = recv(listener, &mut frame[..], RecvFlags::empty()).unwrap();
        if frame[6..12] == MAC.0 && frame[12..14] == ethertype {
            return frame[..length].to_vec();
        }
    }
}

#[test]
fn the_other_end_of_the_link_hears_of_each_address() {
    let (node, pod) = (Node::new(), Place::new());
    node.veth(&pod, "eth0", "host0");
    let at = At::Netns(&pod.netns);
    node.kernel.set_link(at, "eth0", &Change::up()).unwrap();
    let listener = within(&node.place.netns, listener).unwrap();
    let addresses: [IpAddr; 2] = ["10.1.2.3".parse().unwrap(), "fd00::3".parse().unwrap()];
    node.kernel.announce(at, "eth0", MAC, &addresses).unwrap();

    let arp = next(&listener, [0x08, 0x06]);
    assert_eq!((&arp[..6], arp.len()), (&[0xff; 6][..], 42));
    assert_eq!(
        (&arp[28..32], &arp[38..42]),
        (&[10, 1, 2, 3][..], &[10, 1, 2, 3][..])
    );
    let advertisement = next(&listener, [0x86, 0xdd]);
    // The type of the message, its flags, and the address that it is about.
    assert_eq!((advertisement[54], advertisement[58]), (136, 0x20));
    assert_eq!(
        advertisement[62..78],
        "fd00::3".parse::<std::net::Ipv6Addr>().unwrap().octets()
    );
}

#[test]
fn a_missing_interface_is_named() {
    let node = Node::new();
    let address = ["10.1.2.3".parse().unwrap()];
    let error = node.kernel.announce(At::Host, "nope", MAC, &address).unwrap_err();
    assert!(
        matches!(&error, NetError::LinkNotFound { name } if name == "nope"),
        "{error:?}"
    );
}
