//! GC: detaches what no valid call holds, and has every known network's plugins do the same.

mod networks;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use cni_core::spec::{Code, ConfList, ContainerId, Error, IfName, NetName, ValidAttachment};

use crate::detach::{self, joined};
use crate::journal::{Call, Journal, State};
use crate::node::Node;
use networks::Networks;

/// What the runtime says at GC.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The calls that are still in use; `None` when the runtime did not say: then nothing is deleted.
    pub valid: Option<BTreeSet<ValidAttachment>>,
    /// The runtime's network that they are about. Calls of another one, and calls by hand, are in use.
    pub network: Option<NetName>,
    /// The default network as it is configured now: its plugins are asked even if no journal names it.
    pub default: Option<ConfList>,
    /// `CNI_PATH`, for the default network's plugins.
    pub path: Vec<PathBuf>,
}

impl Request {
    /// A request with `valid` alone, about calls by hand.
    pub fn new(valid: Option<BTreeSet<ValidAttachment>>) -> Self {
        Self {
            valid,
            network: None,
            default: None,
            path: Vec::new(),
        }
    }

    /// Whether the call of `container` for `ifname`, with this journal, is to stay. One whose own record is
    /// lost may be the runtime's: then its word counts.
    fn is_in_use(&self, container: &ContainerId, ifname: &IfName, state: &State) -> bool {
        let foreign = |call: &Call| call.network != self.network;
        let is_call = |valid: &ValidAttachment| valid.container == *container && valid.ifname == *ifname;
        state.call.as_ref().is_some_and(foreign) || self.valid.iter().flatten().any(is_call)
    }
}

/// Detaches every call that is not valid, then asks the plugins of each network that a journal names, the
/// secondary ones included, to delete what belongs to none of the attachments that are left.
///
/// # Assumptions
/// No ADD runs beside it, as the specification demands of the runtime: what an ADD makes after its
/// container was looked at would not be known as valid.
///
/// # Errors
/// All failures in one; the rest is done. Where a journal cannot be read no plugin is asked, since what that
/// journal names would count as unused.
pub fn run(node: &Node, request: &Request) -> Result<(), Error> {
    let Some(valid) = &request.valid else {
        return Ok(());
    };
    let deadline = Instant::now() + node.deadlines.del;
    let mut networks = Networks::default();
    if let Some(list) = &request.default {
        networks.learn_default(list, &request.path, valid);
    }
    let (mut failures, mut all_read) = (Vec::new(), true);
    for container in node.state.containers()? {
        match one(node, &container, request, &mut networks, deadline) {
            Ok(failed) => failures.extend(failed),
            Err(error) => {
                all_read = false;
                failures.push(error);
            }
        }
    }
    if all_read {
        failures.extend(networks.gc(node, deadline));
    }
    joined(failures)
}

/// Decides on the calls of one container, under its lock. Answers what could not be detached.
fn one(
    node: &Node,
    container: &ContainerId,
    request: &Request,
    networks: &mut Networks,
    deadline: Instant,
) -> Result<Vec<Error>, Error> {
    let mut failures = Vec::new();
    let Some(dir) = node.state.lock_known(container, deadline)? else {
        return Ok(failures);
    };
    for ifname in dir.calls()? {
        let Some(journal) = Journal::open(&dir, &ifname)? else {
            continue;
        };
        let in_use = request.is_in_use(container, &ifname, journal.state());
        if in_use && journal.state().damaged > 0 {
            let msg = format!("gc: journal {:?} is damaged, and its call in use", journal.path());
            return Err(Error::new(Code(183), msg));
        }
        networks.learn(container, journal.state(), in_use)?;
        drop(journal);
        if !in_use {
            let until = Instant::now() + node.deadlines.del;
            failures.extend(detach::call(node, &dir, &ifname, None, until).err());
        }
    }
    dir.remove_if_empty()?;
    Ok(failures)
}
