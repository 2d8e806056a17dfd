//! From a pod, its networks and the configuration to an ordered list of attachments, before any effect.
//!
//! Every check of policy and validity is made here, so that no road to an attachment goes round it.

mod attachment;
mod capability;
mod cluster_network;
mod cni_args;
mod error;
mod identity;
mod selected;
mod source;

pub use attachment::{Attachment, NetworkRef, Plan, Warning};
pub use cluster_network::CLUSTER_NAMESPACE;
pub use error::PlanError;
pub use source::{Files, Networks, SourceError};

use std::collections::BTreeMap;

use cni_core::spec::{CniArgs, ConfList, IfName, Object, PluginConf, PluginType};

use crate::config::{ClusterNetwork, Policy};
use crate::npwg::{DEFAULT_NETWORK, NETWORKS, NetworkSelection, Pod, selection};

/// What a plan is made from.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "a caller has to say all of it")]
pub struct Request<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// The runtime's `CNI_IFNAME`: the default network's interface.
    pub ifname: IfName,
    /// The runtime's `CNI_ARGS`.
    pub args: CniArgs,
    /// The runtime's `runtimeConfig`, which is for the default network alone (specification, 7.5). What it asks
    /// for on a user's behalf needs a plugin that declares the capability, as what a pod asks for does.
    pub capability_args: Object,
    /// What every pod is attached to; `None` only for a command that attaches secondary networks alone.
    pub cluster_network: Option<&'a ClusterNetwork>,
    /// What is allowed.
    pub policy: &'a Policy,
    /// Where definitions and configurations come from.
    pub networks: &'a dyn Networks,
}

/// An attachment that still lacks what depends on its place among the others.
struct Candidate {
    /// Where it is asked for, for messages.
    origin: Origin,
    network: NetworkRef,
    list: ConfList,
    resource_name: Option<String>,
    selection: Option<NetworkSelection>,
}

/// Which part of the input asks for an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The configuration.
    ClusterNetwork,
    /// An element of an annotation, counted from 1.
    Element {
        /// The annotation's key.
        annotation: &'static str,
        /// The element's number.
        number: usize,
    },
    /// What the runtime hands over.
    Runtime,
}

/// Plans all attachments of a pod.
///
/// The number in `netN` is the place among all attachments, of which the default network has 0 even if there
/// is none; one with an interface name of its own takes its number too.
///
/// # Errors
/// Whatever is invalid, not allowed or not there; nothing has been done then.
pub fn plan(request: &Request<'_>) -> Result<Plan, PlanError> {
    identity::check(request)?;
    let default = elements(request, DEFAULT_NETWORK)?;
    let selected = elements(request, NETWORKS)?;
    let mut candidates = cluster_network::candidates(request, default)?;
    for (origin, selection) in selected {
        candidates.push(selected::candidate(request, origin, selection)?);
    }
    check_default_route(&candidates)?;
    let first = first_number(request, &candidates);
    let mut warnings = Vec::new();
    for (number, candidate) in (first..).zip(&candidates) {
        check_recursion(candidate)?;
        warnings.extend(capability::check(request, number == 0, candidate)?);
    }
    let attachments = place(request, first, candidates)?;
    Ok(Plan {
        pod: request.pod.clone(),
        attachments,
        warnings,
    })
}

fn elements(
    request: &Request<'_>,
    annotation: &'static str,
) -> Result<Vec<(Origin, NetworkSelection)>, PlanError> {
    let text = request.pod.annotations.get(annotation).map_or("", String::as_str);
    let namespace = match annotation {
        DEFAULT_NETWORK => &cluster_network::namespace(),
        _ => &request.pod.namespace,
    };
    let selections = selection::parse(text, namespace).map_err(|source| PlanError::Annotation {
        annotation,
        pod: request.pod.to_string(),
        source: Box::new(source),
    })?;
    let numbered = (1..).zip(selections);
    Ok(numbered
        .map(|(number, s)| (Origin::Element { annotation, number }, s))
        .collect())
}

/// At most one element of both annotations owns the default route.
fn check_default_route(candidates: &[Candidate]) -> Result<(), PlanError> {
    let owns = |c: &&Candidate| c.selection.as_ref().is_some_and(|s| s.default_route.is_some());
    let mut owners = candidates.iter().filter(owns);
    match (owners.next(), owners.next()) {
        (Some(first), Some(second)) => Err(PlanError::SecondDefaultRoute(
            first.origin.clone(),
            second.origin.clone(),
        )),
        _ => Ok(()),
    }
}

/// The plugins that would call themselves again.
const META_PLUGINS: &[&str] = &["multus", "multus-shim", "plexus", "plexus-shim"];

fn check_recursion(candidate: &Candidate) -> Result<(), PlanError> {
    match meta_plugin(&candidate.list) {
        None => Ok(()),
        Some(kind) => Err(PlanError::Recursion {
            origin: candidate.origin.clone(),
            network: candidate.network.to_string(),
            kind: kind.to_string(),
        }),
    }
}

/// The meta-plugin that `list` would run, in the chain or for addresses, if there is one.
fn meta_plugin(list: &ConfList) -> Option<PluginType> {
    let kinds = list.plugins().flat_map(types);
    kinds
        .into_iter()
        .find(|kind| META_PLUGINS.contains(&kind.as_str()))
}

/// The type of a plugin, and that of the one that it leaves addresses to, where its configuration says so in
/// the usual place.
pub(crate) fn types(plugin: &PluginConf) -> impl Iterator<Item = PluginType> {
    std::iter::once(plugin.kind.clone()).chain(ipam(plugin))
}

/// The type of the plugin that `plugin` leaves addresses to.
pub(crate) fn ipam(plugin: &PluginConf) -> Option<PluginType> {
    #[derive(serde::Deserialize)]
    struct Ipam {
        #[serde(rename = "type")]
        kind: String,
    }
    let ipam: Option<Ipam> = plugin.object.parse_key("ipam").ok().flatten();
    ipam.and_then(|ipam| ipam.kind.parse().ok())
}

/// The number of the first candidate: 0 is the default network's.
fn first_number(request: &Request<'_>, candidates: &[Candidate]) -> usize {
    usize::from(request.cluster_network.is_none() && !starts_with_default(candidates))
}

fn starts_with_default(candidates: &[Candidate]) -> bool {
    let origin = candidates.first().map(|candidate| &candidate.origin);
    matches!(
        origin,
        Some(Origin::Element {
            annotation: DEFAULT_NETWORK,
            ..
        })
    )
}

/// Names the interfaces and puts together what each attachment is handed.
fn place(
    request: &Request<'_>,
    first: usize,
    candidates: Vec<Candidate>,
) -> Result<Vec<Attachment>, PlanError> {
    let mut taken: BTreeMap<IfName, Origin> = BTreeMap::new();
    let mut attachments = Vec::new();
    for (number, candidate) in (first..).zip(candidates) {
        let ifname = identity::ifname(request, number, &candidate)?;
        if let Some(other) = taken.insert(ifname.clone(), candidate.origin.clone()) {
            let second = candidate.origin;
            return Err(PlanError::InterfaceTaken {
                ifname,
                first: other,
                second,
            });
        }
        attachments.push(selected::attachment(request, number == 0, ifname, candidate)?);
    }
    Ok(attachments)
}

#[cfg(test)]
mod tests;
