//! The messages of `bridge fdb` and `ip neigh`.

use std::net::IpAddr;

use cni_core::spec::Mac;
use netlink_bindings::rt_neigh::{
    Ndmsg, NeighbourAttrs, NtfFlags, NudState, OpDelneighDo, OpGetneighDump, OpNewneighDo,
    PushNeighbourAttrs, Request,
};
use netlink_bindings::traits::Pusher;

use super::Fdb;
use crate::family::family;
use crate::route::PROTOCOL;

/// `AF_BRIDGE`: the forwarding database, where else there would be an address family.
const FAMILY_BRIDGE: u8 = 7;

/// A request for the forwarding database of the interface `index`.
pub(super) fn list_fdb(index: u32) -> OpGetneighDump<'static> {
    let header = Ndmsg {
        ndm_family: FAMILY_BRIDGE,
        ndm_ifindex: index.cast_signed(),
        ..Ndmsg::default()
    };
    Request::new().op_getneigh_dump(&header)
}

/// A request that adds `entry` to the interface `index`.
pub(super) fn add_fdb(index: u32, entry: &Fdb) -> OpNewneighDo<'static> {
    // A device has many remotes for an address that it does not know, but one for an address that it
    // knows: a second one appended is silently ignored, so that a move would be lost.
    let request = Request::new().set_create();
    let request = match entry.mac.0 {
        [0, 0, 0, 0, 0, 0] => request.set_append(),
        _ => request.set_replace(),
    };
    let mut request = request.op_newneigh_do(&fdb_header(index, entry));
    push_fdb(request.encode(), entry);
    request
}

/// A request that removes `entry` from the interface `index`.
pub(super) fn del_fdb(index: u32, entry: &Fdb) -> OpDelneighDo<'static> {
    let header = Ndmsg {
        ndm_state: 0,
        ..fdb_header(index, entry)
    };
    let mut request = Request::new().op_delneigh_do(&header);
    push_fdb(request.encode(), entry);
    request
}

fn fdb_header(index: u32, entry: &Fdb) -> Ndmsg {
    let (flags, state) = match entry.dst {
        Some(_) => (NtfFlags::_Self, NudState::Permanent),
        None => (NtfFlags::Master, NudState::Noarp),
    };
    Ndmsg {
        ndm_family: FAMILY_BRIDGE,
        ndm_ifindex: index.cast_signed(),
        ndm_state: state as u16,
        ndm_flags: flags as u8,
        ..Ndmsg::default()
    }
}

fn push_fdb<P: Pusher>(attrs: PushNeighbourAttrs<P>, entry: &Fdb) {
    let attrs = attrs.push_lladdr(&entry.mac.0);
    match entry.dst {
        Some(dst) => attrs.push_dst(dst).end_nested(),
        None => attrs.end_nested(),
    };
}

/// Reads one answer of a list: a permanent entry of the device, or a static one of its bridge.
///
/// The addresses that a device or a bridge's port has itself are in the list too, and are left out.
pub(super) fn read_fdb(body: &[u8], index: u32) -> Option<Fdb> {
    let (header, attrs) = body.split_at_checked(Ndmsg::len())?;
    let header = Ndmsg::new_from_slice(header)?;
    if header.ndm_family != FAMILY_BRIDGE || header.ndm_ifindex != index.cast_signed() {
        return None;
    }
    let attrs = NeighbourAttrs::new(attrs);
    let mac = Mac(attrs.get_lladdr().ok()?.try_into().ok()?);
    let dst = attrs.get_dst().ok();
    let of_bridge = header.ndm_flags & NtfFlags::Master as u8 != 0 || attrs.get_master().is_ok();
    let wanted = match dst {
        Some(_) => NudState::Permanent as u16,
        None if of_bridge => NudState::Noarp as u16,
        None => return None,
    };
    (header.ndm_state & wanted != 0).then_some(Fdb { mac, dst })
}

/// A request for the neighbours of the interface `index`.
pub(super) fn list_neighbours(index: u32) -> OpGetneighDump<'static> {
    // Such a list is narrowed by the attribute; the kernel refuses a number in the header.
    let mut request = Request::new().op_getneigh_dump(&Ndmsg::default());
    request.encode().push_ifindex(index).end_nested();
    request
}

