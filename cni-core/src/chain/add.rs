//! ADD of a list.

use std::time::Instant;

use super::del::Backwards;
use super::request::Step;
use super::{ChainError, FailedAdd, FailedDel, KeptAttachment, Results, Runtime};
use crate::invoke::Target;
use crate::spec::{AttachmentId, ConfList, NetnsPath, PluginConf, Success};

/// ADDs each plugin in turn, handing on the result of the one before, and keeps the last.
///
/// Stops at the first failure, and undoes nothing unless [`Runtime::failed_add`] says so: the
/// specification has the runtime follow a failed ADD with a DEL, and undoing here as well runs every
/// plugin's DEL twice. The same holds when the result cannot be kept.
///
/// # Errors
/// [`ChainError::Plugin`] for the plugin that failed, [`ChainError::Results`] when the result cannot be
/// kept; [`ChainError::Several`], that failure first, when undoing it failed, too.
pub fn add(
    list: &ConfList,
    id: &AttachmentId,
    netns: &NetnsPath,
    runtime: &Runtime<'_>,
    kept: &dyn Results,
) -> Result<Success, ChainError> {
    let target = runtime.target(id, Some(netns));
    let mut adding = Adding {
        list,
        runtime,
        target,
        called: Vec::new(),
        result: None,
    };
    let added = adding.all().and_then(|()| adding.keep(id, netns, kept));
    match (added, runtime.failed_add) {
        // No list is without a plugin.
        (Ok(()), _) => Ok(adding.result.unwrap_or_default()),
        (Err(error), FailedAdd::Leave) => Err(error),
        (Err(error), FailedAdd::Undo(time)) => {
            let undone = adding.undo(Instant::now().checked_add(time)).and_then(|()| {
                // Keeping it may have failed when it was there already.
                kept.remove(list, id).map_err(ChainError::results("remove"))
            });
            Err(error.and(undone))
        }
    }
}

/// An ADD while it goes on.
struct Adding<'a> {
    list: &'a ConfList,
    runtime: &'a Runtime<'a>,
    target: Target,
    /// The plugins that were called, the one that failed included.
    called: Vec<&'a PluginConf>,
    result: Option<Success>,
}

impl Adding<'_> {
    fn all(&mut self) -> Result<(), ChainError> {
        for plugin in self.list.plugins() {
            self.called.push(plugin);
            let step = Step::attachment(self.list, plugin, self.runtime, &self.target)?;
            self.result = Some(step.add(self.result.as_ref())?);
        }
        Ok(())
    }

    fn keep(&self, id: &AttachmentId, netns: &NetnsPath, kept: &dyn Results) -> Result<(), ChainError> {
        let attachment = KeptAttachment {
            id: id.clone(),
            netns: Some(netns.clone()),
            args: self.runtime.args.clone(),
            capability_args: self.runtime.capability_args.clone(),
            result: self.result.clone(),
        };
        let written = kept.put(self.list, &attachment);
        written.map_err(ChainError::results("write"))
    }

    fn undo(&self, deadline: Option<Instant>) -> Result<(), ChainError> {
        let runtime = Runtime {
            deadline,
            failed_del: FailedDel::GoOn,
            ..self.runtime.clone()
        };
        let backwards = Backwards {
            list: self.list,
            runtime: &runtime,
            target: &self.target,
            prev: self.result.as_ref(),
        };
        backwards.del(self.called.iter().copied())
    }
}
