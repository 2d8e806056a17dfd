//! What an executable's end means.

use std::io;
use std::time::Duration;

use super::process::{End, Finished};
use crate::invoke::wire::{self, Run, Sink};
use crate::spec::{Code, Error, PluginType, shortened};

/// The output of a plugin that succeeded.
pub(super) fn judge(run: &Run<'_>, finished: io::Result<Finished>, sink: &Sink) -> Result<Vec<u8>, Error> {
    let plugin = run.plugin;
    let Finished { end, stdout, stderr } = finished.map_err(|error| unstartable(plugin, &error))?;
    let text = String::from_utf8_lossy(&stderr);
    match end {
        End::Exited(status) => {
            let status = if status.success() {
                Ok(())
            } else {
                Err(status.to_string())
            };
            wire::ended(plugin, status, stdout, &stderr, sink)
        }
        End::Overflow => Err(wire::overflow(plugin, text.trim())),
        End::Timeout(after) => Err(timeout(run, after, text.trim())),
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
