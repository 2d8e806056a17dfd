//! From one selected network to its attachment.

use cni_core::spec::{CniArgs, IfName, Object, ObjectError};

use super::{Attachment, Candidate, NetworkRef, Origin, PlanError, Request, SourceError, cni_args, identity};
use crate::npwg::{NadRef, NetworkSelection};

/// Looks the selected network up, if the pod may select it.
pub(super) fn candidate(
    request: &Request<'_>,
    origin: Origin,
    selection: NetworkSelection,
) -> Result<Candidate, PlanError> {
    let namespace = &selection.network.namespace;
    let policy = request.policy;
    let foreign = *namespace != request.pod.namespace && !policy.global_namespaces.contains(namespace);
    if policy.namespace_isolation && foreign {
        return Err(PlanError::Isolation {
            origin,
            network: selection.network.to_string(),
            pod: request.pod.to_string(),
        });
    }
    let mut candidate = from_nad(request, origin, &selection.network)?;
    candidate.selection = Some(selection);
    Ok(candidate)
}

/// The network of a definition, its configuration inline or on disk (specification, 3.4.1).
pub(super) fn from_nad(
    request: &Request<'_>,
    origin: Origin,
    reference: &NadRef,
) -> Result<Candidate, PlanError> {
    let failed = |source| PlanError::Source {
        origin: origin.clone(),
        network: reference.to_string(),
        source: Box::new(source),
    };
    let absent = || SourceError::NoNad {
        reference: reference.clone(),
        broken: request.networks.broken(),
    };
    let nad = request.networks.nad(reference).ok_or_else(|| failed(absent()))?;
    let inline = nad
        .inline()
        .map_err(|e| failed(SourceError::Nad(reference.clone(), e)))?;
    let list = match inline {
        Some(list) => list,
        None => {
            let on_disk = request.networks.conf_named(reference.name.as_str());
            on_disk.map_err(|e| failed(SourceError::NoConf(reference.clone(), e)))?
        }
    };
    Ok(Candidate {
        network: NetworkRef::Nad(reference.clone()),
        list,
        resource_name: nad.resource_name.clone(),
        selection: None,
        origin,
    })
}

/// Puts together what the attachment is handed.
pub(super) fn attachment(
    request: &Request<'_>,
    is_default: bool,
    ifname: IfName,
    candidate: Candidate,
) -> Result<Attachment, PlanError> {
    let Candidate {
        origin,
        network,
        mut list,
        resource_name,
        selection,
    } = candidate;
    let mut capability_args = match is_default {
        true => request.capability_args.clone(),
        false => Object::new(),
    };
    let mut args = identity::args(request, is_default);
    if let Some(selection) = &selection {
        // Over what the runtime asks for.
        capability_args.merge(&asked(selection).map_err(PlanError::Encode)?);
        ask_the_old_way(&mut args, selection);
        if let Some(from_pod) = &selection.cni_args {
            cni_args::merge(&mut list, from_pod).map_err(|(kind, source)| PlanError::CniArgs {
                origin,
                network: network.to_string(),
                kind,
                source,
            })?;
        }
    }
    Ok(Attachment {
        network,
        list,
        ifname,
        capability_args,
        args,
        default_route: selection.and_then(|selection| selection.default_route),
        is_default,
        resource_name,
    })
}

/// What the element asks for, by capability.
pub(super) fn asked(selection: &NetworkSelection) -> Result<Object, ObjectError> {
    let mut args = Object::new();
    if !selection.ips.is_empty() {
        args.set("ips", &selection.ips)?;
    }
    if let Some(mac) = &selection.mac {
        args.set("mac", mac)?;
    }
    if !selection.port_mappings.is_empty() {
        args.set("portMappings", &selection.port_mappings)?;
    }
    if let Some(bandwidth) = &selection.bandwidth {
        args.set("bandwidth", bandwidth)?;
    }
    if let Some(guid) = &selection.infiniband_guid {
        args.set("infinibandGUID", guid)?;
    }
    if let Some(device) = &selection.device_id {
        args.set("deviceID", device)?;
    }
    Ok(args)
}

/// `MAC` and `IP` in `CNI_ARGS`, which older plugins still read.
fn ask_the_old_way(args: &mut CniArgs, selection: &NetworkSelection) {
    if let Some(mac) = &selection.mac {
        args.set("MAC", mac.to_string());
    }
    if !selection.ips.is_empty() {
        let ips: Vec<_> = selection.ips.iter().map(ToString::to_string).collect();
        args.set("IP", ips.join(","));
    }
}
