//! What an earlier call of the same container and interface left.

use std::time::Instant;

use cni_core::spec::{Code, Error};
use cni_net::Netns;

use super::Request;
use crate::detach::{self, Place};
use crate::journal::{Journal, Locked};
use crate::node::Node;

/// Makes room for the call: one that is unfinished, or was made in another namespace, gets its DEL first.
///
/// # Errors
/// Code 7, `already attached`, when it was made in this very namespace; else what kept its DEL from
/// succeeding.
pub(super) fn settle(node: &Node, dir: &Locked, request: &Request, netns: &Netns) -> Result<(), Error> {
    let Some(mut journal) = Journal::open(dir, &request.id.ifname)? else {
        return Ok(());
    };
    let state = journal.state();
    let here = state.call.as_ref().is_some_and(|call| call.is_in(netns.id()));
    if here && state.is_attached() {
        let msg = format!("already attached: {}", request.id);
        let details = "detach it first, or name another interface for a further call of the container";
        return Err(Error::new(Code::INVALID_CONFIG, msg).with_details(details));
    }
    let deadline = Instant::now() + node.deadlines.del;
    let place = Place::find(node, dir.container(), state, Some(&request.netns))?;
    detach::undo(node, dir, &mut journal, &place, deadline).map_err(|mut error| {
        error.msg = format!("detach what an earlier ADD left: {}", error.msg);
        error
    })?;
    Ok(journal.remove()?)
}
