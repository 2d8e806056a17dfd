//! [`Links`] by rtnetlink.

mod attr;
mod decode;
mod encode;

use std::sync::Arc;

use cni_core::spec::{IfName, Mac};
use rustix::io::Errno;

use self::encode::Which;
use super::Kernel;
use crate::link::{Change, Link, LinkKind, Links, NewBridge, NewMacvlan, NewVeth, NewVxlan, POD_GROUP, Port};
use crate::netns::Place;
use crate::socket::{Outcome, Request, Socket};
use crate::{At, NetError, Netns};

/// How often a bridge that comes and goes is looked for before we give up.
const TRIES: u32 = 10;

impl Links for Kernel {
    fn link(&self, at: At<'_>, name: &str) -> Result<Option<Link>, NetError> {
        show(self.route(at)?, Which::Name(name))
    }

    fn link_by_index(&self, at: At<'_>, index: u32) -> Result<Option<Link>, NetError> {
        show(self.route(at)?, Which::Index(index))
    }

    fn links(&self, at: At<'_>) -> Result<Vec<Link>, NetError> {
        let replies = self.route(at)?.dump(&encode::list())?;
        Ok(replies.iter().filter_map(|body| decode::link(body)).collect())
    }

    fn ensure_bridge(&self, new: &NewBridge) -> Result<Link, NetError> {
        let place = self.place(At::Host)?;
        for _ in 0..TRIES {
            if let Some(found) = show(place.route(), Which::Name(new.name.as_str()))? {
                return found_bridge(place.route(), found);
            }
            match add_bridge(place, new) {
                // Somebody was faster; what they made is looked at.
                Err(error) if error.is_exists() => {}
                made => return made,
            }
        }
        Err(not_found(new.name.as_str()))
    }

    fn add_veth(&self, new: &NewVeth<'_>) -> Result<(Link, Link), NetError> {
        let (host, container) = (self.place(At::Host)?, new.netns.place()?);
        let made = create(host.route(), encode::veth(new, container.fd()), new.host.as_str())?;
        undone_on_failure(host.route(), made.index, || {
            let port = new.master.map(|_| new.port);
            let made = finish(host, made.index, new.host.as_str(), new.alias.as_deref(), port)?;
            Ok((made, expect(container.route(), new.container.as_str())?))
        })
    }

    fn add_macvlan(&self, new: &NewMacvlan<'_>) -> Result<Link, NetError> {
        let (parent, container) = (self.place(new.parent_at)?, new.netns.place()?);
        let request = encode::macvlan(new, &new.name, container.fd());
        match parent.route().ask(&request) {
            // Before Linux 6.15 the name was looked for where the parent is, and not where the device is made.
            Err(error)
                if error.is_exists()
                    && show(container.route(), Which::Name(new.name.as_str()))?.is_none() =>
            {
                add_macvlan_by_another_name(new, parent, container)
            }
            Err(error) => Err(error),
            Ok(_) => expect(container.route(), new.name.as_str()),
        }
    }

    fn add_vxlan(&self, new: &NewVxlan) -> Result<Link, NetError> {
        let place = self.place(At::Host)?;
        let made = create(place.route(), encode::vxlan(new), new.name.as_str())?;
        undone_on_failure(place.route(), made.index, || {
            let port = new.master.map(|_| new.port_flags);
            finish(place, made.index, new.name.as_str(), new.alias.as_deref(), port)
        })
    }

    fn set_link(&self, at: At<'_>, name: &str, change: &Change) -> Result<(), NetError> {
        change.alias.as_deref().map_or(Ok(()), alias_fits)?;
        must_be_there(self.route(at)?, name, |which| encode::change(which, change))
    }

    fn set_port(&self, at: At<'_>, name: &str, port: Port) -> Result<(), NetError> {
        must_be_there(self.route(at)?, name, |which| encode::port(which, port))
    }

    fn del_link(&self, at: At<'_>, name: &str) -> Result<bool, NetError> {
        let which = Which::Name(name);
        if !which.is_possible() {
            return Ok(false);
        }
        let deleted = self.route(at)?.ask(&encode::delete(which));
        Ok(unless_absent(deleted)?.is_some())
    }

    fn del_pod_links(&self, netns: &Netns) -> Result<(), NetError> {
        let deleted = netns.place()?.route().ask(&encode::delete_group(POD_GROUP));
        unless_absent(deleted).map(drop)
    }
}

fn show(socket: &Socket, which: Which<'_>) -> Result<Option<Link>, NetError> {
    if !which.is_possible() {
        return Ok(None);
    }
    let replies = unless_absent(socket.ask(&encode::show(which)))?;
    Ok(replies
        .unwrap_or_default()
        .iter()
        .find_map(|body| decode::link(body)))
}

/// The link `name`, which was there a moment ago.
fn expect(socket: &Socket, name: &str) -> Result<Link, NetError> {
    show(socket, Which::Name(name))?.ok_or_else(|| not_found(name))
}

fn not_found(name: &str) -> NetError {
    let name = name.to_owned();
    NetError::LinkNotFound { name }
}

