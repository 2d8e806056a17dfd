//! Which plugins are run linked in, and which as executables.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Builtin, Call, Exec, Invoke, Target, Verb};
use crate::spec::{Error, PluginType, Success, VersionInfo};

/// How a plugin is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Choice {
    /// Linked in.
    Builtin,
    /// As the executable in `CNI_PATH`.
    External,
}

/// Runs the types of a table linked in and all others as executables, unless told otherwise.
///
/// What a plugin delegates to is resolved the same way.
#[derive(Clone)]
pub struct Resolver {
    builtin: Arc<Builtin>,
    external: Arc<dyn Invoke>,
    forced: BTreeMap<PluginType, Choice>,
}

impl Resolver {
    /// The types in `builtin` linked in, all others by `external`, which is an [`Exec`] most of the time.
    pub fn new(builtin: impl Into<Arc<Builtin>>, external: impl Invoke + 'static) -> Self {
        Self {
            builtin: builtin.into(),
            external: Arc::new(external),
            forced: BTreeMap::new(),
        }
    }

    /// The types in `builtin` linked in, all others as executables with the environment of this process.
    pub fn with_exec(builtin: impl Into<Arc<Builtin>>) -> Self {
        Self::new(builtin, Exec::new())
    }

    /// The same with the executable for each of `types`, in the table or not.
    #[must_use]
    pub fn external(self, types: impl IntoIterator<Item = PluginType>) -> Self {
        self.forced(types.into_iter().map(|kind| (kind, Choice::External)))
    }

    /// The same with `choices` in place of what would be chosen: for DEL, those recorded at ADD.
    #[must_use]
    pub fn forced(mut self, choices: impl IntoIterator<Item = (PluginType, Choice)>) -> Self {
        self.forced.extend(choices);
        self
    }

    /// How `plugin` is run.
    pub fn choice(&self, plugin: &PluginType) -> Choice {
        match self.forced.get(plugin) {
            Some(choice) => *choice,
            None if self.builtin.find(plugin.as_str()).is_some() => Choice::Builtin,
            None => Choice::External,
        }
    }
}

impl Invoke for Resolver {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        match self.choice(call.plugin) {
            Choice::Builtin => self.builtin.add_with(call, self),
            Choice::External => self.external.add(call),
        }
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        match self.choice(call.plugin) {
            Choice::Builtin => self.builtin.run_with(verb, call, self),
            Choice::External => self.external.run(verb, call),
        }
    }

    fn version(
        &self,
        plugin: &PluginType,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<VersionInfo, Error> {
        match self.choice(plugin) {
            Choice::Builtin => self.builtin.version(plugin, target, deadline),
            Choice::External => self.external.version(plugin, target, deadline),
        }
    }
}
