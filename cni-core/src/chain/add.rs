//! ADD of a list.

use super::request::Step;
use super::{ChainError, KeptAttachment, Results, Runtime};
use crate::spec::{AttachmentId, ConfList, NetnsPath, Success};

/// ADDs each plugin in turn, handing on the result of the one before, and keeps the last.
///
/// Stops at the first failure and undoes nothing: the specification has the runtime follow a failed ADD
/// with a DEL, and undoing here as well would run every plugin's DEL twice. The same holds when the
/// result cannot be kept.
///
/// # Errors
/// [`ChainError::Plugin`] for the plugin that failed, [`ChainError::Results`] when the result cannot be
/// kept.
pub fn add(
    list: &ConfList,
    id: &AttachmentId,
    netns: &NetnsPath,
    runtime: &Runtime<'_>,
    kept: &dyn Results,
) -> Result<Success, ChainError> {
    let target = runtime.target(id, Some(netns));
    let mut result = Step::attachment(list, &list.first, runtime, &target)?.add(None)?;
    for plugin in &list.rest {
        result = Step::attachment(list, plugin, runtime, &target)?.add(Some(&result))?;
    }
    let attachment = KeptAttachment {
        id: id.clone(),
        netns: Some(netns.clone()),
        args: runtime.args.clone(),
        capability_args: runtime.capability_args.clone(),
        result: Some(result.clone()),
    };
    kept.put(list, &attachment)
        .map_err(ChainError::results("write"))?;
    Ok(result)
}
