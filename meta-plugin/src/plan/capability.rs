//! The check that what a pod asks for can be had (specification, 4.1.2).

use super::{Candidate, PlanError, Warning};
use crate::config::CapabilityCheck;
use crate::npwg::NetworkSelection;

/// Refuses what is asked of a network of which no plugin declares the capability, or warns of it.
pub(super) fn check(candidate: &Candidate, rule: CapabilityCheck) -> Result<Vec<Warning>, PlanError> {
    let Some(selection) = &candidate.selection else {
        return Ok(Vec::new());
    };
    let declared = |capability: &str| {
        candidate
            .list
            .plugins()
            .any(|p| p.capabilities.contains(capability))
    };
    let mut missing = requested(selection)
        .filter(|capability| !declared(capability))
        .peekable();
    let network = candidate.network.to_string();
    let origin = candidate.origin.clone();
    match (rule, missing.peek()) {
        (CapabilityCheck::Enforce, Some(&capability)) => Err(PlanError::Capability {
            origin,
            network,
            capability,
        }),
        _ => Ok(missing
            .map(|capability| Warning::Capability {
                capability,
                network: network.clone(),
                element: origin.to_string(),
            })
            .collect()),
    }
}

/// The capabilities that the specification has checked, of those that the element asks for.
fn requested(selection: &NetworkSelection) -> impl Iterator<Item = &'static str> {
    let all = [
        ("ips", !selection.ips.is_empty()),
        ("mac", selection.mac.is_some()),
        ("portMappings", !selection.port_mappings.is_empty()),
        ("bandwidth", selection.bandwidth.is_some()),
        ("infinibandGUID", selection.infiniband_guid.is_some()),
    ];
    all.into_iter()
        .filter_map(|(capability, asked)| asked.then_some(capability))
}
