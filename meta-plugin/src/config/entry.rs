//! The entry of type `plexus` in the runtime's conflist.

use std::path::PathBuf;

use cni_core::spec::{ConfList, Object};

use super::{ConfigError, keys};

/// The entry in the runtime's conflist, by its `mode`.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are these two modes and no third way to attach"
)]
pub enum Entry {
    /// `daemon`: a daemon does the work.
    Daemon(Daemon),
    /// `standalone`: each call does its work itself.
    Standalone(Box<Standalone>),
}

/// The keys of mode `daemon`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Daemon {
    /// `socket`: where the daemon listens.
    pub socket: PathBuf,
}

/// The keys of mode `standalone`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Standalone {
    /// `clusterNetwork` or `delegates`: what every pod is attached to.
    pub cluster_network: ClusterNetwork,
    /// `nads`: a directory of NetworkAttachmentDefinitions.
    pub nads: Option<PathBuf>,
    /// `pods`: a directory of pods, `<namespace>/<name>.yaml`.
    pub pods: Option<PathBuf>,
    /// `networks`: the networks annotation of a pod that has no file.
    pub networks: Option<String>,
    /// `stateDir`: where the journal is.
    pub state_dir: PathBuf,
}

/// What every pod is attached to before anything else.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are two keys, which exclude each other"
)]
pub enum ClusterNetwork {
    /// The configurations themselves; the first is the default network.
    Delegates(Vec<ConfList>),
    /// A definition, a configuration by name, a directory or a file.
    Named(String),
}

/// Keys of the specification, and those that runtimes and libcni add.
const CNI: &[&str] = &[
    "cniVersion",
    "name",
    "args",
    "prevResult",
    "runtimeConfig",
    "type",
    "capabilities",
    "mode",
];
const STANDALONE: &[&str] = &[
    "clusterNetwork",
    "delegates",
    "nads",
    "pods",
    "networks",
    "stateDir",
];

impl Entry {
    /// Reads the object that a plugin gets on stdin.
    ///
    /// # Errors
    /// When a key is unknown, missing, without effect in its mode, or holds what it must not.
    pub fn parse(object: &Object) -> Result<Self, ConfigError> {
        let known = [CNI, STANDALONE, &["socket"]].concat();
        keys::only(object, &known, Some("cni.dev/"))?;
        let mode: Option<String> = object.parse_key("mode")?;
        match mode.as_deref() {
            Some("daemon") => {
                refuse(object, STANDALONE, "daemon")?;
                let socket = object.parse_key("socket")?;
                let socket = socket.unwrap_or_else(|| "/run/plexus/plexus.sock".into());
                Ok(Self::Daemon(Daemon { socket }))
            }
            Some("standalone") => {
                refuse(object, &["socket"], "standalone")?;
                Ok(Self::Standalone(Box::new(standalone(object)?)))
            }
            None => Err(ConfigError::Missing("mode", MODES)),
            Some(other) => Err(ConfigError::value("mode", other, MODES)),
        }
    }
}

const MODES: &str = "it is \"daemon\" or \"standalone\"";

fn refuse(object: &Object, keys: &[&'static str], mode: &'static str) -> Result<(), ConfigError> {
    match keys.iter().find(|key| object.get(key).is_some()) {
        None => Ok(()),
        Some(key) => Err(ConfigError::Stray { key, mode }),
    }
}

fn standalone(object: &Object) -> Result<Standalone, ConfigError> {
    let named: Option<String> = object.parse_key("clusterNetwork")?;
    let delegates: Option<Vec<Object>> = object.parse_key("delegates")?;
    let cluster_network = match (named.filter(|name| !name.is_empty()), delegates) {
        (Some(_), Some(_)) => return Err(ConfigError::Both("clusterNetwork", "delegates")),
        (Some(name), None) => ClusterNetwork::Named(name),
        (None, Some(list)) if !list.is_empty() => ClusterNetwork::Delegates(parse_delegates(list)?),
        (None, _) => {
            let why = "it or \"delegates\" says what every pod is attached to";
            return Err(ConfigError::Missing("clusterNetwork", why));
        }
    };
    Ok(Standalone {
        cluster_network,
        nads: object.parse_key("nads")?,
        pods: object.parse_key("pods")?,
        networks: object.parse_key("networks")?,
        state_dir: object
            .parse_key("stateDir")?
            .unwrap_or_else(|| "/var/lib/plexus".into()),
    })
}

fn parse_delegates(list: Vec<Object>) -> Result<Vec<ConfList>, ConfigError> {
    let parse = |(number, object): (usize, Object)| {
        let list = match object.get("plugins") {
            Some(_) => ConfList::from_object(object),
            None => ConfList::from_plugin_object(object),
        };
        list.map_err(|e| ConfigError::Delegate(number, e))
    };
    (1..).zip(list).map(parse).collect()
}
