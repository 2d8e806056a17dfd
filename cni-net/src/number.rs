//! The numbers by which the kernel knows what we know by name.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netlink_bindings::rt_link::{Ifinfomsg, LinkAttrs, Request as LinkRequest};

use crate::NetError;
use crate::socket::{Request, Socket};

/// `AF_INET` or `AF_INET6`.
pub(crate) fn family(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 10,
    }
}

/// The number of the interface `name`.
///
/// # Errors
/// [`NetError::LinkNotFound`] when there is none.
pub(crate) fn index(socket: &Socket, name: &str) -> Result<u32, NetError> {
    let mut request = LinkRequest::new().op_getlink_do(&Ifinfomsg::default());
    let _ = request.encode().push_ifname_bytes(name.as_bytes());
    let not_found = || NetError::LinkNotFound {
        name: name.to_owned(),
    };
    let replies = match socket.ask(&Request::of(format!("look up interface {name:?}"), &request)) {
        Err(error) if error.is_absent() => return Err(not_found()),
        replies => replies?,
    };
    let header = replies
        .first()
        .and_then(|body| header(body))
        .ok_or_else(not_found)?;
    Ok(header.ifi_index.cast_unsigned())
}

/// The names of all interfaces by their numbers.
pub(crate) fn names(socket: &Socket) -> Result<BTreeMap<u32, String>, NetError> {
    let request = LinkRequest::new().op_getlink_dump(&Ifinfomsg::default());
    let replies = socket.dump(&Request::of("list interfaces", &request))?;
    let pair = |body: &Vec<u8>| {
        let name = LinkAttrs::new(body.get(Ifinfomsg::len()..)?).get_ifname().ok()?;
        let index = header(body)?.ifi_index.cast_unsigned();
        Some((index, name.to_string_lossy().into_owned()))
    };
    Ok(replies.iter().filter_map(pair).collect())
}

fn header(body: &[u8]) -> Option<Ifinfomsg> {
    Ifinfomsg::new_from_slice(body.get(..Ifinfomsg::len())?)
}
