//! Network configurations: a list of plugins, each an object that is kept as it came (specification, section 1).

mod parse;

use std::collections::BTreeSet;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Code, Error, NetName, Object, ObjectError, PluginType, Version, with_causes};

pub(crate) use parse::Draft;

/// A network configuration list: never empty.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConfList {
    /// The network's name.
    pub name: NetName,
    /// The version to use: the highest of `cniVersion` and `cniVersions` that this crate speaks.
    pub version: Version,
    /// Whether the runtime must not send CHECK.
    pub disable_check: bool,
    /// Whether the runtime must not send GC.
    pub disable_gc: bool,
    /// Whether plugin objects in the folder named after the network are left out.
    pub load_only_inlined_plugins: bool,
    /// The plugin that is run first.
    pub first: PluginConf,
    /// The plugins that are run after it, in order.
    pub rest: Vec<PluginConf>,
    /// Keys of the list that the specification does not know.
    pub unknown: Object,
}

/// One plugin's object of a [`ConfList`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PluginConf {
    /// The executable's name.
    pub kind: PluginType,
    /// The capabilities declared `true`.
    pub capabilities: BTreeSet<String>,
    /// The whole object, unknown keys included.
    pub object: Object,
}

/// A configuration that breaks a rule of the specification.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfError {
    /// A key of the list is neither a JSON bool nor the text of one.
    #[error("key {key:?} is {value}, not true or false")]
    Bool {
        /// The key.
        key: &'static str,
        /// What is there instead, as JSON.
        value: String,
    },
    /// No name.
    #[error("missing network name")]
    MissingName,
    /// A plugin object without `type`.
    #[error("missing 'type' of plugin {0}")]
    MissingType(usize),
    /// The network's name is bad.
    #[error("network name")]
    Name(#[source] super::NameError),
    /// No plugin at all.
    #[error("no plugins in list")]
    NoPlugins,
    /// A key of the list is `null`.
    #[error("key {0:?} is null")]
    Null(&'static str),
    /// Not a JSON object, or a key holds what it must not.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A plugin's type is not the name of an executable.
    #[error("type of plugin {0}")]
    Type(usize, #[source] super::NameError),
    /// A version that is not three numbers.
    #[error(transparent)]
    Version(#[from] super::VersionError),
}

impl From<ConfError> for Error {
    fn from(error: ConfError) -> Self {
        let code = match &error {
            ConfError::Object(_) | ConfError::Version(_) => Code::DECODING,
            ConfError::Bool { .. }
            | ConfError::MissingName
            | ConfError::MissingType(_)
            | ConfError::Name(_)
            | ConfError::NoPlugins
            | ConfError::Null(_)
            | ConfError::Type(..) => Code::INVALID_CONFIG,
        };
        Self::from_source(code, &error)
    }
}

impl ConfList {
    /// Reads a list (`.conflist`), from its bytes alone: no folder is looked into.
    ///
    /// # Errors
    /// When `json` breaks a rule of the specification, or has no plugin.
    pub fn from_bytes(json: &[u8]) -> Result<Self, ConfError> {
        Self::from_object(Object::from_slice(json)?)
    }

    /// As [`ConfList::from_bytes`], from an object.
    ///
    /// # Errors
    /// As for [`ConfList::from_bytes`].
    pub fn from_object(list: Object) -> Result<Self, ConfError> {
        Draft::parse(&list)?.finish()
    }

    /// Reads the configuration of one plugin (`.conf`), as a list of one with its name and version.
    ///
    /// # Errors
    /// When `json` breaks a rule of the specification.
    pub fn from_plugin_bytes(json: &[u8]) -> Result<Self, ConfError> {
        Self::from_plugin_object(Object::from_slice(json)?)
    }

    /// As [`ConfList::from_plugin_bytes`], from an object.
    ///
    /// # Errors
    /// As for [`ConfList::from_plugin_bytes`].
    pub fn from_plugin_object(plugin: Object) -> Result<Self, ConfError> {
        Draft::of_plugin(plugin)?.finish()
    }

    /// The plugins in the order of ADD.
    pub fn plugins(&self) -> impl DoubleEndedIterator<Item = &PluginConf> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// The list as JSON, complete in itself: [`ConfList::from_object`] gives the same list again.
    ///
    /// # Errors
    /// None in practice: names, flags and JSON text can always be written.
    pub fn to_object(&self) -> Result<Object, ConfError> {
        let mut out = Object::new();
        out.set("cniVersion", &self.version)?;
        out.set("name", &self.name)?;
        for (key, flag) in [
            ("disableCheck", self.disable_check),
            ("disableGC", self.disable_gc),
            ("loadOnlyInlinedPlugins", self.load_only_inlined_plugins),
        ] {
            out.set_some(key, flag.then_some(true))?;
        }
        let plugins: Vec<&Object> = self.plugins().map(|plugin| &plugin.object).collect();
        out.set("plugins", &plugins)?;
        Ok(out.and(self.unknown.clone()))
    }
}

impl<'de> Deserialize<'de> for ConfList {
    /// A list in the configuration of a plugin that runs others; as [`ConfList::from_object`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Object::deserialize(deserializer)?;
        Self::from_object(list).map_err(|error| D::Error::custom(with_causes(&error)))
    }
}

#[cfg(test)]
mod tests;
