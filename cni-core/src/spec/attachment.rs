//! What an operation is about: one interface of one container.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ContainerId, IfName};

/// One interface of one container; with the network's name, the identity of an attachment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttachmentId {
    /// `CNI_CONTAINERID`.
    pub container: ContainerId,
    /// `CNI_IFNAME`.
    pub ifname: IfName,
}

impl AttachmentId {
    /// The interface `ifname` of `container`.
    pub fn new(container: ContainerId, ifname: IfName) -> Self {
        Self { container, ifname }
    }
}

impl fmt::Display for AttachmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.ifname, self.container)
    }
}

/// An entry of `cni.dev/valid-attachments`, as GC receives them (specification, section 2: GC).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ValidAttachment {
    /// The container that still exists.
    #[serde(rename = "containerID")]
    pub container: ContainerId,
    /// Its interface; the specification writes the key in lower case.
    pub ifname: IfName,
}

impl From<&AttachmentId> for ValidAttachment {
    fn from(id: &AttachmentId) -> Self {
        Self {
            container: id.container.clone(),
            ifname: id.ifname.clone(),
        }
    }
}

/// The path of a network namespace, as a request names it; not yet opened, perhaps already gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NetnsPath(PathBuf);

impl NetnsPath {
    /// The namespace at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for NetnsPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for NetnsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}
