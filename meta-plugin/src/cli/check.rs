//! `plexus check`: whether what was attached is still there.

use clap::Args;
use cni_core::spec::AttachmentId;
use plexus::check;

use super::machine::{Failure, Target};
use super::{Common, Out};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) fn run(options: Options, out: &mut Out<'_>) -> Result<(), Failure> {
    let Options { target, common } = options;
    let (container, netns) = (target.container()?, target.netns()?);
    let node = common.node(&common.policy()?);
    match target.ifname {
        Some(ifname) => check::run(&node, &AttachmentId::new(container, ifname), netns.as_ref())?,
        None => check::all(&node, &container, netns.as_ref())?,
    }
    out.progress("everything is as it was attached");
    Ok(())
}
