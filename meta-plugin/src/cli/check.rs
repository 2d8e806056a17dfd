//! `plexus check`: whether what was attached is still there.

use std::path::PathBuf;

use clap::Args;
use cni_core::spec::{AttachmentId, ContainerId, IfName};
use plexus::check;

use super::machine::{self, Env, Failure};
use super::{Common, Out};

#[derive(Args)]
pub(crate) struct Options {
    /// The container's id
    #[arg(long, value_name = "ID", required_unless_present = "netns")]
    container_id: Option<ContainerId>,
    /// The path of the network namespace, if it is another one than at the time of attaching
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
    let netns = options.netns.as_deref().map(machine::netns).transpose()?;
    match options.ifname {
        Some(ifname) => check::run(&node, &AttachmentId::new(container, ifname), netns.as_ref())?,
        None => check::all(&node, &container, netns.as_ref())?,
    }
    out.progress("everything is as it was attached");
    Ok(())
}