/// Nothing when the kernel knows no such link.
fn unless_absent(outcome: Outcome) -> Result<Option<Vec<Vec<u8>>>, NetError> {
    match outcome {
        Err(error) if error.errno() == Some(Errno::NODEV.raw_os_error()) => Ok(None),
        outcome => outcome.map(Some),
    }
}

fn must_be_there(
    socket: &Socket,
    name: &str,
    request: impl Fn(Which<'_>) -> Request,
) -> Result<(), NetError> {
    let which = Which::Name(name);
    if !which.is_possible() {
        return Err(not_found(name));
    }
    match unless_absent(socket.ask(&request(which)))? {
        Some(_) => Ok(()),
        None => Err(not_found(name)),
    }
}

/// Makes a link and looks at it in one send.
fn create(socket: &Socket, request: Request, name: &str) -> Result<Link, NetError> {
    let mut outcomes = socket
        .batch(&[request, encode::show(Which::Name(name))])?
        .into_iter();
    outcomes.next().transpose()?;
    let replies = outcomes.next().transpose()?.unwrap_or_default();
    replies
        .iter()
        .find_map(|body| decode::link(body))
        .ok_or_else(|| not_found(name))
}

/// Runs `steps`; when they fail, the link that they were to finish goes again.
fn undone_on_failure<T>(
    socket: &Socket,
    index: u32,
    steps: impl FnOnce() -> Result<T, NetError>,
) -> Result<T, NetError> {
    let result = steps();
    if result.is_err()
        && let Err(error) = socket.ask(&encode::delete(Which::Index(index)))
    {
        tracing::warn!(%error, "a link that could not be finished stays");
    }
    result
}

/// Says of a new link what cannot be said in the message that makes it.
///
/// That is a second send: in one with the creation, these would change a foreign link that has the name.
fn finish(
    place: &Arc<Place>,
    index: u32,
    name: &str,
    alias: Option<&str>,
    port: Option<Port>,
) -> Result<Link, NetError> {
    let which = Which::Index(index);
    let mut requests = Vec::new();
    if let Some(alias) = alias {
        alias_fits(alias)?;
        let alias = Some(alias.to_owned());
        requests.push(encode::change(
            which,
            &Change {
                alias,
                ..Change::default()
            },
        ));
    }
    requests.extend(port.map(|port| encode::port(which, port)));
    for outcome in place.route().batch(&requests)? {
        outcome?;
    }
    super::sysctl::ignore_router_advertisements(place, name)?;
    show(place.route(), which)?.ok_or_else(|| not_found(name))
}

/// `IFALIASZ` of linux/if.h, without the end.
fn alias_fits(alias: &str) -> Result<(), NetError> {
    if alias.len() <= 255 {
        return Ok(());
    }
    Err(NetError::Value {
        what: "alias",
        value: format!("{alias:?}"),
        rule: "is longer than 255 bytes",
    })
}

fn found_bridge(socket: &Socket, found: Link) -> Result<Link, NetError> {
    if found.kind != LinkKind::Bridge {
        let wanted = "bridge";
        return Err(NetError::WrongKind {
            name: found.name,
            wanted,
        });
    }
    if found.up {
        return Ok(found);
    }
    socket.ask(&encode::change(Which::Index(found.index), &Change::up()))?;
    expect(socket, &found.name)
}

fn add_bridge(place: &Arc<Place>, new: &NewBridge) -> Result<Link, NetError> {
    let mac = match new.mac {
        Some(mac) => mac,
        None => random_mac()?,
    };
    let made = create(place.route(), encode::bridge(new, mac), new.name.as_str())?;
    undone_on_failure(place.route(), made.index, || {
        finish(place, made.index, new.name.as_str(), new.alias.as_deref(), None)
    })
}

/// A unicast address of local administration. One that the kernel draws would follow the bridge's ports.
fn random_mac() -> Result<Mac, NetError> {
    let mut bytes = random()?;
    bytes[0] = bytes[0] & 0xfc | 0x02;
    Ok(Mac(bytes))
}

fn random() -> Result<[u8; 6], NetError> {
    let mut bytes = [0; 6];
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(NetError::refused("draw an address", errno.raw_os_error(), None)),
        }
    }
    Ok(bytes)
}

/// Born where it belongs under a name that nobody has, then renamed.
fn add_macvlan_by_another_name(
    new: &NewMacvlan<'_>,
    parent: &Arc<Place>,
    container: &Arc<Place>,
) -> Result<Link, NetError> {
    let name = passing_name()?;
    parent.route().ask(&encode::macvlan(new, &name, container.fd()))?;
    let made = expect(container.route(), name.as_str())?;
    undone_on_failure(container.route(), made.index, || {
        container
            .route()
            .ask(&encode::rename(&name, made.index, &new.name))?;
        expect(container.route(), new.name.as_str())
    })
}

fn passing_name() -> Result<IfName, NetError> {
    let digits: String = random()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let rule = "is no name of an interface";
    format!("plx{digits}").parse().map_err(|_| NetError::Value {
        what: "name",
        value: digits,
        rule,
    })
}
