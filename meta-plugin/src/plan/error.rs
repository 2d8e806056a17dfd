//! What a plan can fail with.

use std::fmt;
use std::path::PathBuf;

use cni_core::spec::{Code, Error, IfName, NameError, ObjectError};

use super::{Origin, SourceError, Warning};
use crate::npwg::selection::SelectionError;

/// Why there is no plan. Nothing has been done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// An annotation that breaks a rule.
    #[error("read annotation {annotation:?} of pod {pod:?}")]
    Annotation {
        /// Its key.
        annotation: &'static str,
        /// The pod.
        pod: String,
        /// What is wrong.
        source: Box<SelectionError>,
    },
    /// A capability that is asked for and that no plugin of the network declares (specification, 4.1.2).
    #[error("{0}")]
    Capability(Warning),
    /// `args` or `args.cni` of a plugin's configuration is no object, so that `cni-args` cannot go in.
    #[error("{origin}: put cni-args into plugin {kind:?} of network {network:?}")]
    CniArgs {
        /// Where they are.
        origin: Origin,
        /// The network.
        network: String,
        /// The plugin.
        kind: String,
        /// What is wrong.
        source: ObjectError,
    },
    /// The annotation for the default network names none, or several.
    #[error("annotation {annotation:?} selects {count} networks, not one")]
    DefaultCount {
        /// Its key.
        annotation: &'static str,
        /// How many it selects.
        count: usize,
    },
    /// The default network's interface has another name than the runtime asks for.
    #[error("{origin}: the default network's interface is \"{runtime}\", not \"{asked}\"")]
    DefaultInterface {
        /// Where it is asked for.
        origin: Origin,
        /// The runtime's name.
        runtime: IfName,
        /// The name asked for.
        asked: IfName,
    },
    /// A value that cannot be written as JSON.
    #[error("write capability arguments")]
    Encode(#[source] ObjectError),
    /// The pod is another one than the runtime means.
    #[error("pod {pod:?} is gone: its uid is {found:?}, the runtime's {expected:?}")]
    Gone {
        /// The pod.
        pod: String,
        /// The UID that it has.
        found: String,
        /// The UID that the runtime named.
        expected: String,
    },
    /// Two attachments with one interface name.
    #[error("{second}: interface \"{ifname}\" is taken by {first}")]
    InterfaceTaken {
        /// The name.
        ifname: IfName,
        /// Who has it.
        first: Origin,
        /// Who asks for it too.
        second: Origin,
    },
    /// A network of a namespace from which the pod may select none.
    #[error("{origin}: network {network:?} is of another namespace than pod {pod:?} (namespaceIsolation)")]
    Isolation {
        /// Where it is asked for.
        origin: Origin,
        /// The network.
        network: String,
        /// The pod.
        pod: String,
    },
    /// A network whose configuration would run a meta-plugin again.
    #[error("{origin}: network {network:?} runs plugin {kind:?}, which attaches networks itself")]
    Recursion {
        /// Where it is asked for.
        origin: Origin,
        /// The network.
        network: String,
        /// The plugin.
        kind: String,
    },
    /// More than one element has `default-route`.
    #[error("{0} and {1} both have key \"default-route\"")]
    SecondDefaultRoute(Origin, Origin),
    /// A network that is not there or not usable.
    #[error("{origin}: find network {network:?}")]
    Source {
        /// Where it is asked for.
        origin: Origin,
        /// The network.
        network: String,
        /// Why.
        source: Box<SourceError>,
    },
    /// A cluster network by path that cannot be loaded.
    #[error("load cluster network {path:?}")]
    Path {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: Box<SourceError>,
    },
    /// More attachments than interface names can count.
    #[error("name interface {0}")]
    TooMany(usize, #[source] NameError),
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        let code = match &error {
            PlanError::Capability(_) => Code::UNSUPPORTED_FIELD,
            PlanError::Gone { .. } => Code::TRY_AGAIN,
            PlanError::Isolation { .. } => ISOLATION,
            PlanError::Source { source, .. } | PlanError::Path { source, .. } => source.code(),
            PlanError::Annotation { .. }
            | PlanError::CniArgs { .. }
            | PlanError::DefaultCount { .. }
            | PlanError::DefaultInterface { .. }
            | PlanError::Encode(_)
            | PlanError::InterfaceTaken { .. }
            | PlanError::Recursion { .. }
            | PlanError::SecondDefaultRoute(..)
            | PlanError::TooMany(..) => Code::INVALID_CONFIG,
        };
        Self::from_source(code, &error)
    }
}

/// A network that the pod must not select.
const ISOLATION: Code = Code(171);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClusterNetwork => f.write_str("cluster network"),
            Self::Element { annotation, number } => {
                write!(f, "element {number} of annotation {annotation:?}")
            }
            Self::Runtime => f.write_str("the runtime's \"runtimeConfig\""),
        }
    }
}
