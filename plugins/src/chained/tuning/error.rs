//! What can go wrong with tuning, and which CNI code it has.

use std::path::PathBuf;

use cni_core::spec::{Code, Error};
use cni_net::NetError;

/// A failure that is `tuning`'s own.
#[derive(Debug, thiserror::Error)]
pub(super) enum TuningError {
    #[error("duplicated sysctl keys are not allowed: {0:?}")]
    DuplicateSysctl(String),
    #[error("invalid net sysctl key: {0:?}")]
    SysctlKey(String),
    #[error("sysctl {key:?} is not allowed: it matches none of {allowed:?}")]
    SysctlRefused { key: String, allowed: Vec<String> },
    #[error("{what} {path:?}")]
    Backup {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("read allowlist {path:?}")]
    Allowlist {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("read line {line:?} of allowlist {path:?}")]
    AllowlistLine {
        path: PathBuf,
        line: String,
        #[source]
        source: regex_lite::Error,
    },
    #[error("set {what} of interface {ifname:?}")]
    Attribute {
        what: String,
        ifname: String,
        #[source]
        source: NetError,
    },
}

impl From<TuningError> for Error {
    fn from(error: TuningError) -> Self {
        let code = match &error {
            TuningError::DuplicateSysctl(_)
            | TuningError::SysctlKey(_)
            | TuningError::SysctlRefused { .. } => Code::INVALID_CONFIG,
            TuningError::Backup { .. } => Code(156),
            TuningError::Allowlist { .. } | TuningError::AllowlistLine { .. } => Code(157),
            TuningError::Attribute { .. } => Code(158),
        };
        Self::from_source(code, &error)
    }
}
