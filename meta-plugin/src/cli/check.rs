//! `plexus check`: whether what was attached is still there.

use std::path::PathBuf;

use clap::Args;
use cni_core::spec::{AttachmentId, Code, ContainerId, Error, IfName};
use plexus::check;
use plexus::node::Node;

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
    let ifnames = match options.ifname {
        Some(ifname) => vec![ifname],
        None => calls(&node, &container)?,
    };
    for ifname in ifnames {
        out.progress(&format!("check {ifname} of {container}"));
        check::run(
            &node,
            &AttachmentId::new(container.clone(), ifname),
            netns.as_ref(),
        )?;
    }
    Ok(())
}

fn calls(node: &Node, container: &ContainerId) -> Result<Vec<IfName>, Failure> {
    let all = node.state.calls()?.into_iter();
    let own = all.filter(|(other, ..)| other == container);
    let ifnames: Vec<IfName> = own.map(|(_, ifname, _)| ifname).collect();
    if ifnames.is_empty() {
        let msg = format!("check {container}: nothing is attached");
        return Err(Error::new(Code::UNKNOWN_CONTAINER, msg).into());
    }
    Ok(ifnames)
}
