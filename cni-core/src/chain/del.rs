//! DEL of a list.

use super::request::Step;
use super::{ChainError, Results, Runtime};
use crate::invoke::{Target, Verb};
use crate::spec::{AttachmentId, ConfList, NetnsPath, PluginConf, Success, Version};

/// DELs each plugin in reverse order with the final result of ADD, and forgets that result.
///
/// Goes on after a failure, since stopping would leave what the plugins before it made, and reports all of
/// them; the result is kept until a DEL succeeds. A result that cannot be read is as good as none: no DEL
/// may depend on it.
///
/// # Errors
/// As [`add()`](super::add()); more than one failure as [`ChainError::Several`].
pub fn del(
    list: &ConfList,
    id: &AttachmentId,
    netns: Option<&NetnsPath>,
    runtime: &Runtime<'_>,
    kept: &dyn Results,
) -> Result<(), ChainError> {
    let prev = prev(list, id, kept);
    let target = runtime.target(id, netns);
    let one = |plugin| del_one(list, plugin, runtime, &target, prev.as_ref());
    let failures: Vec<ChainError> = list
        .plugins()
        .rev()
        .filter_map(|plugin| one(plugin).err())
        .collect();
    ChainError::all(failures)?;
    kept.remove(list, id).map_err(ChainError::results("remove"))
}

fn del_one(
    list: &ConfList,
    plugin: &PluginConf,
    runtime: &Runtime<'_>,
    target: &Target,
    prev: Option<&Success>,
) -> Result<(), ChainError> {
    Step::attachment(list, plugin, runtime, target)?.run(Verb::Del, prev)
}

/// The kept result, for the versions in which DEL has one.
fn prev(list: &ConfList, id: &AttachmentId, kept: &dyn Results) -> Option<Success> {
    if list.version < Version::V0_4_0 {
        return None;
    }
    match kept.get(list, id) {
        Ok(attachment) => attachment.and_then(|attachment| attachment.result),
        Err(error) => {
            tracing::warn!(network = list.name.as_str(), attachment = %id, error = %error.0, "DEL without result");
            None
        }
    }
}
