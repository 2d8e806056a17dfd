//! [`Links`] by rtnetlink.

use std::collections::BTreeMap;

use rustix::io::Errno;

use super::encode::Which;
use super::{
    Change, Link, Links, NewBridge, NewMacvlan, NewVeth, NewVxlan, POD_GROUP, Port, decode, encode, make,
};
use crate::socket::{Outcome, Reply, Request, Sockets};
use crate::{At, Kernel, NetError, Netns};

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
        make::bridge(self.place(At::Host)?, new)
    }

    fn add_veth(&self, new: &NewVeth<'_>) -> Result<(Link, Link), NetError> {
        make::veth(self.place(At::Host)?, new.netns.place()?, new)
    }

    fn add_macvlan(&self, new: &NewMacvlan<'_>) -> Result<Link, NetError> {
        make::macvlan(self.place(new.parent_at)?, new.netns.place()?, new)
    }

    fn add_vxlan(&self, new: &NewVxlan) -> Result<Link, NetError> {
        make::vxlan(self.place(At::Host)?, new)
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

pub(super) fn show(socket: &Sockets, which: Which<'_>) -> Result<Option<Link>, NetError> {
    if !which.is_possible() {
        return Ok(None);
    }
    read(socket.ask(&encode::show(which)))
}

/// The link of an answer to [`encode::show`].
pub(super) fn read(outcome: Outcome) -> Result<Option<Link>, NetError> {
    let replies = unless_absent(outcome)?.unwrap_or_default();
    Ok(replies.iter().find_map(|body| decode::link(body)))
}

/// The link `name`.
///
/// # Errors
/// [`NetError::LinkNotFound`] when there is none.
pub(super) fn expect(socket: &Sockets, name: &str) -> Result<Link, NetError> {
    show(socket, Which::Name(name))?.ok_or_else(|| not_found(name))
}

/// The number of the link `name`.
///
/// # Errors
/// [`NetError::LinkNotFound`] when there is none.
pub(crate) fn index(socket: &Sockets, name: &str) -> Result<u32, NetError> {
    Ok(expect(socket, name)?.index)
}

/// The names of all links by their numbers.
pub(crate) fn names(socket: &Sockets) -> Result<BTreeMap<u32, String>, NetError> {
    let replies = socket.dump(&encode::list())?;
    let links = replies.iter().filter_map(|body| decode::link(body));
    Ok(links.map(|link| (link.index, link.name)).collect())
}

pub(super) fn not_found(name: &str) -> NetError {
    let name = name.to_owned();
    NetError::LinkNotFound { name }
}

/// `IFALIASZ` of linux/if.h, without the end.
pub(crate) fn alias_fits(alias: &str) -> Result<(), NetError> {
    if alias.len() <= 255 {
        return Ok(());
    }
    Err(NetError::Value {
        what: "alias",
        value: format!("{alias:?}"),
        rule: "is longer than 255 bytes",
    })
}

/// Nothing when the kernel knows no such link.
fn unless_absent(outcome: Outcome) -> Result<Option<Vec<Reply>>, NetError> {
    match outcome {
        Err(error) if error.errno() == Some(Errno::NODEV.raw_os_error()) => Ok(None),
        outcome => outcome.map(Some),
    }
}

fn must_be_there(
    socket: &Sockets,
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
