//! The check that what is asked for can be had (specification, 4.1.2).

use cni_core::spec::{ConfList, Object};
use serde_json::Value;

use super::{Candidate, Origin, PlanError, Request, Warning, selected};
use crate::config::CapabilityCheck;

/// What only somebody's wish puts there, in an annotation or through the runtime (`podman run -p`, a pod's
/// `hostPort`).
///
/// Everything else passes: `dns`, `cgroupPath`, `aliases`, `ipRanges` and the pod's annotations are what runtimes
/// tell about every container, whether or not a plugin wants to know. `IP` and `MAC` of `CNI_ARGS`, in which
/// podman and CRI-O write a single address, need no capability.
const CHECKED: [&str; 5] = ["ips", "mac", "portMappings", "bandwidth", "infinibandGUID"];

/// Refuses what is asked of a network of which no plugin declares the capability, or warns of it.
pub(super) fn check(
    request: &Request<'_>,
    is_default: bool,
    candidate: &Candidate,
) -> Result<Vec<Warning>, PlanError> {
    let of_pod = candidate.selection.as_ref().map(selected::asked).transpose();
    let of_pod = of_pod.map_err(PlanError::Encode)?.unwrap_or_default();
    let of_runtime = is_default.then_some(&request.capability_args);
    let asked = [(&candidate.origin, Some(&of_pod)), (&Origin::Runtime, of_runtime)];
    let mut missing = asked.into_iter().flat_map(|(origin, args)| {
        let missing = args.into_iter().flat_map(|args| missing(args, &candidate.list));
        missing.map(|capability| Warning::Capability {
            capability: capability.to_owned(),
            network: candidate.network.to_string(),
            origin: origin.clone(),
        })
    });
    match request.policy.capability_check {
        CapabilityCheck::Warn => Ok(missing.collect()),
        CapabilityCheck::Enforce => missing
            .next()
            .map_or(Ok(Vec::new()), |first| Err(PlanError::Capability(first))),
    }
}

/// The capabilities in `args` that ask for something and that no plugin of `list` declares in this spelling, by
/// which the chain hands them on.
fn missing<'a>(args: &'a Object, list: &'a ConfList) -> impl Iterator<Item = &'a str> {
    args.iter()
        .filter(|(key, _)| CHECKED.iter().any(|checked| checked.eq_ignore_ascii_case(key)))
        .filter(|(key, _)| !list.plugins().any(|plugin| plugin.capabilities.contains(*key)))
        .filter(|(_, value)| serde_json::from_str(value.get()).map_or(true, |value| asks(&value)))
        .map(|(key, _)| key)
}

/// Whether somebody has said something: Go programs write empty texts and lists, and zeros, where nobody has.
fn asks(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(asks),
        Value::Object(values) => values.values().any(asks),
    }
}
