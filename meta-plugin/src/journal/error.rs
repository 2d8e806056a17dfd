//! What can go wrong with the journal.

use std::io;
use std::path::{Path, PathBuf};

use cni_core::spec::{Code, ContainerId, Error};

/// A journal that cannot be written, read or locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A file operation failed.
    #[error("{what} journal {path:?}")]
    Io {
        /// What was being attempted.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A record cannot be written as JSON.
    #[error("write journal {0:?}")]
    Encode(PathBuf, #[source] serde_json::Error),
    /// A newer program wrote the journal.
    #[error("journal {path:?} has version {version}, and this program reads up to {max}", max = super::VERSION)]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// Another operation on the container did not end in time.
    #[error("lock container {container:?}: another operation on it is still running")]
    Locked {
        /// The container.
        container: ContainerId,
    },
}

impl JournalError {
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { what, path, source }
    }
}

impl From<JournalError> for Error {
    /// One code for each failure; without a wildcard, so that a new one has to be given its code here.
    fn from(error: JournalError) -> Self {
        let code = match &error {
            JournalError::Io { .. } | JournalError::Encode(..) => Code(180),
            JournalError::Newer { .. } => Code(181),
            JournalError::Locked { .. } => Code::TRY_AGAIN,
        };
        Self::from_source(code, &error)
    }
}
