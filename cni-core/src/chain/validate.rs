//! Whether a list can be run at all.

use std::collections::BTreeSet;

use super::version::ask;
use super::{ChainError, Runtime};
use crate::spec::ConfList;

/// Finds each plugin of the list, and makes sure that it takes the list's version. What it answers are
/// the capabilities that the list declares.
///
/// Nothing is attached, and no plugin sees its configuration: that it is one which the plugin takes is
/// for [`status()`](super::status()) and ADD to tell.
///
/// # Errors
/// As for [`version()`](super::version()); [`ChainError::Unsupported`] for a plugin that does not take the
/// version.
pub fn validate(list: &ConfList, runtime: &Runtime<'_>) -> Result<BTreeSet<String>, ChainError> {
    let failures = ask(list, runtime).filter_map(|(plugin, answer)| match answer {
        Ok(takes) if takes.contains(&list.version) => None,
        Ok(takes) => Some(ChainError::Unsupported {
            plugin: plugin.clone(),
            version: list.version,
            takes,
        }),
        Err(error) => Some(error),
    });
    ChainError::all(failures.collect())?;
    Ok(list
        .plugins()
        .flat_map(|plugin| plugin.capabilities.iter().cloned())
        .collect())
}
