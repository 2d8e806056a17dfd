//! Network configurations: a list of plugins, each an object that is kept as it came (specification, section 1).

use std::collections::BTreeSet;

use super::{NetName, Object, PluginType, Version};

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
    /// Not a JSON object, or a key holds what it must not.
    #[error(transparent)]
    Object(#[from] super::ObjectError),
    /// The network's name is missing or bad.
    #[error("network name")]
    Name(#[source] super::NameError),
    /// No name.
    #[error("missing network name")]
    MissingName,
    /// A plugin object without `type`.
    #[error("missing 'type' of plugin {0}")]
    MissingType(usize),
    /// A plugin's type is not the name of an executable.
    #[error("type of plugin {0}")]
    Type(usize, #[source] super::NameError),
    /// No plugin at all.
    #[error("no plugins in list")]
    NoPlugins,
    /// A version that is not three numbers.
    #[error(transparent)]
    Version(#[from] super::VersionError),
}

impl ConfList {
    /// The plugins in the order of ADD.
    pub fn plugins(&self) -> impl DoubleEndedIterator<Item = &PluginConf> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}
