//! What happens on a node: plexus itself, with the usual places for its files.

use std::fs;
use std::io;
use std::path::Path;

use cni_core::invoke::Resolver;
use cni_core::spec::{AttachmentId, Code, ContainerId, Error, IfName, NetnsPath, Object};
use cni_net::nft::{Chain, Family};
use cni_net::{At, Kernel, Links, NetError, Nft};
use ipnet::Ipv4Net;

use crate::config::{ClusterNetwork, Policy};
use crate::journal::StateDir;
use crate::node::Node;
use crate::npwg::{NETWORKS, NetworkStatus, Pod};
use crate::plan::{self, Files};
use crate::{attach, detach};

/// Where an operator would keep the definitions; `/run` is the node's own here.
const NADS: &str = "/run/plexus-demo";
const STATE: &str = "/var/lib/plexus";
const RESERVATIONS: &str = "/var/lib/cni/networks";

/// The definitions that `examples/nads` shows.
const DEFINITIONS: [(&str, &str); 4] = [
    (
        "default-network.yaml",
        include_str!("../../../examples/nads/default-network.yaml"),
    ),
    ("lan.yaml", include_str!("../../../examples/nads/lan.yaml")),
    ("blue.yaml", include_str!("../../../examples/nads/blue.yaml")),
    ("green.yaml", include_str!("../../../examples/nads/green.yaml")),
];

/// What attaching a pod takes.
pub(super) struct Attach {
    pub(super) pod: String,
    pub(super) netns: NetnsPath,
    /// The networks annotation.
    pub(super) networks: String,
}

/// The addresses that `default-network.yaml` hands out, which are those of one node.
const EXAMPLE_RANGE: &str = "10.244.1.0/24";

/// Puts the definitions where this node looks for them. On the default network it hands out `range`.
pub(super) fn install(range: Ipv4Net) -> io::Result<()> {
    fs::create_dir_all(NADS)?;
    DEFINITIONS.iter().try_for_each(|(name, text)| {
        let text = text.replace(EXAMPLE_RANGE, &range.to_string());
        fs::write(Path::new(NADS).join(name), text)
    })
}

/// Plans and attaches a pod; its network status.
pub(super) fn attach(call: &Attach) -> Result<Vec<NetworkStatus>, Error> {
    let mut pod = Pod::new(bad("demo", "demo".parse())?, bad(&call.pod, call.pod.parse())?);
    pod.annotations.insert(NETWORKS.to_owned(), call.networks.clone());
    let id = AttachmentId::new(container(&call.pod)?, bad("eth0", "eth0".parse::<IfName>())?);
    let request = attach::Request::new(id, call.netns.clone());
    let plan = plan::plan(&plan::Request {
        pod: &pod,
        ifname: request.id.ifname.clone(),
        args: request.args.clone(),
        capability_args: Object::new(),
        cluster_network: Some(&ClusterNetwork::Named("default-network".to_owned())),
        policy: &Policy::default(),
        networks: &Files::load(Some(Path::new(NADS)), Path::new("/nowhere")),
    })?;
    let attached = attach::run(&node(), &request, &plan)?;
    Ok(attached.iter().flat_map(attach::Attached::status).collect())
}

/// Detaches a pod; the journal knows the rest.
pub(super) fn detach(pod: &str, netns: NetnsPath) -> Result<(), Error> {
    let mut request = detach::Request::new(container(pod)?);
    request.netns = Some(netns);
    detach::run(&node(), &request)
}

/// Whatever a pod could have left on this node; the bridge of the default network is for the next one.
pub(super) fn leftovers() -> Result<Vec<String>, NetError> {
    let net = Kernel::new();
    let links = net.links(At::Host)?.into_iter().map(|link| link.name);
    let mut left: Vec<String> = links
        .filter(|name| !["lo", "eth0", "cni0"].contains(&name.as_str()))
        .collect();
    let chain = Chain::new(Family::Inet, "cni_plugins_masquerade", "masq_checks");
    left.extend(
        net.rules(At::Host, &chain)?
            .into_iter()
            .map(|rule| format!("nftables rule {:?}", rule.comment)),
    );
    left.extend(files(&Path::new(STATE).join("attachments")));
    let reservations = files(Path::new(RESERVATIONS)).into_iter();
    left.extend(reservations.filter(|path| !path.ends_with("lock") && !path.contains("last_reserved_ip")));
    Ok(left)
}

fn node() -> Node {
    let net = Kernel::new();
    let resolver = Resolver::new(cni_plugins::table(&net));
    Node::new(StateDir::new(STATE), net, resolver)
}

fn container(pod: &str) -> Result<ContainerId, Error> {
    bad(pod, format!("demo-{pod}").parse())
}

fn bad<T, E: std::error::Error>(what: &str, parsed: Result<T, E>) -> Result<T, Error> {
    parsed.map_err(|e| Error::from_source(Code::INVALID_CONFIG, &e).with_details(what))
}

/// The files below a directory; none when it is not there.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path.display().to_string())
        }
    }
    found
}
