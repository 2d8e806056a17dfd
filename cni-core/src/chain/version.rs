//! VERSION of a list.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChainError, Runtime};
use crate::spec::{ConfList, PluginType, Version};

/// The versions of the specification that the plugins of a list take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versions {
    /// What each plugin takes.
    pub plugins: BTreeMap<PluginType, BTreeSet<Version>>,
}

impl Versions {
    /// What all of them take: the versions that a list of these plugins can have.
    pub fn common(&self) -> BTreeSet<Version> {
        let mut plugins = self.plugins.values();
        let first = plugins.next().cloned().unwrap_or_default();
        plugins.fold(first, |common, takes| &common & takes)
    }
}

/// Asks each plugin of the list which versions it takes; one that does not know the verb takes 0.1.0.
///
/// The list's own version does not matter. A plugin that occurs twice is asked once.
///
/// # Errors
/// [`ChainError::VersionQuery`] for a plugin that cannot be found or asked; of more than one as
/// [`ChainError::Several`].
pub fn version(list: &ConfList, runtime: &Runtime<'_>) -> Result<Versions, ChainError> {
    let (mut plugins, mut failures) = (BTreeMap::new(), Vec::new());
    for (plugin, answer) in ask(list, runtime) {
        match answer {
            Ok(takes) => drop(plugins.insert(plugin.clone(), takes)),
            Err(error) => failures.push(error),
        }
    }
    ChainError::all(failures)?;
    Ok(Versions { plugins })
}

type Answer = Result<BTreeSet<Version>, ChainError>;

/// The answers of the list's plugins, in their order.
pub(super) fn ask<'a>(
    list: &'a ConfList,
    runtime: &Runtime<'_>,
) -> impl Iterator<Item = (&'a PluginType, Answer)> {
    let target = runtime.no_target();
    let mut asked = BTreeSet::new();
    let kinds = list.plugins().map(|plugin| &plugin.kind);
    kinds.filter(move |kind| asked.insert(*kind)).map(move |kind| {
        let answer = runtime.invoke.version(kind, &target, runtime.deadline);
        let takes = answer.map(|info| info.supported_versions.into_iter().collect());
        (
            kind,
            takes.map_err(|error| ChainError::version(list, kind, error)),
        )
    })
}
