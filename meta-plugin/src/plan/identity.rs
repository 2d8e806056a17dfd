//! Who the pod is, and how its interfaces are called.

use cni_core::spec::{CniArgs, IfName};

use super::{Candidate, PlanError, Request};

/// Where a pod comes from that the kubelet knows from its own files; anything but `api` is such a place.
const CONFIG_SOURCE: &str = "kubernetes.io/config.source";

/// Refuses a pod that has taken the place of the one that the runtime means.
///
/// The UID of a static pod is the kubelet's own and differs from the API's.
pub(super) fn check(request: &Request<'_>) -> Result<(), PlanError> {
    let source = request.pod.annotations.get(CONFIG_SOURCE);
    let is_static = source.is_some_and(|source| source != "api");
    match (&request.pod.uid, request.args.get("K8S_POD_UID")) {
        (Some(found), Some(expected)) if !expected.is_empty() && found != expected && !is_static => {
            Err(PlanError::Gone {
                pod: request.pod.to_string(),
                found: found.clone(),
                expected: expected.to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// The interface of attachment `number`: what the element asks for, else the runtime's name for the default
/// network and `net<number>` for all others.
pub(super) fn ifname(
    request: &Request<'_>,
    number: usize,
    candidate: &Candidate,
) -> Result<IfName, PlanError> {
    let asked = candidate.selection.as_ref().and_then(|s| s.interface.clone());
    match (number, asked) {
        (0, Some(asked)) if asked != request.ifname => Err(PlanError::DefaultInterface {
            origin: candidate.origin.clone(),
            runtime: request.ifname.clone(),
            asked,
        }),
        (0, _) => Ok(request.ifname.clone()),
        (_, Some(asked)) => Ok(asked),
        (number, None) => format!("net{number}")
            .parse()
            .map_err(|e| PlanError::TooMany(number, e)),
    }
}

/// `CNI_ARGS` of an attachment: the runtime's, and the pod's name where the runtime did not say it.
///
/// What the runtime asks of the default network (`IP`, `MAC`, `GATEWAY`) is not for the others.
pub(super) fn args(request: &Request<'_>, is_default: bool) -> CniArgs {
    let for_default = |key: &str| matches!(key, "GATEWAY" | "IP" | "MAC");
    let mut args = CniArgs::default();
    for (key, value) in request.args.iter() {
        if is_default || !for_default(key) {
            args.set(key, value);
        }
    }
    let pod = request.pod;
    for (key, value) in [
        // Older plugins refuse keys that they do not know unless they are told not to.
        ("IgnoreUnknown", Some("1")),
        ("K8S_POD_NAMESPACE", Some(pod.namespace.as_str())),
        ("K8S_POD_NAME", Some(pod.name.as_str())),
        ("K8S_POD_UID", pod.uid.as_deref()),
    ] {
        if let Some(value) = value.filter(|_| args.get(key).is_none()) {
            args.set(key, value);
        }
    }
    args
}
