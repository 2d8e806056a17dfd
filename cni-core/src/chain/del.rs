//! DEL of a list.

use super::request::Step;
use super::{ChainError, FailedDel, Results, Runtime};
use crate::invoke::{Target, Verb};
use crate::spec::{AttachmentId, ConfList, NetnsPath, PluginConf, Success, Version, with_causes};

/// DELs each plugin in reverse order with the final result of ADD, and forgets that result.
///
/// Whether it stops at the first failure is for [`Runtime::failed_del`] to say; the result is kept until a
/// DEL succeeds. A result that cannot be read is as good as none: no DEL may depend on it.
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
    let backwards = Backwards {
        list,
        runtime,
        target: &runtime.target(id, netns),
        prev: prev.as_ref(),
    };
    backwards.del(list.plugins())?;
    kept.remove(list, id).map_err(ChainError::results("remove"))
}

/// What the DELs of one attachment have in common.
pub(super) struct Backwards<'a> {
    pub(super) list: &'a ConfList,
    pub(super) runtime: &'a Runtime<'a>,
    pub(super) target: &'a Target,
    pub(super) prev: Option<&'a Success>,
}

impl Backwards<'_> {
    /// DELs `plugins`, which come in the order of ADD.
    pub(super) fn del<'p>(
        &self,
        plugins: impl DoubleEndedIterator<Item = &'p PluginConf>,
    ) -> Result<(), ChainError> {
        let mut failures = Vec::new();
        for plugin in plugins.rev() {
            failures.extend(self.one(plugin).err());
            if !failures.is_empty() && self.runtime.failed_del == FailedDel::Stop {
                break;
            }
        }
        ChainError::all(failures)
    }

    fn one(&self, plugin: &PluginConf) -> Result<(), ChainError> {
        let step = Step::attachment(self.list, plugin, self.runtime, self.target)?;
        // Below 0.4.0 DEL has no result.
        let prev = self.prev.filter(|_| self.list.version >= Version::V0_4_0);
        step.run(Verb::Del, prev)
    }
}

/// The kept result, if there is one that can be read.
fn prev(list: &ConfList, id: &AttachmentId, kept: &dyn Results) -> Option<Success> {
    match kept.get(list, id) {
        Ok(attachment) => attachment.and_then(|attachment| attachment.result),
        Err(error) => {
            tracing::warn!(network = list.name.as_str(), attachment = %id, error = %with_causes(&error), "DEL without result");
            None
        }
    }
}
