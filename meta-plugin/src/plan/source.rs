//! Where a plan finds networks.

use std::path::{Path, PathBuf};

use cni_core::load::{self, LoadError};
use cni_core::spec::{Code, ConfList, with_causes};

use super::meta_plugin;
use crate::cluster::Nads;
use crate::npwg::nad::NadError;
use crate::npwg::{Nad, NadRef};

/// Where definitions and configurations come from: the whole world that a plan depends on.
pub trait Networks {
    /// The definition `reference`, or `None` if there is none.
    fn nad(&self, reference: &NadRef) -> Option<&Nad>;

    /// What could not be read where definitions are: a missing one may be in there.
    fn broken(&self) -> Vec<String>;

    /// The configuration of this name among the configurations by name.
    ///
    /// # Errors
    /// When there is none.
    fn conf_named(&self, name: &str) -> Result<ConfList, LoadError>;

    /// The configuration in the file at `path`, or the first one in the directory there that runs no
    /// meta-plugin.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    fn conf_at(&self, path: &Path) -> Result<ConfList, LoadError>;
}

/// A network that is not there, or not usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No definition and no configuration has the name.
    #[error("there is neither NetworkAttachmentDefinition {0} nor a configuration of that name")]
    Cluster(NadRef, #[source] LoadError),
    /// A configuration that cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The definition is there and is bad.
    #[error("NetworkAttachmentDefinition {0}")]
    Nad(NadRef, #[source] NadError),
    /// There is no such definition.
    #[error("there is no NetworkAttachmentDefinition {reference}{}", unreadable(.broken))]
    NoNad {
        /// The definition.
        reference: NadRef,
        /// What could not be read: it may be in there.
        broken: Vec<String>,
    },
    /// The definition has no configuration, and none on disk has its name.
    #[error("NetworkAttachmentDefinition {0} has no spec.config, and no file has its name")]
    NoConf(NadRef, #[source] LoadError),
}

fn unreadable(broken: &[String]) -> String {
    if broken.is_empty() {
        String::new()
    } else {
        format!("; unreadable: {}", broken.join(", "))
    }
}

/// A network that is not there.
const NOT_FOUND: Code = Code(170);

impl SourceError {
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Cluster(..) | Self::NoNad { .. } => NOT_FOUND,
            Self::Load(_) | Self::Nad(..) | Self::NoConf(..) => Code::INVALID_CONFIG,
        }
    }
}

/// Plain files: definitions that were read from a directory, configurations in another.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Files {
    /// The definitions.
    pub nads: Nads,
    /// The directory of configurations by name.
    pub conf_dir: PathBuf,
}

impl Files {
    /// Reads the definitions in `nads`, if there are any; configurations by name are in `conf_dir`.
    pub fn load(nads: Option<&Path>, conf_dir: &Path) -> Self {
        Self {
            nads: nads.map(Nads::load).unwrap_or_default(),
            conf_dir: conf_dir.to_owned(),
        }
    }
}

impl Networks for Files {
    fn nad(&self, reference: &NadRef) -> Option<&Nad> {
        self.nads.found.get(reference)
    }

    fn broken(&self) -> Vec<String> {
        self.nads.broken.iter().map(|error| with_causes(error)).collect()
    }

    fn conf_named(&self, name: &str) -> Result<ConfList, LoadError> {
        load::by_name(&self.conf_dir, name).map(|found| found.list)
    }

    fn conf_at(&self, path: &Path) -> Result<ConfList, LoadError> {
        if !path.is_dir() {
            return load::from_file(path);
        }
        for file in load::files(path, &["conf", "conflist", "json"])? {
            // In the runtime's directory our own list comes first; the one after it is meant.
            let list = load::from_file(&file)?;
            if meta_plugin(&list).is_none() {
                return Ok(list);
            }
        }
        Err(LoadError::Empty { dir: path.to_owned() })
    }
}
