//! CHECK: every attachment of a call, with the configuration and result of ADD time.

use std::time::Instant;

use cni_core::spec::{AttachmentId, Code, ContainerId, Error, NetnsPath};
use cni_net::{At, Netns};

use crate::detach::{Place, joined};
use crate::element::Element;
use crate::journal::{self, Entry, State};
use crate::node::Node;

/// CHECKs all networks of the call for `id`, in the order of ADD. The namespace has to be that of ADD time;
/// `netns` is where the caller says that it is now.
///
/// Of a network whose version has no CHECK only the interface is looked for; one that forbids CHECK is passed
/// over.
///
/// # Errors
/// All failures in one, each naming its network, under the first one's code. Code 3 when nothing is
/// attached, 182 when only a part is, 8 when the namespace is gone or another.
pub fn run(node: &Node, id: &AttachmentId, netns: Option<&NetnsPath>) -> Result<(), Error> {
    let deadline = Instant::now() + node.deadlines.add;
    let unknown = || Error::new(Code::UNKNOWN_CONTAINER, format!("check {id}: it is not attached"));
    let dir = node
        .state
        .lock_known(&id.container, deadline)?
        .ok_or_else(unknown)?;
    let state = journal::look(&dir.path().join(id.ifname.as_str()))?.ok_or_else(unknown)?;
    whole(id, &state)?;
    let place = Place::find(node, &id.container, &state, netns)?;
    let Some(netns) = &place.netns else {
        let subject = subject(id, &state);
        let msg = format!("check {subject}: the network namespace of its ADD is gone");
        return Err(Error::new(Code::INVALID_NETNS, msg));
    };
    let check = |entry: &Entry| {
        let element = Element::of(node, &place, &entry.intended, entry.result.as_deref())?;
        if element.has_check() {
            element.check(deadline)
        } else {
            present(node, netns, &element)
        }
    };
    let named = |entry: &Entry| check(entry).err().map(|error| entry.intended.named(error));
    joined(state.entries.values().filter_map(named).collect())
}

/// CHECKs every call of `container`.
///
/// # Errors
/// As for [`run`]: all failures in one, or code 3 when nothing is attached.
pub fn all(node: &Node, container: &ContainerId, netns: Option<&NetnsPath>) -> Result<(), Error> {
    let calls = node.state.calls_of(container)?;
    if calls.is_empty() {
        let msg = format!("check {container:?}: nothing is attached");
        return Err(Error::new(Code::UNKNOWN_CONTAINER, msg));
    }
    let ids = calls
        .into_iter()
        .map(|ifname| AttachmentId::new(container.clone(), ifname));
    joined(ids.filter_map(|id| run(node, &id, netns).err()).collect())
}

/// The interfaces of the call for `id`: by hand its own name need not be that of any.
fn subject(id: &AttachmentId, state: &State) -> String {
    let planned = state.call.iter().flat_map(|call| &call.planned);
    let names: Vec<&str> = planned.map(|network| network.ifname.as_str()).collect();
    match names.is_empty() {
        true => id.to_string(),
        false => format!("{} of {}", names.join(", "), id.container),
    }
}

/// Looks for the container's interface, if ADD made one.
fn present(node: &Node, netns: &Netns, element: &Element) -> Result<(), Error> {
    let Some(interface) = element.interface() else {
        return Ok(());
    };
    match node.net.link(At::Netns(netns), interface)? {
        Some(_) => Ok(()),
        None => Err(Error::new(
            Code(182),
            format!("check interface {interface:?}: is missing"),
        )),
    }
}

/// Refuses a call that was not finished, or of which something is deleted or no longer known.
fn whole(id: &AttachmentId, state: &State) -> Result<(), Error> {
    let planned = state.call.as_ref().map_or(0, |call| call.planned.len());
    if state.is_attached() && state.damaged == 0 && state.entries.len() >= planned {
        return Ok(());
    }
    let missing = planned.saturating_sub(state.entries.len());
    let details = format!(
        "{planned} networks planned, {missing} missing, {} records damaged",
        state.damaged
    );
    Err(Error::new(
        Code(182),
        format!("check {}: only a part of it is attached", subject(id, state)),
    )
    .with_details(details))
}
