//! Plugins that are linked in: typed values are handed on, and no process is started.

use std::collections::BTreeMap;

use super::{Call, Invoke, Operation, Target, Verb};
use crate::plugin::{DynPlugin, OwnNetns, Unchecked};
use crate::spec::{Code, Error, PluginType, Success, Version, VersionInfo};

/// A table of plugins that are linked in.
///
/// # Guarantees
/// The same checks as for an executable, and the same results: what the configuration's version cannot say
/// is not in them. A panic is an error of its call.
///
/// # Assumptions
/// A plugin ends: the deadline is passed on to it, but nothing can be done about one that ignores it.
pub struct Builtin {
    plugins: BTreeMap<&'static str, Box<dyn DynPlugin>>,
}

impl Builtin {
    /// A table of `plugins`; of two with one name the later counts.
    pub fn new(plugins: impl IntoIterator<Item = Box<dyn DynPlugin>>) -> Self {
        let named = plugins.into_iter().map(|plugin| (plugin.name(), plugin));
        Self {
            plugins: named.collect(),
        }
    }

    /// The plugin of this type.
    pub fn find(&self, name: &str) -> Option<&dyn DynPlugin> {
        self.plugins.get(name).map(|plugin| &**plugin)
    }

    /// The types in the table, in order.
    pub fn types(&self) -> impl Iterator<Item = &'static str> {
        self.plugins.keys().copied()
    }

    /// ADD, with `invoke` for the plugin's own delegates.
    pub(super) fn add_with(&self, call: &Call<'_>, invoke: &dyn Invoke) -> Result<Success, Error> {
        let plugin = self.expect(call.plugin)?;
        let checked = unchecked(Operation::Add, call, invoke).check(plugin)?;
        let version = checked.version;
        let (success, encoded) = checked.add(plugin, call.prev.cloned())?;
        if version == Version::V1_1_0 {
            return Ok(success);
        }
        Success::decode(version, encoded.get().as_bytes())
            .map_err(|error| Error::from_source(Code::DECODING, &error))
    }

    /// A verb without a result, with `invoke` for the plugin's own delegates.
    pub(super) fn run_with(&self, verb: Verb, call: &Call<'_>, invoke: &dyn Invoke) -> Result<(), Error> {
        let plugin = self.expect(call.plugin)?;
        let checked = unchecked(verb.into(), call, invoke).check(plugin)?;
        checked.run(plugin, call.prev.cloned())
    }

    fn expect(&self, name: &PluginType) -> Result<&dyn DynPlugin, Error> {
        self.find(name.as_str()).ok_or_else(|| {
            let msg = format!("find built-in plugin {:?}", name.as_str());
            Error::new(Code::INVALID_CONFIG, msg)
        })
    }
}

fn unchecked<'a>(operation: Operation, call: &Call<'_>, invoke: &'a dyn Invoke) -> Unchecked<'a> {
    Unchecked {
        operation,
        target: call.target.clone(),
        config: call.config.clone(),
        invoke,
        deadline: call.deadline,
        own_netns: OwnNetns::Refused,
    }
}

impl Invoke for Builtin {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        self.add_with(call, self)
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        self.run_with(verb, call, self)
    }

    fn version(&self, plugin: &PluginType, _: &Target) -> Result<VersionInfo, Error> {
        Ok(VersionInfo::new(Version::V1_1_0, self.expect(plugin)?.versions()))
    }
}
