//! Making links: whole, or not at all.

use std::sync::Arc;

use cni_core::spec::{Error, Mac};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use super::encode::Which;
use super::kernel::{alias_fits, expect, not_found, read, show};
use super::{
    Change, Link, LinkKind, NewBridge, NewMacvlan, NewVeth, NewVxlan, PASSING_NAME, POD_GROUP, Port, encode,
};
use crate::NetError;
use crate::netns::Place;
use crate::socket::{Request, Sockets};

/// How often a bridge that comes and goes is looked for before we give up.
const TRIES: u32 = 10;

pub(super) fn bridge(place: &Arc<Place>, new: &NewBridge) -> Result<Link, NetError> {
    let name = new.name.as_str();
    for _ in 0..TRIES {
        if let Some(found) = show(place.route(), Which::Name(name))? {
            return found_bridge(place.route(), found);
        }
        let mac = new.mac.map_or_else(random_mac, Ok)?;
        match create(place.route(), encode::bridge(new, mac), name) {
            // Somebody was faster; what they made is looked at.
            Err(error) if error.is_exists() => {}
            made => return finish(place, &made?, new.alias.as_deref(), None),
        }
    }
    Err(not_found(name))
}

fn found_bridge(socket: &Sockets, found: Link) -> Result<Link, NetError> {
    if found.kind != LinkKind::Bridge {
        let wanted = "bridge";
        let name = found.name;
        return Err(NetError::WrongKind { name, wanted });
    }
    if found.up {
        return Ok(found);
    }
    socket.ask(&encode::change(Which::Known(&found), &Change::up()))?;
    expect(socket, &found.name)
}

pub(super) fn veth(
    host: &Arc<Place>,
    container: &Arc<Place>,
    new: &NewVeth<'_>,
) -> Result<(Link, Link), NetError> {
    let made = create(host.route(), encode::veth(new, container.fd()), new.host.as_str())?;
    let port = new.master.map(|_| new.port);
    let host_end = finish(host, &made, new.alias.as_deref(), port)?;
    let container_end = expect(container.route(), new.container.as_str());
    let container_end = container_end.inspect_err(|_| take_away(host.route(), Which::Known(&host_end)))?;
    Ok((host_end, container_end))
}

pub(super) fn vxlan(place: &Arc<Place>, new: &NewVxlan) -> Result<Link, NetError> {
    let made = create(place.route(), encode::vxlan(new), new.name.as_str())?;
    let port = new.master.map(|_| new.port_flags);
    finish(place, &made, new.alias.as_deref(), port)
}

pub(super) fn macvlan(
    parent: &Arc<Place>,
    container: &Arc<Place>,
    new: &NewMacvlan<'_>,
) -> Result<Link, NetError> {
    let socket = container.route();
    let name = Which::Name(new.name.as_str());
    let wanted = encode::macvlan(new, new.name.as_str(), container.fd());
    match parent.route().ask(&wanted) {
        // Before Linux 6.15 the name was looked for where the parent is, and not where the device is made.
        Err(error) if error.is_exists() && show(socket, name)?.is_none() => {
            macvlan_by_another_name(parent, container, new)
        }
        made => {
            made?;
            expect(socket, new.name.as_str()).inspect_err(|_| take_away(socket, name))
        }
    }
}

/// Born where it belongs under its passing name, then renamed.
fn macvlan_by_another_name(
    parent: &Arc<Place>,
    container: &Arc<Place>,
    new: &NewMacvlan<'_>,
) -> Result<Link, NetError> {
    let (socket, passing) = (container.route(), Which::Name(PASSING_NAME));
    // Operations on one container follow each other, so that one of that name is a dead process's.
    if show(socket, passing)?.is_some_and(|link| link.group == POD_GROUP) {
        socket.ask(&encode::delete(passing))?;
    }
    parent
        .route()
        .ask(&encode::macvlan(new, PASSING_NAME, container.fd()))?;
    let renamed = expect(socket, PASSING_NAME).and_then(|made| {
        socket.ask(&encode::rename(PASSING_NAME, made.index, &new.name))?;
        expect(socket, new.name.as_str())
    });
    renamed.inspect_err(|_| take_away(socket, passing))
}

/// Makes a link and looks at it in one send.
fn create(socket: &Sockets, request: Request, name: &str) -> Result<Link, NetError> {
    let which = Which::Name(name);
    let mut outcomes = socket.batch(&[request, encode::show(which)])?.into_iter();
    outcomes.next().transpose()?;
    let shown = read(outcomes.next().unwrap_or_else(|| Ok(Vec::new())));
    let shown = shown.and_then(|link| link.ok_or_else(|| not_found(name)));
    shown.inspect_err(|_| take_away(socket, which))
}

/// Says of a new link what cannot be said in the message that makes it; takes the link away if that fails.
///
/// That is a second send: in one with the creation, these would change a foreign link that has the name.
fn finish(
    place: &Arc<Place>,
    made: &Link,
    alias: Option<&str>,
    port: Option<Port>,
) -> Result<Link, NetError> {
    let which = Which::Known(made);
    let steps = || {
        let alias = alias.map(|alias| alias_fits(alias).map(|()| alias.to_owned()));
        // One message for both, so that there is no moment at which it has neither alias nor group.
        let marks = Change {
            alias: alias.transpose()?,
            group: (made.group != 0).then_some(0),
            ..Change::default()
        };
        let mut requests = Vec::new();
        if marks.alias.is_some() || marks.group.is_some() {
            requests.push(encode::change(which, &marks));
        }
        requests.extend(port.map(|port| encode::port(which, port)));
        for outcome in place.route().batch(&requests)? {
            outcome?;
        }
        crate::sysctl::ignore_router_advertisements(place, &made.name)?;
        show(place.route(), which)?.ok_or_else(|| not_found(&made.name))
    };
    steps().inspect_err(|_| take_away(place.route(), which))
}

/// Undoes a creation. The failure that led here is the one that is reported.
fn take_away(socket: &Sockets, which: Which<'_>) {
    if let Err(error) = socket.ask(&encode::delete(which))
        && !error.is_absent()
    {
        tracing::warn!(%which, error = %Error::from(error), "a link that could not be finished stays");
    }
}

/// A unicast address of local administration. One that the kernel draws would follow the bridge's ports.
fn random_mac() -> Result<Mac, NetError> {
    let [first, rest @ ..] = random()?;
    let mut mac = [first & 0xfc | 0x02; 6];
    mac[1..].copy_from_slice(&rest);
    Ok(Mac(mac))
}

fn random() -> Result<[u8; 6], NetError> {
    let mut bytes = [0; 6];
    // The kernel gives so few bytes at once, but for a signal before it has any to give.
    while let Err(errno) = getrandom(&mut bytes, GetRandomFlags::empty()) {
        if errno != Errno::INTR {
            return Err(NetError::refused("draw a number", errno.raw_os_error(), None));
        }
    }
    Ok(bytes)
}
