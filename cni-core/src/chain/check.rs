//! CHECK of a list.

use super::request::Step;
use super::{ChainError, Results, Runtime};
use crate::invoke::{Operation, Verb};
use crate::spec::{AttachmentId, ConfList, NetnsPath};

/// CHECKs each plugin in turn with the final result of ADD.
///
/// Stops at the first failure. Does nothing for a list with `disableCheck`. Without a kept result the
/// plugins get none, and say themselves that they need one.
///
/// # Errors
/// [`ChainError::Version`] below 0.4.0, which has no CHECK; else as [`add()`](super::add()).
pub fn check(
    list: &ConfList,
    id: &AttachmentId,
    netns: &NetnsPath,
    runtime: &Runtime<'_>,
    kept: &dyn Results,
) -> Result<(), ChainError> {
    if list.version < Operation::Check.since() {
        return Err(ChainError::Version(list.version, Operation::Check));
    }
    if list.disable_check {
        return Ok(());
    }
    let attachment = kept.get(list, id).map_err(ChainError::results("read"))?;
    let prev = attachment.and_then(|attachment| attachment.result);
    let target = runtime.target(id, Some(netns));
    list.plugins().try_for_each(|plugin| {
        Step::attachment(list, plugin, runtime, &target)?.run(Verb::Check, prev.as_ref())
    })
}
