//! What is to be known of a pod.

use std::collections::BTreeMap;

use super::Namespace;

/// A pod, as far as its networks go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name there.
    pub name: String,
    /// Its UID, which tells it from an earlier pod of the same name.
    pub uid: Option<String>,
    /// All its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Pod {
    /// A pod without UID and annotations.
    pub fn new(namespace: Namespace, name: impl Into<String>) -> Self {
        Self {
            namespace,
            name: name.into(),
            ..Self::default()
        }
    }
}
