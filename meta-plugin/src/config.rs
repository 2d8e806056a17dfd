//! The configuration: policy from one file of the node, and the entry in the runtime's conflist.
//!
//! A misspelt key would be a wish that silently does not come true, so unknown keys are refused and the
//! nearest known one is named.

mod deadlines;
mod entry;
mod keys;
mod policy;

pub use deadlines::{Deadlines, parse_duration};
pub use entry::{ClusterNetwork, Daemon, Entry, Standalone};
pub use policy::{CapabilityCheck, Policy};

use std::io;
use std::path::PathBuf;

use cni_core::spec::{Code, ConfError, Error, ObjectError};

/// Where the policy is, unless the command line says otherwise.
pub const POLICY_FILE: &str = "/etc/plexus/config.json";

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Two keys of which one would be without effect.
    #[error("keys {0:?} and {1:?} exclude each other")]
    Both(&'static str, &'static str),
    /// A delegate that is not a configuration; counted from 1.
    #[error("element {0} of key \"delegates\"")]
    Delegate(usize, #[source] ConfError),
    /// A key without which the entry says nothing.
    #[error("key {0:?} is missing: {1}")]
    Missing(&'static str, &'static str),
    /// Not JSON, or a key of the wrong type.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The file is there and cannot be read.
    #[error("read {0:?}")]
    Read(PathBuf, #[source] io::Error),
    /// A key that has no effect in this mode.
    #[error("key {key:?} has no effect in mode {mode:?}")]
    Stray {
        /// The key.
        key: &'static str,
        /// The mode.
        mode: &'static str,
    },
    /// A key that nothing reads.
    #[error("unknown key {key:?}, the nearest is {nearest:?}")]
    Unknown {
        /// The key.
        key: String,
        /// The known key with the fewest letters changed.
        nearest: &'static str,
    },
    /// A value that breaks its key's rule.
    #[error("key {key:?} holds {value:?}: {rule}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        rule: &'static str,
    },
}

impl ConfigError {
    fn value(key: &'static str, value: impl Into<String>, rule: &'static str) -> Self {
        Self::Value {
            key,
            value: value.into().chars().take(80).collect(),
            rule,
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        let code = match &error {
            ConfigError::Object(_) => Code::DECODING,
            ConfigError::Read(..) => Code::IO,
            ConfigError::Stray { .. } | ConfigError::Unknown { .. } => Code::UNSUPPORTED_FIELD,
            ConfigError::Both(..)
            | ConfigError::Delegate(..)
            | ConfigError::Missing(..)
            | ConfigError::Value { .. } => Code::INVALID_CONFIG,
        };
        Self::from_source(code, &error)
    }
}

#[cfg(test)]
mod tests;
