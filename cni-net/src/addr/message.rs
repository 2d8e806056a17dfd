//! The messages of `ip addr`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use netlink_bindings::rt_addr::{
    AddrAttrs, IfaFlags, Ifaddrmsg, OpDeladdrDo, OpGetaddrDump, OpNewaddrDo, Request,
};

use super::Addr;
use crate::family::family;

/// A request for all addresses of the interface `index`.
pub(super) fn list(index: u32) -> OpGetaddrDump<'static> {
    let header = Ifaddrmsg {
        ifa_index: index,
        ..Ifaddrmsg::default()
    };
    Request::new().op_getaddr_dump(&header)
}

/// A request that adds `addr` to the interface `index`.
pub(super) fn add(index: u32, addr: &Addr) -> OpNewaddrDo<'static> {
    let flags = match addr.address {
        IpNet::V6(_) if addr.nodad => IfaFlags::Nodad as u32,
        _ => 0,
    };
    let request = Request::new().set_create().set_excl();
    let mut request = request.op_newaddr_do(&header(index, addr.address));
    let mut attrs = request.encode().push_local(addr.address.addr());
    attrs = attrs.push_address(addr.address.addr());
    if let Some(broadcast) = broadcast(addr.address) {
        attrs = attrs.push_broadcast(broadcast);
    }
    attrs.push_flags(flags).end_nested();
    request
}

/// A request that removes `address` from the interface `index`.
pub(super) fn del(index: u32, address: IpNet) -> OpDeladdrDo<'static> {
    let mut request = Request::new().op_deladdr_do(&header(index, address));
    let attrs = request.encode().push_local(address.addr());
    attrs.push_address(address.addr()).end_nested();
    request
}

/// Reads one answer of a list; `None` for another interface's, or one that is no address.
pub(super) fn read(body: &[u8], index: u32) -> Option<Addr> {
    let (header, attrs) = body.split_at_checked(Ifaddrmsg::len())?;
    let header = Ifaddrmsg::new_from_slice(header)?;
    if header.ifa_index != index {
        return None;
    }
    let attrs = AddrAttrs::new(attrs);
    // On a point-to-point link IFA_ADDRESS is the other end.
    let address = attrs.get_local().or_else(|_| attrs.get_address()).ok()?;
    let flags = attrs.get_flags().unwrap_or_else(|_| header.ifa_flags.into());
    let has = |flag: IfaFlags| flags & flag as u32 != 0;
    Some(Addr {
        address: IpNet::new(address, header.ifa_prefixlen).ok()?,
        nodad: has(IfaFlags::Nodad),
        tentative: has(IfaFlags::Tentative),
        dad_failed: has(IfaFlags::Dadfailed),
    })
}

fn header(index: u32, address: IpNet) -> Ifaddrmsg {
    Ifaddrmsg {
        ifa_family: family(address.addr()),
        ifa_prefixlen: address.prefix_len(),
        ifa_index: index,
        ..Ifaddrmsg::default()
    }
}

/// The broadcast address, where the prefix leaves room for one (RFC 3021).
fn broadcast(address: IpNet) -> Option<Ipv4Addr> {
    match (address.addr(), address.prefix_len()) {
        (IpAddr::V4(address), prefix @ ..=30) => Some(Ipv4Net::new(address, prefix).ok()?.broadcast()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use netlink_bindings::traits::NetlinkRequest;

    use super::*;

    fn added(addr: &Addr) -> Vec<u8> {
        add(7, addr).payload().to_vec()
    }

    fn addr(text: &str) -> Addr {
        Addr::new(text.parse().unwrap())
    }

    #[test]
    fn an_ipv4_address_comes_with_its_broadcast_address() {
        #[rustfmt::skip]
        let expected = [
            2, 24, 0, 0, 7, 0, 0, 0,
            8, 0, 2, 0, 10, 1, 2, 3,
            8, 0, 1, 0, 10, 1, 2, 3,
            8, 0, 4, 0, 10, 1, 2, 255,
            8, 0, 8, 0, 0, 0, 0, 0,
        ];
        assert_eq!(added(&addr("10.1.2.3/24")), expected);
        for (net, expected) in [
            ("10.0.0.1/30", Some([10, 0, 0, 3])),
            ("10.0.0.1/31", None),
            ("10.0.0.1/32", None),
        ] {
            assert_eq!(
                broadcast(net.parse().unwrap()),
                expected.map(Ipv4Addr::from),
                "{net}"
            );
        }
    }

    #[test]
    fn an_ipv6_address_is_usable_at_once_unless_asked_otherwise() {
        let body = added(&addr("fd00::3/64"));
        assert_eq!(body[..8], [10, 64, 0, 0, 7, 0, 0, 0]);
        assert_eq!(body[body.len() - 8..], [8, 0, 8, 0, 2, 0, 0, 0]);
        let mut checked = addr("fd00::3/64");
        checked.nodad = false;
        let body = added(&checked);
        assert_eq!(body[body.len() - 8..], [8, 0, 8, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn what_was_added_reads_back() {
        for text in ["10.1.2.3/24", "fd00::3/64"] {
            let body = added(&addr(text));
            assert_eq!(
                read(&body, 7).map(|a| a.address),
                Some(text.parse().unwrap()),
                "{text}"
            );
            assert_eq!(read(&body, 8), None);
            for cut in 0..body.len() {
                let _ = read(&body[..cut], 7);
            }
        }
    }
}
