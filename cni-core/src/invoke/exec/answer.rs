//! What an executable's end means.

use std::io;
use std::time::Duration;

use super::process::{End, Finished};
use crate::invoke::wire::{Run, failure, overflow};
use crate::spec::{Code, Error, PluginType, shortened};

/// The output of a plugin that succeeded.
pub(super) struct Answered {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Success or failure of the run.
pub(super) fn judge(run: &Run<'_>, finished: io::Result<Finished>) -> Result<Answered, Error> {
    let plugin = run.plugin;
    let Finished { end, stdout, stderr } = finished.map_err(|error| unstartable(plugin, &error))?;
    let stderr_text = String::from_utf8_lossy(&stderr);
    let stderr_text = stderr_text.trim();
    match end {
        End::Exited(status) if status.success() => Ok(Answered { stdout, stderr }),
        End::Exited(status) => Err(failure(plugin, &stdout, stderr_text, &status.to_string())),
        End::Overflow => Err(overflow(plugin, stderr_text)),
        End::Timeout(after) => Err(timeout(run, after, stderr_text)),
    }
}

fn unstartable(plugin: &PluginType, error: &io::Error) -> Error {
    // Whoever writes the file will be done with it.
    let busy = error.kind() == io::ErrorKind::ExecutableFileBusy;
    let code = if busy { Code::TRY_AGAIN } else { Code::IO };
    Error::new(code, format!("run plugin {:?}", plugin.as_str())).with_details(error.to_string())
}

fn timeout(run: &Run<'_>, after: Duration, stderr: &str) -> Error {
    let (plugin, word) = (run.plugin.as_str(), run.word);
    let msg = format!("plugin {plugin:?} did not end {word} in time and was killed after {after:.1?}");
    Error::new(run.late(), msg).with_details(shortened(stderr))
}
