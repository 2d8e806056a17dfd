//! What the commands have in common: the machine that they work on, and how they fail.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use cni_core::invoke::Resolver;
use cni_core::spec::{Code, ContainerId, Error, IfName, NetnsPath, with_causes};
use cni_net::Kernel;
use plexus::config::{ConfigError, POLICY_FILE, Policy};
use plexus::demo::DemoError;
use plexus::journal::{JournalError, StateDir};
use plexus::node::Node;
use plexus::plan::PlanError;
use sha2::{Digest, Sha256};

use super::Common;

/// Looks a variable of the environment up.
pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Why a command failed.
pub(crate) enum Failure {
    /// An operation failed.
    Cni(Error),
    /// The answer has said it already.
    Told,
    /// Something that has no code: in one line.
    Plain(String),
}

/// Errors that have a code of their own.
macro_rules! failure_from {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Cni(error.into())
            }
        }
    )*};
}
failure_from!(ConfigError, Error, JournalError, PlanError);

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        Self::Plain(with_causes(&error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::from_source(Code::IO, &error)
    }
}

impl Failure {
    /// An error without a code of its own, under `code`.
    pub(crate) fn from_source(code: Code, error: &dyn std::error::Error) -> Self {
        Self::Cni(Error::from_source(code, error))
    }
}

impl Common {
    /// The policy of the machine.
    pub(crate) fn policy(&self) -> Result<Policy, ConfigError> {
        match &self.config {
            None => Policy::load(Path::new(POLICY_FILE)),
            Some(named) => Policy::read(named),
        }
    }

    /// This machine, its own plugins linked in and all others as executables.
    pub(crate) fn node(&self, policy: &Policy) -> Node {
        let kernel = Kernel::new();
        let resolver = Resolver::new(cni_plugins::table(&kernel)).external(policy.external.clone());
        let mut node = Node::new(StateDir::new(&self.journals.state_dir), kernel, resolver);
        node.deadlines = policy.deadlines.clone();
        node
    }

    /// The command that undoes what is attached to `container`.
    pub(crate) fn detach_command(&self, container: &ContainerId) -> String {
        let state_dir = &self.journals.state_dir;
        let usual = state_dir == Path::new(super::STATE_DIR);
        let place = if usual {
            String::new()
        } else {
            format!(" --state-dir {}", state_dir.display())
        };
        format!("plexus detach --container-id {container}{place}")
    }
}

/// A container whose attachments are there already, and which of its calls is meant.
#[derive(Args)]
pub(crate) struct Target {
    /// The container's id
    #[arg(long, value_name = "ID", required_unless_present = "netns")]
    container_id: Option<ContainerId>,
    /// The path of the network namespace, if it is another one than at the time of attaching; without an id
    /// it names the container, too
    #[arg(long, value_name = "PATH")]
    netns: Option<PathBuf>,
    /// The interface of the runtime's call; without it all calls of the container
    #[arg(long, value_name = "NAME")]
    pub(crate) ifname: Option<IfName>,
}

impl Target {
    pub(crate) fn container(&self) -> Result<ContainerId, Failure> {
        match (&self.container_id, &self.netns) {
            (Some(id), _) => Ok(id.clone()),
            (None, Some(netns)) => container_of(netns),
            (None, None) => Err(Failure::Plain(
                "name the container by --container-id or --netns".to_owned(),
            )),
        }
    }

    pub(crate) fn netns(&self) -> Result<Option<NetnsPath>, Failure> {
        self.netns.as_deref().map(netns).transpose()
    }
}

/// Where executables of plugins are: `CNI_PATH`, or else the usual place.
pub(crate) fn plugin_path(env: Env<'_>) -> Vec<PathBuf> {
    match env("CNI_PATH") {
        Some(path) => std::env::split_paths(&path).collect(),
        None => vec!["/opt/cni/bin".into()],
    }
}

/// The namespace at `path`, which the journal keeps and a later command may be given from elsewhere.
pub(crate) fn netns(path: &Path) -> Result<NetnsPath, Failure> {
    Ok(NetnsPath::new(std::path::absolute(path)?))
}

/// The container id for a namespace when nobody says one: the same for the same path.
pub(crate) fn container_of(netns: &Path) -> Result<ContainerId, Failure> {
    let path = std::path::absolute(netns)?;
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let hex: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    let id = format!("plexus-{hex}").parse();
    id.map_err(|e| Failure::from_source(Code::INVALID_ENVIRONMENT, &e))
}
