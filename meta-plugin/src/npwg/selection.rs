//! The networks annotation: which networks a pod asks for, and what it asks of them (specification, 4.1).
//!
//! One rule holds for every key: a value that is not valid is an error that names element, key and value.
//! The specification would have some such values ignored, and the pod start without what it asked for.

mod comma;
mod element;
mod values;

pub use values::{Bandwidth, Guid, IpRequest, PortMapping, Protocol};

use std::net::IpAddr;

use cni_core::spec::{IfName, Mac, NameError, Object, ObjectError};

use super::names::{ClaimName, DnsError, NadRef, Namespace};

/// One element of the networks annotation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NetworkSelection {
    /// `namespace` and `name`: the NetworkAttachmentDefinition.
    pub network: NadRef,
    /// `ips`: addresses that the pod is to get.
    pub ips: Vec<IpRequest>,
    /// `mac`: the hardware address that the interface is to get.
    pub mac: Option<Mac>,
    /// `interface`, or the older `interfaceRequest`: the interface's name.
    pub interface: Option<IfName>,
    /// `cni-args`: what goes into `args.cni` of the configuration.
    pub cni_args: Option<Object>,
    /// `portMappings`: ports of the host that lead to the pod.
    pub port_mappings: Vec<PortMapping>,
    /// `bandwidth`: limits.
    pub bandwidth: Option<Bandwidth>,
    /// `default-route`: this network has the pod's default route; an empty list leaves the gateway to it.
    pub default_route: Option<Vec<IpAddr>>,
    /// `infiniband-guid`: the GUID that the interface is to get.
    pub infiniband_guid: Option<Guid>,
    /// `ipam-claim-reference`: the IPAMClaim that the addresses come from. Nothing hands it on: who
    /// implements it reads the annotation.
    pub ipam_claim: Option<ClaimName>,
    /// `deviceID`: the device to use.
    pub device_id: Option<String>,
}

impl NetworkSelection {
    /// `network` with nothing asked of it.
    pub fn new(network: NadRef) -> Self {
        Self {
            network,
            ips: Vec::new(),
            mac: None,
            interface: None,
            cni_args: None,
            port_mappings: Vec::new(),
            bandwidth: None,
            default_route: None,
            infiniband_guid: None,
            ipam_claim: None,
            device_id: None,
        }
    }
}

/// A networks annotation that breaks a rule. Elements are counted from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// An element asks for addresses and for a claim that they are to come from.
    #[error("element {0}: keys \"ips\" and \"ipam-claim-reference\" exclude each other")]
    Claim(usize),
    /// Not a JSON list of objects.
    #[error("it is not a JSON list of objects")]
    Json(#[source] serde_json::Error),
    /// An element of the comma form that is not one.
    #[error("element {element}: {text:?} is not [namespace/]name[@interface]")]
    Reference {
        /// The element's number.
        element: usize,
        /// What it says.
        text: String,
        /// What is wrong with it.
        #[source]
        why: ValueError,
    },
    /// More than one element has the key `default-route`.
    #[error("elements {0} and {1}: only one may have key \"default-route\"")]
    SecondDefaultRoute(usize, usize),
    /// A key that holds what it must not, or that is missing.
    #[error("element {element}: key {key:?} holds {value}")]
    Value {
        /// The element's number.
        element: usize,
        /// The key.
        key: &'static str,
        /// The text of its value.
        value: String,
        /// What is wrong with it.
        #[source]
        why: ValueError,
    },
}

/// Why a value is not valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Not a name that Kubernetes allows.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// Not a name or address that CNI allows.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Not of the key's JSON type.
    #[error(transparent)]
    Type(#[from] ObjectError),
    /// It breaks the key's own rule.
    #[error("{0}")]
    Rule(&'static str),
}

/// Reads a networks annotation in either form; a name without namespace is in `namespace`.
///
/// A value with `[`, `{` or `"` in it is JSON, else elements with commas between. Unknown keys are ignored.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse(annotation: &str, namespace: &Namespace) -> Result<Vec<NetworkSelection>, SelectionError> {
    if annotation.trim().is_empty() {
        return Ok(Vec::new());
    }
    let selections = if annotation.contains(['[', '{', '"']) {
        let elements: Vec<Object> = serde_json::from_str(annotation).map_err(SelectionError::Json)?;
        let numbered = (1..).zip(&elements);
        numbered
            .map(|(at, object)| element::parse(at, object, namespace))
            .collect::<Result<Vec<_>, _>>()?
    } else {
        let numbered = (1..).zip(annotation.split(','));
        numbered
            .map(|(at, text)| comma::parse(at, text.trim(), namespace))
            .collect::<Result<Vec<_>, _>>()?
    };
    check_default_route(&selections)?;
    Ok(selections)
}

fn check_default_route(selections: &[NetworkSelection]) -> Result<(), SelectionError> {
    let mut owners = (1..).zip(selections).filter(|(_, s)| s.default_route.is_some());
    match (owners.next(), owners.next()) {
        (Some((first, _)), Some((second, _))) => Err(SelectionError::SecondDefaultRoute(first, second)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
