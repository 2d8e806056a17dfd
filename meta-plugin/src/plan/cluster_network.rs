//! What every pod is attached to before anything else: from the configuration, or by the pod's annotation.

use std::path::Path;

use cni_core::spec::ConfList;

use super::{Candidate, NetworkRef, Origin, PlanError, Request, SourceError, selected};
use crate::config::ClusterNetwork;
use crate::npwg::{DEFAULT_NETWORK, NadName, NadRef, Namespace, NetworkSelection};

/// Where a default network's definition is looked for when no namespace is named.
pub const CLUSTER_NAMESPACE: &str = "kube-system";

pub(super) fn namespace() -> Namespace {
    CLUSTER_NAMESPACE.parse().unwrap_or_default()
}

/// The default network first, then the other delegates of the configuration.
///
/// The pod's annotation takes the place of the first one, and is bound by every rule that holds for the
/// networks annotation.
pub(super) fn candidates(
    request: &Request<'_>,
    mut annotated: Vec<(Origin, NetworkSelection)>,
) -> Result<Vec<Candidate>, PlanError> {
    let blank = |text: &String| text.trim().is_empty();
    let annotation = request
        .pod
        .annotations
        .get(DEFAULT_NETWORK)
        .filter(|text| !blank(text));
    if annotation.is_some() && annotated.len() != 1 {
        let (annotation, count) = (DEFAULT_NETWORK, annotated.len());
        return Err(PlanError::DefaultCount { annotation, count });
    }
    let Some((origin, selection)) = annotated.pop() else {
        return configured(request);
    };
    let mut candidates = vec![selected::candidate(request, origin, selection)?];
    if let Some(ClusterNetwork::Delegates(lists)) = request.cluster_network {
        candidates.extend(lists.iter().skip(1).cloned().map(from_list));
    }
    Ok(candidates)
}

fn configured(request: &Request<'_>) -> Result<Vec<Candidate>, PlanError> {
    match request.cluster_network {
        None => Ok(Vec::new()),
        Some(ClusterNetwork::Delegates(lists)) => Ok(lists.iter().cloned().map(from_list).collect()),
        Some(ClusterNetwork::Named(name)) => Ok(vec![named(request, name)?]),
    }
}

/// An absolute path is a file or a directory; `namespace/name` a definition; a bare name a definition of
/// [`CLUSTER_NAMESPACE`], else a configuration by name.
fn named(request: &Request<'_>, name: &str) -> Result<Candidate, PlanError> {
    if name.starts_with(['/', '.']) {
        let path = Path::new(name);
        let list = request.networks.conf_at(path);
        return list.map(from_list).map_err(|e| PlanError::Path {
            path: path.to_owned(),
            source: Box::new(e.into()),
        });
    }
    let failed = |source| PlanError::Source {
        origin: Origin::ClusterNetwork,
        network: name.to_owned(),
        source: Box::new(source),
    };
    match reference(name) {
        Some(reference) if request.networks.nad(&reference).is_some() || name.contains('/') => {
            selected::from_nad(request, Origin::ClusterNetwork, &reference)
        }
        Some(reference) => {
            let list = request.networks.conf_named(name);
            list.map(from_list)
                .map_err(|e| failed(SourceError::Cluster(reference, e)))
        }
        // A configuration's name may hold letters that a definition's may not.
        None => request
            .networks
            .conf_named(name)
            .map(from_list)
            .map_err(|e| failed(e.into())),
    }
}

fn reference(text: &str) -> Option<NadRef> {
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (namespace.parse().ok()?, name),
        None => (namespace(), text),
    };
    let name: NadName = name.parse().ok()?;
    Some(NadRef { namespace, name })
}

fn from_list(list: ConfList) -> Candidate {
    Candidate {
        origin: Origin::ClusterNetwork,
        network: NetworkRef::Name(list.name.clone()),
        list,
        resource_name: None,
        selection: None,
    }
}
