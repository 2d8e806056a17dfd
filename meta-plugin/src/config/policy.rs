//! The policy of a node: `/etc/plexus/config.json`.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use cni_core::load;
use cni_core::spec::{Object, PluginType};

use super::{ConfigError, Deadlines, keys};
use crate::npwg::Namespace;

/// What a node's operator allows, and how plugins are run. It holds on every road to an attachment.
///
/// | key | value | default |
/// |---|---|---|
/// | `external` | list of plugin types that are run as files though they are built in | `[]` |
/// | `capabilityCheck` | `"enforce"`: a request, of the pod or through the runtime, whose capability no plugin declares fails; `"warn"`: it is logged | `"enforce"` |
/// | `namespaceIsolation` | whether a pod may select networks of its own namespace and `globalNamespaces` alone | `false` |
/// | `globalNamespaces` | list of namespaces whose networks every pod may select | `["default"]` |
/// | `confDir` | directory of configurations that definitions without one name | `"/etc/cni/multus/net.d"` |
/// | `deadlines` | object: `plugin` `"30s"`, `add` `"100s"`, `del` `"60s"`, `status` `"900ms"` | |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// `external`.
    pub external: BTreeSet<PluginType>,
    /// `capabilityCheck`.
    pub capability_check: CapabilityCheck,
    /// `namespaceIsolation`.
    pub namespace_isolation: bool,
    /// `globalNamespaces`.
    pub global_namespaces: BTreeSet<Namespace>,
    /// `confDir`.
    pub conf_dir: PathBuf,
    /// `deadlines`.
    pub deadlines: Deadlines,
}

/// What becomes of a request whose capability no plugin of its network declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a request fails or it does not")]
pub enum CapabilityCheck {
    /// The attachment fails, as the specification demands.
    #[default]
    Enforce,
    /// It is logged, and nothing comes of the request.
    Warn,
}

const KEYS: &[&str] = &[
    "external",
    "capabilityCheck",
    "namespaceIsolation",
    "globalNamespaces",
    "confDir",
    "deadlines",
];

impl Default for Policy {
    fn default() -> Self {
        Self {
            external: BTreeSet::new(),
            capability_check: CapabilityCheck::default(),
            namespace_isolation: false,
            global_namespaces: BTreeSet::from([Namespace::default()]),
            conf_dir: "/etc/cni/multus/net.d".into(),
            deadlines: Deadlines::default(),
        }
    }
}

impl Policy {
    /// Reads the file at `path`; an absent one means the defaults.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a policy.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match Self::of(path, load::regular(path)) {
            Err(ConfigError::Read(_, e)) if e.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            policy => policy,
        }
    }

    /// Reads the file at `path`, which somebody named and so has to be there.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a policy.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::of(path, load::bytes(path))
    }

    fn of(path: &Path, json: io::Result<Vec<u8>>) -> Result<Self, ConfigError> {
        Self::parse(&json.map_err(|e| ConfigError::Read(path.to_owned(), e))?)
    }

    /// Reads the JSON of the file.
    ///
    /// # Errors
    /// When it is not a JSON object, or a key is unknown or holds what it must not.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let object = Object::from_slice(json)?;
        keys::only(&object, KEYS, None)?;
        let default = Self::default();
        let deadlines: Option<Object> = object.parse_key("deadlines")?;
        Ok(Self {
            external: object.parse_key("external")?.unwrap_or_default(),
            capability_check: capability_check(&object)?,
            namespace_isolation: object.parse_key("namespaceIsolation")?.unwrap_or_default(),
            global_namespaces: object
                .parse_key("globalNamespaces")?
                .unwrap_or(default.global_namespaces),
            conf_dir: object.parse_key("confDir")?.unwrap_or(default.conf_dir),
            deadlines: deadlines.map_or(Ok(default.deadlines), |object| Deadlines::parse(&object))?,
        })
    }
}

fn capability_check(object: &Object) -> Result<CapabilityCheck, ConfigError> {
    const KEY: &str = "capabilityCheck";
    let text: Option<String> = object.parse_key(KEY)?;
    match text.as_deref() {
        None | Some("enforce") => Ok(CapabilityCheck::Enforce),
        Some("warn") => Ok(CapabilityCheck::Warn),
        Some(other) => Err(ConfigError::value(KEY, other, "it is \"enforce\" or \"warn\"")),
    }
}
