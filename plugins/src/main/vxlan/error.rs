//! What can go wrong with a segment, and which CNI code it has.

use cni_core::spec::{Code, Error, NameError};

use crate::shared::lock::LockError;

/// A failure that is `vxlan`'s own.
#[derive(Debug, thiserror::Error)]
pub(super) enum VxlanError {
    #[error("missing \"vni\"")]
    NoVni,
    #[error("\"port\" is 0")]
    Port,
    #[error("{key:?} holds {value:?}, which is not an IP address")]
    Address { key: &'static str, value: String },
    #[error("read key \"device\"")]
    Device(#[source] NameError),
    #[error("\"group\" is no multicast address")]
    Group,
    #[error("\"group\" needs the \"device\" that the group is joined on")]
    GroupWithoutDevice,
    #[error("\"peers\" and \"local\" must be one node's address each")]
    End,
    #[error("\"peers\", \"local\" and \"group\" must be of one address family")]
    MixedFamilies,
    #[error("find underlay device {0:?}: Link not found")]
    NoDevice(String),
    /// VX-6.
    #[error(
        "create vxlan device of network {network:?}: VNI {vni} on port {port} is taken by device {device}"
    )]
    VniTaken {
        network: String,
        vni: u32,
        port: u16,
        device: String,
    },
    /// VX-7.
    #[error("create vxlan device of network {network:?}: UDP port {port} is taken by {holder}")]
    PortTaken {
        network: String,
        port: u16,
        holder: String,
    },
    #[error(
        "create the segment of network {network:?}: the name {link:?} is taken by another program's interface"
    )]
    NameTaken { network: String, link: String },
    #[error(
        "join the segment of network {network:?}: {device:?} has {present}, the configuration {wanted}, and containers are attached"
    )]
    Settled {
        network: String,
        device: String,
        present: String,
        wanted: String,
    },
    #[error("lock the segment of network {network:?}")]
    Lock {
        network: String,
        #[source]
        source: LockError,
    },
    #[error("remove {path:?}")]
    LockFile {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("create directory {path:?}")]
    Directory {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

impl From<VxlanError> for Error {
    fn from(error: VxlanError) -> Self {
        let code = match &error {
            VxlanError::VniTaken { .. } => Code(130),
            VxlanError::PortTaken { .. } => Code(131),
            VxlanError::NameTaken { .. } => Code(132),
            VxlanError::Settled { .. } => Code(133),
            VxlanError::Lock {
                source: LockError::Busy { .. },
                ..
            } => Code::TRY_AGAIN,
            VxlanError::Lock { .. } | VxlanError::LockFile { .. } | VxlanError::Directory { .. } => Code(134),
            VxlanError::NoDevice(_) => Code(135),
            VxlanError::NoVni
            | VxlanError::Port
            | VxlanError::Address { .. }
            | VxlanError::Device(_)
            | VxlanError::Group
            | VxlanError::GroupWithoutDevice
            | VxlanError::End
            | VxlanError::MixedFamilies => Code::INVALID_CONFIG,
        };
        Self::from_source(code, &error)
    }
}
