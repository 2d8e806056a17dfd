//! A meta-plugin: attaches a container to two networks, with a journal that survives any crash.

use std::path::PathBuf;
use std::process::ExitCode;

use cni_core::plugin::{Add, Check, Del, Plugin, run};
use cni_core::spec::{ConfList, Error, IfName, Success};
use plexus::config::Policy;
use plexus::journal::StateDir;
use plexus::node::Node;
use plexus::npwg::Pod;
use plexus::plan::{Attachment, NetworkRef, Plan};
use plexus::{attach, check, detach};

struct Both;

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    /// The network whose result is the runtime's.
    first: ConfList,
    /// The network that the container gets as well.
    second: ConfList,
    /// The name of the interface there.
    second_interface: IfName,
    state_dir: PathBuf,
}

impl Config {
    /// This machine, with the standard plugins linked in; others are looked for in `CNI_PATH`.
    fn node(&self) -> Node {
        Node::local(StateDir::new(&self.state_dir), &Policy::default())
    }
}

fn attachment(list: ConfList, ifname: IfName) -> Attachment {
    Attachment::new(NetworkRef::Name(list.name.clone()), list, ifname)
}

impl Plugin for Both {
    type Config = Config;
    const NAME: &'static str = "both";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let (node, config) = (request.config.node(), request.config);
        let mut first = attachment(config.first, request.id.ifname.clone());
        first.is_default = true;
        let second = attachment(config.second, config.second_interface);
        let pod = Pod::new(Default::default(), (&request.id.container).into());
        let mut call = attach::Request::new(request.id, request.netns);
        call.path = request.env.path;
        let attached = attach::run(&node, &call, &Plan::new(pod, vec![first, second]))?;
        // One result alone can be the runtime's.
        Ok(attached
            .into_iter()
            .next()
            .map(|first| first.result)
            .unwrap_or_default())
    }

    /// The journal knows all that was attached, and how.
    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let mut call = detach::Request::new(request.id.container);
        (call.ifname, call.netns) = (Some(request.id.ifname), request.netns);
        detach::run(&request.config.node(), &call)
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        check::run(&request.config.node(), &request.id, Some(&request.netns))
    }
}

fn main() -> ExitCode {
    run(&Both)
}
