#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use netlink_bindings::rt_link::{Ifinfomsg, PushLinkAttrs};
use netlink_bindings::traits::Pusher;

use super::super::attr;
use super::*;

/// A description as the kernel gives it, of a link of `kind` with `data`, which is a bridge's port.
fn described(kind: &str, data: &[(u16, &[u8])]) -> Vec<u8> {
    let mut header = Ifinfomsg::new();
    header.ifi_index = 7;
    header.ifi_flags = 0x1_1303;
    let mut body = header.as_slice().to_vec();
    let mut info = PushLinkAttrs::new(&mut body)
        .push_ifname_bytes(b"link")
        .push_mtu(1450)
        .push_operstate(6)
        .push_txqlen(17)
        .push_address(&[2, 0, 0, 0, 0, 1])
        .push_master(3)
        .push_link(9)
        .push_group(5)
        .push_ifalias_bytes("alias \u{fc}".as_bytes())
        .nested_linkinfo()
        .push_kind_bytes(kind.as_bytes());
    attr::nest(info.as_vec_mut(), attr::IFLA_INFO_DATA, |buffer| {
        data.iter()
            .for_each(|(kind, value)| attr::push(buffer, *kind, value));
    });
    info.nested_slave_data_bridge()
        .push_mode(1)
        .push_learning(0)
        .push_isolated(1);
    // What a later kernel says besides.
    attr::push(&mut body, 0x3ff, b"unknown");
    body
}

#[track_caller]
fn check(kind: &str, data: &[(u16, &[u8])], expected: LinkKind) {
    assert_eq!(link(&described(kind, data)).unwrap().kind, expected);
}

#[test]
fn a_description_is_read() {
    let link = link(&described("veth", &[])).unwrap();
    assert_eq!((link.index, link.name.as_str(), link.mtu), (7, "link", 1450));
    assert_eq!((link.up, link.promisc, link.state), (true, true, OperState::Up));
    assert_eq!((link.allmulti, link.txqlen), (true, 17));
    assert_eq!((link.master, link.parent, link.group), (Some(3), Some(9), 5));
    assert_eq!(
        (link.mac, link.alias.as_deref()),
        (Some(Mac([2, 0, 0, 0, 0, 1])), Some("alias \u{fc}"))
    );
    let port = link.port.unwrap();
    assert_eq!(
        (port.hairpin, port.isolated, port.learning, port.neigh_suppress),
        (true, true, false, false)
    );
}

#[test]
fn kinds_are_read() {
    check("bridge", &[], LinkKind::Bridge);
    check("veth", &[], LinkKind::Veth);
    check("dummy", &[], LinkKind::Other("dummy".to_owned()));
    let mode = MacvlanMode::Passthru;
    check(
        "macvlan",
        &[(1, &8_u32.to_ne_bytes())],
        LinkKind::Macvlan { mode },
    );
    check(
        "macvlan",
        &[(1, &16_u32.to_ne_bytes())],
        LinkKind::Other("macvlan".to_owned()),
    );
    let (id, port) = (5001_u32.to_ne_bytes(), 4789_u16.to_be_bytes());
    let group = IpAddr::from([0xff05, 0, 0, 0, 0, 0, 0, 1]);
    let vxlan = LinkKind::Vxlan {
        vni: 5001,
        port: 4789,
        local: Some(IpAddr::from([192, 0, 2, 1])),
        group: Some(group),
        external: true,
    };
    let IpAddr::V6(group) = group else { unreachable!() };
    let data: [(u16, &[u8]); 5] = [
        (1, &id),
        (4, &[192, 0, 2, 1]),
        (15, &port),
        (16, &group.octets()),
        (25, &[1]),
    ];
    check("vxlan", &data, vxlan);
}

#[test]
fn a_vxlan_names_its_parent_elsewhere() {
    let (id, port, parent) = (1_u32.to_ne_bytes(), 4789_u16.to_be_bytes(), 4_u32.to_ne_bytes());
    let data: [(u16, &[u8]); 3] = [(1, &id), (3, &parent), (15, &port)];
    assert_eq!(link(&described("vxlan", &data)).unwrap().parent, Some(4));
}

#[test]
fn bytes_cut_or_changed_anywhere_do_no_harm() {
    let whole = described("vxlan", &[(1, &[1, 0, 0, 0]), (15, &[0, 1]), (17, &[1; 16])]);
    for end in 0..whole.len() {
        let _cut_short = link(&whole[..end]);
    }
    for at in 0..whole.len() {
        for byte in [0, 1, 3, 4, 0x7f, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            let _whatever = link(&bytes);
        }
    }
    assert_eq!(link(&[]), None);
    assert_eq!(link(&whole[..16]), None);
}
