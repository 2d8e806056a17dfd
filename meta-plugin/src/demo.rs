//! `plexus demo`: three nodes, four pods, four networks each, on this kernel, and nothing left afterwards.
//!
//! Nodes and pods are namespaces of this process, and what plexus and its plugins write goes to file systems
//! of the nodes' own: so the machine sees nothing of it, and the kernel sweeps up however the process ends.

mod here;
mod machine;
mod ping;
mod pods;
mod report;
mod sandbox;
mod underlay;

use std::io::{self, Write};

use cni_core::spec::Error;
use cni_net::NetError;

/// Why the demonstration did not come to its end, or did not show what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// A pod could not be attached or detached.
    #[error("{verb} pod {pod:?}")]
    Attachment {
        /// What was being done.
        verb: &'static str,
        /// The pod.
        pod: String,
        /// Why it failed.
        #[source]
        source: Error,
    },
    /// The nodes could not be built.
    #[error("build the nodes")]
    Net(#[from] NetError),
    /// The output could not be written.
    #[error("write the report")]
    Output(#[from] io::Error),
    /// Namespaces could not be made.
    #[error("make namespaces for the nodes (this needs root, or a kernel that allows user namespaces)")]
    Sandbox(#[source] io::Error),
    /// It came to its end, but pings were lost or something was left.
    #[error("{lost} pings lost, {left} things left behind")]
    Shown {
        /// Pings without an answer.
        lost: usize,
        /// Things that were not there before.
        left: usize,
    },
}

/// Runs the demonstration and writes what it sees to `out`. To be called before any thread is started.
///
/// # Errors
/// When a step fails, a ping is lost or something is left behind.
pub fn run(out: &mut dyn Write) -> Result<(), DemoError> {
    sandbox::enter().map_err(DemoError::Sandbox)?;
    let nodes = underlay::build()?;
    writeln!(
        out,
        "{} nodes on a switch, as network namespaces of this process",
        nodes.len()
    )?;

    let mut pods = pods::start()?;
    for pod in &mut pods {
        pod.attach(&nodes)?;
    }
    report::pods(out, &pods)?;

    let lost = report::pings(out, &pods)?;

    for pod in &mut pods {
        pod.detach(&nodes)?;
    }
    let left = report::leftovers(out, &nodes, &pods)?;
    report::times(out, &pods)?;
    if lost == 0 && left == 0 {
        Ok(())
    } else {
        Err(DemoError::Shown { lost, left })
    }
}