/// Reads one answer of a list: a neighbour that bears our number.
pub(super) fn read_neighbour(body: &[u8], index: u32) -> Option<(IpAddr, Mac)> {
    let (header, attrs) = body.split_at_checked(Ndmsg::len())?;
    let header = Ndmsg::new_from_slice(header)?;
    let attrs = NeighbourAttrs::new(attrs);
    let ours = header.ndm_ifindex == index.cast_signed() && attrs.get_protocol().ok() == Some(PROTOCOL);
    let mac = Mac(attrs.get_lladdr().ok()?.try_into().ok()?);
    ours.then_some((attrs.get_dst().ok()?, mac))
}

/// A request that says on the interface `index` that `address` is at `mac`.
pub(super) fn add_neighbour(index: u32, address: IpAddr, mac: Mac) -> OpNewneighDo<'static> {
    let header = Ndmsg {
        ndm_state: NudState::Noarp as u16,
        ..header(index, address)
    };
    let mut request = Request::new().set_change().op_newneigh_do(&header);
    let attrs = request.encode().push_dst(address).push_lladdr(&mac.0);
    attrs.push_protocol(PROTOCOL).end_nested();
    request
}

/// A request that removes the neighbour `address` of the interface `index`.
pub(super) fn del_neighbour(index: u32, address: IpAddr) -> OpDelneighDo<'static> {
    let mut request = Request::new().op_delneigh_do(&header(index, address));
    request.encode().push_dst(address).end_nested();
    request
}

fn header(index: u32, address: IpAddr) -> Ndmsg {
    Ndmsg {
        ndm_family: family(address),
        ndm_ifindex: index.cast_signed(),
        ..Ndmsg::default()
    }
}

#[cfg(test)]
mod tests {
    use netlink_bindings::traits::NetlinkRequest;

    use super::*;

    const MAC: Mac = Mac([0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f]);

    #[test]
    fn entries_have_the_bytes_that_bridge_fdb_sends() {
        let flood = Fdb::flood("192.0.2.1".parse().unwrap());
        #[rustfmt::skip]
        let expected = [
            7, 0, 0, 0, 5, 0, 0, 0, 0x80, 0, 2, 0,
            10, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            8, 0, 1, 0, 192, 0, 2, 1,
        ];
        let request = add_fdb(5, &flood);
        assert_eq!((request.payload(), request.flags()), (&expected[..], 0xc00));
        #[rustfmt::skip]
        let expected = [
            7, 0, 0, 0, 5, 0, 0, 0, 0x40, 0, 4, 0,
            10, 0, 2, 0, 0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f,
        ];
        let request = add_fdb(5, &Fdb::port(MAC));
        assert_eq!((request.payload(), request.flags()), (&expected[..], 0x500));
    }

    #[test]
    fn a_neighbour_carries_our_protocol_number() {
        #[rustfmt::skip]
        let expected = [
            2, 0, 0, 0, 5, 0, 0, 0, 0x40, 0, 0, 0,
            8, 0, 1, 0, 10, 0, 0, 9,
            10, 0, 2, 0, 0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f, 0, 0,
            5, 0, 12, 0, 96,
        ];
        let address = "10.0.0.9".parse().unwrap();
        let request = add_neighbour(5, address, MAC);
        assert_eq!((request.payload(), request.flags()), (&expected[..], 0x500));
        assert_eq!(read_neighbour(request.payload(), 5), Some((address, MAC)));
        assert_eq!(read_neighbour(request.payload(), 6), None);
    }

    #[test]
    fn entries_read_back_and_a_devices_own_addresses_do_not() {
        let remote = Fdb::remote(MAC, "fd00::1".parse().unwrap());
        for entry in [remote, Fdb::port(MAC)] {
            let request = add_fdb(5, &entry);
            let body = request.payload();
            assert_eq!(read_fdb(body, 5), Some(entry));
            assert_eq!(read_fdb(body, 6), None);
            for cut in 0..body.len() {
                let _ = read_fdb(&body[..cut], 5);
            }
        }
        let mut own = add_fdb(5, &Fdb::port(MAC)).payload().to_vec();
        own[8] = NudState::Permanent as u8;
        assert_eq!(read_fdb(&own, 5), None);
        own[10] = NtfFlags::_Self as u8;
        assert_eq!(read_fdb(&own, 5), None);
    }
}
