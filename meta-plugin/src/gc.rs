//! GC: detaches what no valid call holds, and has every known network's plugins do the same.

mod networks;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use cni_core::spec::{Code, ConfList, ContainerId, Error, ValidAttachment};

use crate::detach::{self, joined};
use crate::journal::Journal;
use crate::node::Node;
use networks::Networks;

/// What the runtime says at GC.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The calls that are still in use; `None` when the runtime did not say: then nothing is deleted.
    pub valid: Option<BTreeSet<ValidAttachment>>,
    /// The default network as it is configured now: its plugins are asked even if no journal names it.
    pub default: Option<ConfList>,
    /// `CNI_PATH`, for the default network's plugins.
    pub path: Vec<PathBuf>,
}

impl Request {
    /// A request with `valid` alone.
    pub fn new(valid: Option<BTreeSet<ValidAttachment>>) -> Self {
        let (default, path) = (None, Vec::new());
        Self { valid, default, path }
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
        match one(node, &container, valid, &mut networks, deadline) {
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
    valid: &BTreeSet<ValidAttachment>,
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
        let is_call = |valid: &ValidAttachment| valid.container == *container && valid.ifname == ifname;
        let in_use = valid.iter().any(is_call);
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
