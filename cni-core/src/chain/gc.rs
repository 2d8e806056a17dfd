//! GC of a list.

use std::collections::BTreeSet;

use super::request::Step;
use super::{ChainError, FailedDel, Results, Runtime, del};
use crate::invoke::{Operation, Verb};
use crate::spec::{ConfList, ValidAttachment};

/// DELs every kept attachment of the network that is not in `valid`, then GCs each plugin in turn.
///
/// `None` means that the caller does not know what is in use: then no attachment is DELed, and the plugins
/// are not told of any, so that they delete nothing either. An empty set means that none is in use.
///
/// Never stops at a failure, whatever [`Runtime::failed_del`] says. Does nothing for a list with `disableGC`. Below
/// 1.1.0, which has no GC, it only DELs. A DEL gets the arguments and the namespace of its ADD, and the list as it is
/// now.
///
/// # Errors
/// As [`add()`](super::add()); more than one failure as [`ChainError::Several`].
pub fn gc(
    list: &ConfList,
    valid: Option<&BTreeSet<ValidAttachment>>,
    runtime: &Runtime<'_>,
    kept: &dyn Results,
) -> Result<(), ChainError> {
    if list.disable_gc {
        return Ok(());
    }
    let mut failures = Vec::new();
    if let Some(valid) = valid {
        del_invalid(list, valid, runtime, kept, &mut failures);
    }
    if list.version >= Operation::Gc.since() {
        let target = runtime.no_target();
        let one = |plugin| Step::network(list, plugin, runtime, &target, valid)?.run(Verb::Gc, None);
        failures.extend(list.plugins().filter_map(|plugin| one(plugin).err()));
    }
    ChainError::all(failures)
}

fn del_invalid(
    list: &ConfList,
    valid: &BTreeSet<ValidAttachment>,
    runtime: &Runtime<'_>,
    kept: &dyn Results,
    failures: &mut Vec<ChainError>,
) {
    let attachments = kept.list(list).map_err(ChainError::results("list"));
    let attachments = attachments.unwrap_or_else(|error| {
        failures.push(error);
        Vec::new()
    });
    for attachment in attachments {
        let (id, netns) = (&attachment.id, attachment.netns.as_ref());
        if valid.contains(&ValidAttachment::from(id)) {
            continue;
        }
        let as_at_add = Runtime {
            args: attachment.args,
            capability_args: attachment.capability_args,
            failed_del: FailedDel::GoOn,
            ..runtime.clone()
        };
        failures.extend(del(list, id, netns, &as_at_add, kept).err());
    }
}
