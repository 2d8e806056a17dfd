//! The multi-network specification of the Network Plumbing Working Group, version 1.3: types and parsing.

pub(crate) mod manifest;
pub mod nad;
mod names;
mod pod;
pub mod selection;
pub mod status;

pub use manifest::ManifestError;
pub use nad::Nad;
pub use names::{ClaimName, DnsError, NadName, NadRef, Namespace, PodName};
pub use pod::Pod;
pub use selection::NetworkSelection;
pub use status::NetworkStatus;

/// The pod's annotation that selects networks (specification, 4.1).
pub const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";
/// The pod's annotation in which what was attached is published (specification, 5).
pub const NETWORK_STATUS: &str = "k8s.v1.cni.cncf.io/network-status";
/// The NAD's annotation that names the device plugin's resource.
pub const RESOURCE_NAME: &str = "k8s.v1.cni.cncf.io/resourceName";
/// The pod's annotation that replaces the cluster default network.
pub const DEFAULT_NETWORK: &str = "v1.multus-cni.io/default-network";
