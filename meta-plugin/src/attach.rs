//! ADD: runs a plan, one network after the other, each announced in the journal before its plugins run.
//!
//! A failure at any point undoes everything in reverse, by the same code as DEL; what cannot be undone stays
//! in the journal for the runtime's DEL.

mod adding;
mod find;
mod previous;
mod record;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Instant;

use cni_core::spec::{AttachmentId, CniArgs, Code, Error, IfName, NetName, NetnsPath, Success, with_causes};
use cni_net::Netns;

use crate::journal::{Call, Journal, Planned, VERSION};
use crate::node::Node;
use crate::npwg::{
    self,
    status::{About, NetworkStatus},
};
use crate::plan::{NetworkRef, Plan};
use adding::Adding;

/// A call of the runtime: for which container, where, and how it was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The container, and the interface that the runtime named: the default network's.
    pub id: AttachmentId,
    /// The runtime's own network, which is to GC the call; `None` for a call that no runtime knows of.
    pub network: Option<NetName>,
    /// The container's namespace.
    pub netns: NetnsPath,
    /// `CNI_ARGS`.
    pub args: CniArgs,
    /// `CNI_PATH`: where plugins are that are not linked in.
    pub path: Vec<PathBuf>,
}

impl Request {
    /// A call by hand, without `CNI_ARGS` and `CNI_PATH`.
    pub fn new(id: AttachmentId, netns: NetnsPath) -> Self {
        Self {
            id,
            network: None,
            netns,
            args: CniArgs::default(),
            path: Vec::new(),
        }
    }
}

/// An attachment that was made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attached {
    /// The network.
    pub network: NetworkRef,
    /// The interface in the container.
    pub ifname: IfName,
    /// Whether it is the default network.
    pub is_default: bool,
    /// The gateways of the default route that it was asked to own, if it was.
    pub default_route: Option<Vec<IpAddr>>,
    /// What its ADD answered, with the default routes as they are now.
    pub result: Success,
}

impl Attached {
    /// Its entries of network-status.
    pub fn status(&self) -> Vec<NetworkStatus> {
        let about = About {
            network: &self.network.to_string(),
            is_default: self.is_default,
            default_route: self.default_route.as_deref(),
        };
        npwg::status::entries(about, &self.result)
    }
}

/// Attaches what `plan` says, in its order.
///
/// # Guarantees
/// It is all made, or what was made is undone. On success the journal is durable.
///
/// # Errors
/// The plugin's own code, the network's name in front of its message. Code 7, `already attached`, when the
/// call is made already in this namespace, or when an interface's name is taken; nothing is changed then but
/// what this call had made before. Code 7, `failed to find plugin`, when one of the plan's plugins is not there;
/// nothing is changed then. Code 8 when the namespace is the host's. Code 11 when the container
/// stays locked or the time is over.
pub fn run(node: &Node, request: &Request, plan: &Plan) -> Result<Vec<Attached>, Error> {
    let deadline = Instant::now() + node.deadlines.add;
    let netns = enter(node, &request.netns)?;
    find::plugins(node, &request.path, plan)?;
    let dir = node.state.lock(&request.id.container, deadline)?;
    let attached = previous::settle(node, &dir, request, &netns).and_then(|()| {
        let journal = Journal::create(&dir, opened(request, &netns, plan))?;
        let mut adding = Adding::new(node, &dir, request, &netns, journal, deadline);
        match adding.all(plan) {
            Ok(()) => Ok(adding.attached(plan)),
            Err(error) => Err(adding.undo(error)),
        }
    });
    if attached.is_err()
        && let Err(error) = dir.remove_if_empty()
    {
        tracing::warn!(error = %with_causes(&error), "remove the container's directory");
    }
    attached
}

/// Opens the container's namespace, which must not be our own.
fn enter(node: &Node, path: &NetnsPath) -> Result<Netns, Error> {
    let netns = node.net.open(path)?;
    if *netns.id() == node.net.host_id()? {
        let msg = format!(
            "attach in {:?}: it is the host's own network namespace",
            path.as_path()
        );
        return Err(Error::new(Code::INVALID_NETNS, msg));
    }
    Ok(netns)
}

fn opened(request: &Request, netns: &Netns, plan: &Plan) -> Call {
    let planned = plan.attachments.iter().map(|attachment| Planned {
        network: attachment.network.to_string(),
        ifname: attachment.ifname.clone(),
    });
    Call {
        journal: VERSION,
        container: request.id.container.clone(),
        ifname: request.id.ifname.clone(),
        network: request.network.clone(),
        netns: request.netns.as_path().to_owned(),
        boot: netns.id().boot.clone(),
        cookie: netns.id().cookie,
        args: request.args.to_string(),
        path: request.path.clone(),
        planned: planned.collect(),
    }
}
