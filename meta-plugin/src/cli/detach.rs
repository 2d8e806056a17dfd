//! `plexus detach`: removes what the journal knows of a container.

use clap::Args;
use plexus::node::Node;
use plexus::{detach, journal};

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
    let mut request = detach::Request::new(target.container()?);
    request.netns = target.netns()?;
    request.ifname = target.ifname;
    let node = common.node(&common.policy()?);
    let container = &request.container;
    let ifname = request.ifname.as_ref().map(|ifname| ifname.as_str());
    let _entered = tracing::info_span!("detach", container = container.as_str(), ifname).entered();
    let found = match node.state.calls_of(container)?.is_empty() {
        true => "nothing is attached to it",
        false => "detach what is attached to it",
    };
    out.progress(&format!("{container}: {found}"));
    detach::run(&node, &request)?;
    match stuck(&node, &request)? {
        false => Ok(()),
        true => Err(Failure::Plain(format!(
            "{container} is stuck: plexus list says why"
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
