//! `plexus detach`: removes what the journal knows of a container.

use std::path::PathBuf;

use clap::Args;
use cni_core::spec::{ContainerId, IfName};
use plexus::detach;
use plexus::journal;
use plexus::node::Node;

use super::machine::{self, Env, Failure};
use super::{Common, Out};

#[derive(Args)]
pub(crate) struct Options {
    /// The container's id
    #[arg(long, value_name = "ID", required_unless_present = "netns")]
    container_id: Option<ContainerId>,
    /// The network namespace, if it still has a path
    #[arg(long, value_name = "PATH")]
    netns: Option<PathBuf>,
    /// The interface of the runtime's call; without it all calls of the container
    #[arg(long, value_name = "NAME")]
    ifname: Option<IfName>,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) fn run(options: Options, _env: Env<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
    let container = machine::container(options.container_id, options.netns.as_deref())?;
    let policy = options.common.policy()?;
    let node = options.common.node(&policy);
    let found = match node.state.calls_of(&container)?.is_empty() {
        true => "nothing is attached to it",
        false => "detach what is attached to it",
    };
    out.progress(&format!("{container}: {found}"));
    let mut request = detach::Request::new(container);
    request.ifname = options.ifname;
    request.netns = options.netns.as_deref().map(machine::netns).transpose()?;
    detach::run(&node, &request)?;
    match stuck(&node, &request)? {
        false => Ok(()),
        true => Err(Failure::Plain(format!(
            "{} is stuck: plexus list says why",
            request.container
        ))),
    }
}

/// Whether DEL has failed so often that it no longer says so: a runtime has to go on, a person wants to know.
fn stuck(node: &Node, request: &detach::Request) -> Result<bool, Failure> {
    for (container, ifname, path) in node.state.calls()? {
        let meant =
            container == request.container && request.ifname.as_ref().is_none_or(|only| *only == ifname);
        if meant && journal::look(&path)?.is_some_and(|state| state.stuck.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}
