//! DEL: takes down what a journal names, newest first, with the configuration and result of ADD time.
//!
//! It needs the journal and nothing else. What is not in a journal is not touched: without a record DEL
//! succeeds at once, since nothing says that an interface in the container would be ours.

mod place;
mod verdict;

use std::time::{Instant, SystemTime};

use cni_core::spec::{ContainerId, Error, IfName, NetnsPath, with_causes};
use cni_net::At;
use cni_net::link::POD_GROUP;

pub(crate) use place::Place;
use verdict::Verdict;
pub(crate) use verdict::joined;

use crate::element::Element;
use crate::journal::{Entry, Failure, Journal, Locked, Record, State};
use crate::node::Node;

/// What to detach.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The container.
    pub container: ContainerId,
    /// The interface of the runtime's call; `None` for all calls of the container.
    pub ifname: Option<IfName>,
    /// The container's namespace, if the caller knows one. It is only used if it is the one of ADD time.
    pub netns: Option<NetnsPath>,
}

impl Request {
    /// Everything of `container`, without a namespace.
    pub fn new(container: ContainerId) -> Self {
        let (ifname, netns) = (None, None);
        Self {
            container,
            ifname,
            netns,
        }
    }
}

/// Detaches what `request` names. It succeeds when nothing is left, whoever removed it, and when the
/// failures are so many or so old that the runtime is not to wait any longer: then the journal keeps the
/// call as stuck.
///
/// # Errors
/// All failures in one, each naming its network, under the first one's code; what could be removed is
/// removed. Code 11 when the container stays locked, 181 for a journal of a newer version.
pub fn run(node: &Node, request: &Request) -> Result<(), Error> {
    let deadline = Instant::now() + node.deadlines.del;
    let Some(dir) = node.state.lock_known(&request.container, deadline)? else {
        return Ok(());
    };
    let calls = match &request.ifname {
        Some(ifname) => vec![ifname.clone()],
        None => dir.calls()?,
    };
    let failures = calls.iter().rev().filter_map(|ifname| {
        let outcome = call(node, &dir, ifname, request.netns.as_ref(), deadline);
        outcome.err()
    });
    let mut failures: Vec<Error> = failures.collect();
    if let Err(error) = dir.remove_if_empty()
        && failures.is_empty()
    {
        // After a failure it is not empty, so this says nothing new.
        failures.push(error.into());
    }
    joined(failures)
}

/// Detaches one call of a container; a call that is stuck, or becomes it, counts as done.
///
/// # Errors
/// As for [`run`].
pub(crate) fn call(
    node: &Node,
    dir: &Locked,
    ifname: &IfName,
    netns: Option<&NetnsPath>,
    deadline: Instant,
) -> Result<(), Error> {
    let Some(mut journal) = Journal::open(dir, ifname)? else {
        return Ok(());
    };
    let outcome = match Place::find(node, dir.container(), journal.state(), netns) {
        Ok(place) => undo(node, dir, &mut journal, &place, deadline),
        Err(error) => Err(refused(&mut journal, error)),
    };
    match outcome {
        Ok(()) => Ok(journal.remove()?),
        Err(error) => match Verdict::of(journal.state(), now()) {
            Verdict::Report => Err(error),
            Verdict::Stuck => {
                tracing::warn!(path = %journal.path().display(), %error, "kept for the next DEL or GC");
                if journal.state().stuck.is_none() {
                    note(&mut journal, Record::Stuck { time: now() });
                }
                Ok(())
            }
        },
    }
}

/// Runs the DEL of everything that `journal` holds, newest first, whatever fails on the way.
///
/// # Errors
/// All failures in one; what failed is still in the journal.
pub(crate) fn undo(
    node: &Node,
    dir: &Locked,
    journal: &mut Journal,
    place: &Place,
    deadline: Instant,
) -> Result<(), Error> {
    if journal.state().damaged > 0 {
        tracing::warn!(path = %journal.path().display(), "records are damaged; the others are used");
    }
    delete_links(node, dir, journal.state(), place);
    let mut failures = Vec::new();
    for entry in journal.state().clone().entries.values().rev() {
        let at = entry.intended.at;
        if entry.deletion.is_none() {
            note(journal, Record::Deleting { at });
        }
        match one(node, place, entry, deadline) {
            Ok(()) => note(journal, Record::Deleted { at }),
            Err(error) => {
                failed(journal, at, &error);
                failures.push(error);
            }
        }
    }
    joined(failures)
}

/// A DEL for which not even the namespace could be looked at: it counts as a try for everything.
fn refused(journal: &mut Journal, error: Error) -> Error {
    let all: Vec<u32> = journal.state().entries.keys().copied().collect();
    for at in all {
        failed(journal, at, &error);
    }
    error
}

fn one(node: &Node, place: &Place, entry: &Entry, deadline: Instant) -> Result<(), Error> {
    let deleted = Element::of(node, place, &entry.intended, entry.result.as_deref())
        .and_then(|element| element.del(deadline));
    deleted.map_err(|error| entry.intended.named(error))
}

/// Removes the links that we made in the container in one request, where that takes nothing else along:
/// every plugin of the pod is linked in, and no other call has links there. The DELs find them gone.
fn delete_links(node: &Node, dir: &Locked, state: &State, place: &Place) {
    let Some(netns) = &place.netns else { return };
    let builtin = state.entries.values().all(|entry| entry.intended.is_builtin());
    let alone = dir.calls().is_ok_and(|calls| calls.len() == 1);
    if !builtin || !alone || state.damaged > 0 {
        return;
    }
    let named = |name: &str| state.entries.values().any(|e| e.intended.ifname.as_str() == name);
    let deleted = node.net.links(At::Netns(netns)).and_then(|links| {
        let mut ours = links.iter().filter(|link| link.group == POD_GROUP);
        if ours.clone().count() > 1 && ours.all(|link| named(&link.name)) {
            node.net.del_pod_links(netns)
        } else {
            Ok(())
        }
    });
    if let Err(error) = deleted {
        // It only saves time: each DEL removes its own link, and reports what keeps it from doing so.
        tracing::debug!(error = %with_causes(&error), "delete the pod's links in one request");
    }
}

/// Notes a failure of DEL, until the call is stuck: its journal must not grow with each try from then on.
fn failed(journal: &mut Journal, at: u32, error: &Error) {
    if journal.state().stuck.is_none() {
        let (time, error) = (now(), error.shortened());
        note(journal, Record::DelFailed(Failure { at, time, error }));
    }
}

/// A record that DEL can do without: a full disk must not keep it from making room.
fn note(journal: &mut Journal, record: Record) {
    if let Err(error) = journal.append(record) {
        tracing::warn!(error = %with_causes(&error), "keep how far DEL came");
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
