//! What can go wrong while a list is run.

use std::collections::BTreeSet;

use super::ResultsError;
use crate::invoke::Operation;
use crate::spec::{
    Code, ConfList, Error, NetName, ObjectError, PluginConf, PluginType, Version, with_causes,
};

/// A list could not be run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A plugin failed, or could not be run. The text begins as the reference's.
    #[error("plugin type={:?} name={:?} failed ({})", plugin.as_str(), network.as_str(), operation.as_str().to_lowercase())]
    Plugin {
        /// The plugin.
        plugin: PluginType,
        /// The network.
        network: NetName,
        /// What it was asked to do.
        operation: Operation,
        /// Its error, unchanged.
        #[source]
        error: Error,
    },
    /// What a plugin should receive cannot be written.
    #[error("write request")]
    Request(#[source] ObjectError),
    /// Results could not be kept, read, listed or removed.
    #[error("{action} results")]
    Results {
        /// Which of them: `write`, `read`, `list` or `remove`.
        action: &'static str,
        /// Why not.
        #[source]
        error: ResultsError,
    },
    /// Several failures, in the order in which they came; there are at least two.
    #[error("{}", texts(.0))]
    Several(Vec<ChainError>),
    /// A plugin does not take the list's version.
    #[error("plugin {:?} does not support config version \"{version}\"", plugin.as_str())]
    Unsupported {
        /// The plugin.
        plugin: PluginType,
        /// The list's version.
        version: Version,
        /// What it takes.
        takes: BTreeSet<Version>,
    },
    /// The list's version does not have the verb.
    #[error("configuration version \"{0}\" does not support the {1} command")]
    Version(Version, Operation),
    /// A plugin could not be asked which versions it takes.
    #[error("plugin type={:?} name={:?} failed (version)", plugin.as_str(), network.as_str())]
    VersionQuery {
        /// The plugin.
        plugin: PluginType,
        /// The network.
        network: NetName,
        /// Its error, unchanged, or why it could not be run.
        #[source]
        error: Error,
    },
}

/// All of them, since none is the cause of another.
fn texts(failures: &[ChainError]) -> String {
    let texts: Vec<String> = failures.iter().map(|failure| with_causes(failure)).collect();
    texts.join(" / ")
}

impl ChainError {
    pub(super) fn plugin(list: &ConfList, plugin: &PluginConf, operation: Operation, error: Error) -> Self {
        Self::Plugin {
            plugin: plugin.kind.clone(),
            network: list.name.clone(),
            operation,
            error,
        }
    }

    pub(super) fn version(list: &ConfList, plugin: &PluginType, error: Error) -> Self {
        Self::VersionQuery {
            plugin: plugin.clone(),
            network: list.name.clone(),
            error,
        }
    }

    pub(super) fn results(action: &'static str) -> impl FnOnce(ResultsError) -> Self {
        move |error| Self::Results { action, error }
    }

    /// This failure, and what else failed after it.
    pub(super) fn and(self, outcome: Result<(), Self>) -> Self {
        match outcome {
            Ok(()) => self,
            Err(Self::Several(mut more)) => {
                more.insert(0, self);
                Self::Several(more)
            }
            Err(other) => Self::Several(vec![self, other]),
        }
    }

    /// Success only if there is no failure.
    pub(super) fn all(mut failures: Vec<Self>) -> Result<(), Self> {
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            _ => Err(Self::Several(failures)),
        }
    }
}

impl From<ChainError> for Error {
    /// A plugin's failure keeps its code, message and details; of several the first one's code counts.
    ///
    /// STATUS keeps the plugin's error as it is, since its code and text are the answer.
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Plugin {
                operation: Operation::Status,
                error,
                ..
            } => error,
            ChainError::Plugin { error: ref cause, .. }
            | ChainError::VersionQuery { error: ref cause, .. } => {
                Self::new(cause.code, format!("{error}: {}", cause.msg)).with_details(cause.details.clone())
            }
            ChainError::Request(_) => Self::from_source(Code::INVALID_CONFIG, &error),
            ChainError::Results { .. } => Self::from_source(Code::IO, &error),
            ChainError::Several(failures) => joined(failures),
            ChainError::Unsupported { ref takes, .. } => {
                let takes: Vec<String> = takes.iter().map(|v| format!("{:?}", v.to_string())).collect();
                let details = format!("it takes [{}]", takes.join(" "));
                Self::from_source(Code::INCOMPATIBLE_VERSION, &error).with_details(details)
            }
            ChainError::Version(..) => Self::from_source(Code::INCOMPATIBLE_VERSION, &error),
        }
    }
}

/// The code of the first, the texts of all.
fn joined(failures: Vec<ChainError>) -> Error {
    let errors: Vec<Error> = failures.into_iter().map(Error::from).collect();
    let code = errors.first().map_or(Code::UNKNOWN, |error| error.code);
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Error::new(code, texts.join(" / "))
}
