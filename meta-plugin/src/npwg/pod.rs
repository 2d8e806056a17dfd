//! What is to be known of a pod.

use std::collections::BTreeMap;
use std::fmt;

use super::{Namespace, PodName};

/// A pod, as far as its networks go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name there.
    pub name: PodName,
    /// Its UID, which tells it from an earlier pod of the same name.
    pub uid: Option<String>,
    /// All its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Pod {
    /// A pod without UID and annotations.
    pub fn new(namespace: Namespace, name: PodName) -> Self {
        Self {
            namespace,
            name,
            uid: None,
            annotations: BTreeMap::new(),
        }
    }
}

impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
