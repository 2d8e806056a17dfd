//! What a plan consists of.

use std::fmt;
use std::net::IpAddr;

use cni_core::spec::{CniArgs, ConfList, IfName, NetName, Object};

use super::Origin;
use crate::npwg::{NadRef, Pod};

/// What is to be attached to one pod, in the order of ADD.
///
/// # Guarantees
/// The default network's attachment is the first one, and the only one with [`Attachment::is_default`];
/// only where no cluster network was asked for there is none. No two have the same interface name. At most one has
/// [`Attachment::default_route`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The pod.
    pub pod: Pod,
    /// Its attachments: ADD in this order, DEL in the reverse order.
    pub attachments: Vec<Attachment>,
    /// What was let through though the specification forbids it, for the log.
    pub warnings: Vec<Warning>,
}

/// One network that a pod is attached to: everything that its ADD needs besides container and namespace.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attachment {
    /// The network as `network-status` names it.
    pub network: NetworkRef,
    /// The configuration to run; its name is set and the pod's `cni-args` are in every plugin's `args.cni`.
    pub list: ConfList,
    /// `CNI_IFNAME`.
    pub ifname: IfName,
    /// Capability arguments by the capability's name (`ips`, `mac`, …), unfiltered: the chain hands each
    /// plugin those that it declares, as `runtimeConfig`.
    pub capability_args: Object,
    /// `CNI_ARGS`.
    pub args: CniArgs,
    /// Whether this attachment owns the pod's default route: `None`, no; an empty list, with the gateway of
    /// its own result; else with these gateways, the preferred one first.
    pub default_route: Option<Vec<IpAddr>>,
    /// Whether it is the default network, whose result is the runtime's.
    pub is_default: bool,
    /// The device plugin's resource that the NAD names.
    pub resource_name: Option<String>,
}

impl Plan {
    /// A plan that somebody else has made sure of; what [`Plan`] guarantees is theirs to keep.
    pub fn new(pod: Pod, attachments: Vec<Attachment>) -> Self {
        let warnings = Vec::new();
        Self {
            pod,
            attachments,
            warnings,
        }
    }
}

impl Attachment {
    /// A secondary network that nothing was asked of.
    pub fn new(network: NetworkRef, list: ConfList, ifname: IfName) -> Self {
        Self {
            network,
            list,
            ifname,
            capability_args: Object::new(),
            args: CniArgs::default(),
            default_route: None,
            is_default: false,
            resource_name: None,
        }
    }
}

/// How an attachment's network is called in `network-status` and in messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the specification has these two")]
pub enum NetworkRef {
    /// A network that comes from the configuration: its CNI name.
    Name(NetName),
    /// A NetworkAttachmentDefinition: `namespace/name`.
    Nad(NadRef),
}

impl fmt::Display for NetworkRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Nad(nad) => nad.fmt(f),
        }
    }
}

/// Something that a plan lets through, but that its author did not mean.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A requested capability that no plugin of the network declares, so that nothing will come of it.
    Capability {
        /// The capability's name.
        capability: String,
        /// The network.
        network: String,
        /// Where it is asked for.
        origin: Origin,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability {
                capability,
                network,
                origin,
            } => write!(
                f,
                "{origin}: no plugin of network {network:?} declares capability {capability:?}"
            ),
        }
    }
}
