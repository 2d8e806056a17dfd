//! What can go wrong in the shared pieces, and which CNI code it has.

use std::net::IpAddr;

use cni_core::spec::{Code, Error, NameError};
use ipnet::IpNet;

/// A failure of one of the shared pieces.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SharedError {
    /// The IPAM plugin succeeded and gave no address.
    #[error("IPAM plugin returned missing IP config")]
    NoAddress,
    /// The IPAM plugin gave one address twice.
    #[error("configure interface {ifname:?}: address {address} is given twice")]
    AddressTwice {
        /// The interface.
        ifname: String,
        /// The address.
        address: IpNet,
    },
    /// An address that no interface can have.
    #[error("configure interface {ifname:?}: {address} is no address of an interface")]
    AddressKind {
        /// The interface.
        ifname: String,
        /// The address.
        address: IpNet,
    },
    /// A result names an interface that it does not hold, or another one.
    #[error("configure interface {ifname:?} with address {address}: invalid interface index {index}")]
    Index {
        /// The interface.
        ifname: String,
        /// The address.
        address: IpNet,
        /// The index that it came with.
        index: i64,
    },
    /// A gateway of another family than what it leads to.
    #[error("gateway {gateway} of {subject} is of the other address family")]
    GatewayFamily {
        /// The gateway.
        gateway: IpAddr,
        /// The address or destination that it was given for.
        subject: IpNet,
    },
    /// The gateway that the bridge is to be has no place in the subnet.
    #[error("find a gateway for {address}: {problem}")]
    Gateway {
        /// The container's address.
        address: IpNet,
        /// What is wrong.
        problem: &'static str,
    },
    /// The bridge is the gateway of something else already.
    #[error("{bridge:?} already has an IP address different from {gateway}: {present}")]
    GatewayTaken {
        /// The bridge.
        bridge: String,
        /// The address that it was to have.
        gateway: IpNet,
        /// The address that it has.
        present: IpNet,
    },
    /// Somebody else on the link has the address.
    #[error("configure interface {ifname:?}: address {address} is in use on the link")]
    Duplicate {
        /// The interface.
        ifname: String,
        /// The address.
        address: IpNet,
    },
    /// Duplicate-address detection did not come to an end, or the kernel not to completing an address.
    #[error("configure interface {ifname:?}: address {address} is not usable in time")]
    NotUsable {
        /// The interface.
        ifname: String,
        /// The address.
        address: IpNet,
    },
    /// The very attachment is there.
    #[error("interface {ifname:?} of container {container:?} is already attached, by {host:?}")]
    Attached {
        /// The interface.
        ifname: String,
        /// The container.
        container: String,
        /// The host end that shows it.
        host: String,
    },
    /// The container has an interface of that name.
    #[error("container veth name ({ifname:?}) already exists")]
    IfnameTaken {
        /// The interface.
        ifname: String,
    },
    /// Every name that the host end might have is taken by others.
    #[error("name the host end of {ifname:?}: all of its names are taken")]
    NoHostName {
        /// The container's interface.
        ifname: String,
    },
    /// A version that has no place for a result without addresses.
    #[error("attach without addresses: results before version 0.3.0 need a valid IP address")]
    NeedsAddress,
    /// A hardware address that cannot be one.
    #[error("read the MAC address that {origin} asks for")]
    Mac {
        /// Where it came from.
        origin: &'static str,
        /// What is wrong with it.
        #[source]
        source: NameError,
    },
    /// A hardware address that stands for many interfaces, or none.
    #[error("MAC address {mac:?} that {origin} asks for is no address of one interface")]
    MacKind {
        /// Where it came from.
        origin: &'static str,
        /// The address.
        mac: String,
    },
    /// A backend for masquerade that is none.
    #[error("unknown ipmasq backend {name:?}")]
    MasqueradeBackend {
        /// What `ipMasqBackend` says.
        name: String,
    },
    /// A backend for masquerade that there is, but not here.
    #[error("masquerade with ipMasqBackend \"iptables\": only \"nftables\" is supported")]
    MasqueradeIptables,
    /// CHECK without the result of ADD.
    #[error("required prevResult missing")]
    NoPrev,
    /// CHECK found something missing, or different from the result of ADD.
    #[error("check {subject}: {problem}")]
    Differs {
        /// What was looked at.
        subject: String,
        /// What is wrong.
        problem: String,
    },
}

impl From<SharedError> for Error {
    fn from(error: SharedError) -> Self {
        let code = match &error {
            SharedError::NoAddress => Code(160),
            SharedError::Duplicate { .. } => Code(161),
            SharedError::NotUsable { .. } => Code(162),
            SharedError::Differs { .. } => Code(163),
            SharedError::Index { .. } => Code(164),
            SharedError::NoHostName { .. } => Code(165),
            SharedError::IfnameTaken { .. } => Code(166),
            SharedError::GatewayTaken { .. } => Code(167),
            SharedError::MasqueradeIptables => Code::UNSUPPORTED_FIELD,
            SharedError::AddressTwice { .. }
            | SharedError::AddressKind { .. }
            | SharedError::GatewayFamily { .. }
            | SharedError::Gateway { .. }
            | SharedError::Attached { .. }
            | SharedError::NeedsAddress
            | SharedError::Mac { .. }
            | SharedError::MacKind { .. }
            | SharedError::MasqueradeBackend { .. }
            | SharedError::NoPrev => Code::INVALID_CONFIG,
        };
        Self::from_source(code, &error)
    }
}
