//! STATUS: could the default network's plugins serve an ADD?

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use cni_core::chain::{self, Runtime};
use cni_core::spec::{Code, ConfList, Error, PluginConf};
use tracing::Span;

use crate::node::Node;

/// How much earlier than the answer the plugins are told to end, so that none outlives it.
const HEADROOM: Duration = Duration::from_millis(100);

/// Asks all plugins of `list` at once. It waits for nothing but them, and for them
/// [`crate::config::Deadlines::status`] in all.
///
/// # Errors
/// The error of the first plugin in the list that says no, unchanged; code 50 naming the plugins that did
/// not answer in time.
pub fn run(node: &Node, list: &ConfList, path: &[PathBuf]) -> Result<(), Error> {
    let deadline = Instant::now() + node.deadlines.status;
    let (send, answers) = mpsc::channel();
    for (at, plugin) in list.plugins().enumerate() {
        let (node, one, path, send) = (node.clone(), alone(list, plugin), path.to_vec(), send.clone());
        let span = Span::current();
        let ask = move || {
            let _entered = span.entered();
            let mut runtime = Runtime::new(&node.resolver, path);
            runtime.deadline = deadline.checked_sub(HEADROOM);
            runtime.trace = node.trace.clone();
            let answer = chain::status(&one, &runtime).map_err(Error::from);
            // Nobody listens any more when the time is over.
            drop(send.send((at, answer)));
        };
        // A thread that is never waited for: one that hangs must not keep the answer back.
        let spawned = thread::Builder::new().spawn(ask);
        spawned.map_err(|e| {
            Error::new(Code::UNAVAILABLE, "start thread for STATUS").with_details(e.to_string())
        })?;
    }
    drop(send);
    let answered = collect(&answers, deadline, list.plugins().count());
    list.plugins()
        .zip(answered)
        .try_for_each(|(plugin, answer)| verdict(plugin, answer, node.deadlines.status))
}

/// The same list with `plugin` alone.
fn alone(list: &ConfList, plugin: &PluginConf) -> ConfList {
    let mut one = list.clone();
    one.first = plugin.clone();
    one.rest = Vec::new();
    one
}

/// The answers that came until `deadline`, each at its plugin's place.
fn collect(
    answers: &Receiver<(usize, Result<(), Error>)>,
    deadline: Instant,
    plugins: usize,
) -> Vec<Option<Result<(), Error>>> {
    let mut answered = vec![None; plugins];
    loop {
        match answers.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((at, answer)) => {
                if let Some(slot) = answered.get_mut(at) {
                    *slot = Some(answer);
                }
            }
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => return answered,
        }
    }
}

fn verdict(plugin: &PluginConf, answer: Option<Result<(), Error>>, limit: Duration) -> Result<(), Error> {
    let late = || {
        let msg = format!(
            "status of plugin {:?}: no answer within {} ms",
            plugin.kind.as_str(),
            limit.as_millis()
        );
        Error::new(Code::UNAVAILABLE, msg)
    };
    match answer {
        None => Err(late()),
        // The plugin was stopped because its time was over.
        Some(Err(error)) if error.code == Code::TRY_AGAIN => Err(late().with_details(error.to_string())),
        Some(answer) => answer,
    }
}
