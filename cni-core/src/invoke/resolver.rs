//! Which plugins are run linked in, and which as executables or libraries.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Builtin, Call, Exec, Invoke, Target, Verb};
use crate::spec::{Code, Error, Object, PluginType, Success, VersionInfo};

/// How a plugin is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Choice {
    /// Linked in.
    Builtin,
    /// As the shared library in `CNI_PATH`.
    Dylib,
    /// As the executable in `CNI_PATH`.
    External,
}

/// Runs the types of a table linked in and all others as executables, unless told otherwise.
///
/// What a plugin delegates to is resolved the same way, but for what a library delegates to: those are
/// executables. Nothing is a library unless its type was named to [`Resolver::dylib`], whatever files there are,
/// so that a DEL is run as the ADD was.
#[derive(Clone, Debug)]
#[must_use]
pub struct Resolver {
    builtin: Arc<Builtin>,
    exec: Arc<dyn Invoke>,
    dylib: Option<Arc<dyn Invoke>>,
    forced: BTreeMap<PluginType, Choice>,
}

impl Resolver {
    /// The types in `builtin` linked in, all others as executables with the environment of this process.
    pub fn new(builtin: impl Into<Arc<Builtin>>) -> Self {
        Self {
            builtin: builtin.into(),
            exec: Arc::new(Exec::new()),
            dylib: None,
            forced: BTreeMap::new(),
        }
    }

    /// The same with `exec` for executables: an [`Exec`] with other settings, or what stands for one in a test.
    pub fn with_exec(mut self, exec: impl Invoke + 'static) -> Self {
        self.exec = Arc::new(exec);
        self
    }

    /// The same with each of `types` as an executable, in the table or not.
    pub fn external(self, types: impl IntoIterator<Item = PluginType>) -> Self {
        self.forced(types.into_iter().map(|kind| (kind, Choice::External)))
    }

    /// The same with each of `types` as a library that `dylib` runs, in the table or not. `dylib` also runs the types
    /// that [`Resolver::forced`] names as libraries.
    pub fn dylib(
        mut self,
        dylib: impl Invoke + 'static,
        types: impl IntoIterator<Item = PluginType>,
    ) -> Self {
        self.dylib = Some(Arc::new(dylib));
        self.forced(types.into_iter().map(|kind| (kind, Choice::Dylib)))
    }

    /// The same with `choices` in place of what would be chosen. For DEL these are the ones recorded at ADD.
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

    /// What runs `plugin`; `None` if it is linked in.
    fn outside(&self, plugin: &PluginType) -> Result<Option<&dyn Invoke>, Error> {
        match self.choice(plugin) {
            Choice::Builtin => Ok(None),
            Choice::Dylib => match &self.dylib {
                Some(dylib) => Ok(Some(&**dylib)),
                None => {
                    let msg = format!(
                        "run plugin {:?} as a library: this program loads none",
                        plugin.as_str()
                    );
                    Err(Error::new(Code::INVALID_CONFIG, msg))
                }
            },
            Choice::External => Ok(Some(&*self.exec)),
        }
    }
}

impl Invoke for Resolver {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        match self.outside(call.plugin)? {
            None => self.builtin.add_with(call, self),
            Some(outside) => outside.add(call),
        }
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        match self.outside(call.plugin)? {
            None => self.builtin.run_with(verb, call, self),
            Some(outside) => outside.run(verb, call),
        }
    }

    fn version(
        &self,
        plugin: &PluginType,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<VersionInfo, Error> {
        match self.outside(plugin)? {
            None => self.builtin.version(plugin, target, deadline),
            Some(outside) => outside.version(plugin, target, deadline),
        }
    }

    fn locate(&self, plugin: &PluginType, config: &Object, path: &[PathBuf]) -> Result<(), Error> {
        match self.outside(plugin)? {
            None => self.builtin.locate(plugin, config, path),
            Some(outside) => outside.locate(plugin, config, path),
        }
    }
}
