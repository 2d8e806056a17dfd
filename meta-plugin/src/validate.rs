//! What is wrong in a file, whatever kind of file it is.
//!
//! A file that ends in `.conflist` or `.conf` is a CNI configuration. Others hold Kubernetes objects, of which
//! definitions and pods are looked into; JSON without `kind` is a CNI configuration if it has `plugins` or
//! `type`, else the policy of a node.

use std::error::Error;
use std::path::Path;

use cni_core::load;
use cni_core::spec::{ConfList, Object, with_causes};
use serde::Serialize;

use crate::config::{Entry, Policy};
use crate::npwg::manifest::{self, Manifest};
use crate::npwg::{DEFAULT_NETWORK, NETWORKS, Nad, Namespace, nad, selection};

/// Something that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// Where in the file.
    pub place: String,
    /// What is wrong, with its causes.
    pub what: String,
}

impl Problem {
    fn new(place: impl Into<String>, error: &dyn Error) -> Self {
        Self {
            place: place.into(),
            what: with_causes(error),
        }
    }
}

/// Everything that is wrong in the file at `path`; nothing if it is all right.
pub fn file(path: &Path) -> Vec<Problem> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if matches!(extension, "conf" | "conflist") {
        return match load::from_file(path) {
            Ok(list) => entries(&list),
            Err(error) => vec![Problem::new("configuration", &error)],
        };
    }
    match load::bytes(path) {
        Ok(text) => match Object::from_slice(&text) {
            Ok(object) if object.get("kind").is_none() => json(&object, &text),
            _ => objects(&text),
        },
        Err(error) => vec![Problem::new("file", &error)],
    }
}

fn json(object: &Object, text: &[u8]) -> Vec<Problem> {
    let list = if object.get("plugins").is_some() {
        ConfList::from_bytes(text)
    } else if object.get("type").is_some() {
        ConfList::from_plugin_bytes(text)
    } else {
        let policy = Policy::parse(text);
        return policy.err().iter().map(|e| Problem::new("policy", e)).collect();
    };
    match list {
        Ok(list) => entries(&list),
        Err(error) => vec![Problem::new("configuration", &error)],
    }
}

/// What is wrong in our own entries of a list.
fn entries(list: &ConfList) -> Vec<Problem> {
    let numbered = list.plugins().enumerate();
    let own = numbered.filter(|(_, plugin)| matches!(plugin.kind.as_str(), "plexus" | "plexus-shim"));
    own.filter_map(|(at, plugin)| {
        let error = Entry::parse(&plugin.object).err()?;
        Some(Problem::new(format!("plugin {at}"), &error))
    })
    .collect()
}

fn objects(text: &[u8]) -> Vec<Problem> {
    match manifest::parse(text) {
        Ok(manifests) => (1..)
            .zip(manifests)
            .flat_map(|(number, m)| object(number, m))
            .collect(),
        Err(error) => vec![Problem::new("file", &error)],
    }
}

fn object(number: usize, manifest: Manifest) -> Vec<Problem> {
    let name = manifest.metadata.name.clone().unwrap_or_default();
    let place = format!("object {number}, {} {name:?}", manifest.kind);
    match manifest.kind.as_str() {
        nad::KIND => definition(&place, manifest).into_iter().collect(),
        "Pod" => annotations(&place, &manifest),
        _ => Vec::new(),
    }
}

fn definition(place: &str, manifest: Manifest) -> Option<Problem> {
    let inline = Nad::try_from(manifest).and_then(|nad| nad.inline());
    inline.err().map(|error| Problem::new(place, &error))
}

fn annotations(place: &str, manifest: &Manifest) -> Vec<Problem> {
    let given = manifest.metadata.annotations.iter().flatten();
    given
        .filter(|(key, _)| [NETWORKS, DEFAULT_NETWORK].contains(&key.as_str()))
        .filter_map(|(key, value)| {
            // The namespace that names without one are in makes no difference to what is valid.
            let error = selection::parse(value, &Namespace::default()).err()?;
            Some(Problem::new(format!("{place}, annotation {key:?}"), &error))
        })
        .collect()
}

#[cfg(test)]
mod tests;
