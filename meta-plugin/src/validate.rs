//! What is wrong in a file, whatever kind of file it is.
//!
//! A file that ends in `.conflist` or `.conf` is a CNI configuration. Others hold Kubernetes objects, of which
//! definitions, pods and templates of pods are looked into; JSON without `kind` is a CNI configuration if it has `plugins` or
//! `type`, else the policy of a node.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use cni_core::load;
use cni_core::spec::{ConfList, Object, Version, with_causes};
use serde::Serialize;

use crate::config::{Entry, Policy};
use crate::npwg::manifest::{self, Manifest};
use crate::npwg::{DEFAULT_NETWORK, NETWORKS, Nad, Namespace, nad, selection};

/// What is to be said of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How much was found in it that could be looked into: configurations, definitions, pods, a policy.
    pub found: usize,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

/// Something that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// Where in the file.
    pub place: String,
    /// What is wrong, with its causes.
    pub what: String,
}

/// Looks at the file at `path`.
pub fn file(path: &Path) -> Report {
    let mut report = Report::default();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if matches!(extension, "conf" | "conflist") {
        report.configuration(load::from_file(path));
        return report;
    }
    match load::bytes(path) {
        Ok(text) => match Object::from_slice(&text) {
            Ok(object) if object.get("kind").is_none() => report.json(&object, &text),
            _ => report.objects(&text),
        },
        Err(error) => report.problem("file", &error),
    }
    report
}

impl Report {
    fn problem(&mut self, place: impl Into<String>, error: &dyn Error) {
        self.problems.push(Problem {
            place: place.into(),
            what: with_causes(error),
        });
    }

    fn json(&mut self, object: &Object, text: &[u8]) {
        if object.get("plugins").is_some() {
            self.configuration(ConfList::from_bytes(text));
        } else if object.get("type").is_some() {
            self.configuration(ConfList::from_plugin_bytes(text));
        } else {
            self.found += 1;
            if let Err(error) = Policy::parse(text) {
                self.problem("policy", &error);
            }
        }
    }

    fn configuration(&mut self, list: Result<ConfList, impl Error + 'static>) {
        self.found += 1;
        match list {
            Ok(list) => self.list("configuration", &list),
            Err(error) => self.problem("configuration", &error),
        }
    }

    /// What is wrong with the version of a list that can be read, and in entries of our own.
    fn list(&mut self, place: &str, list: &ConfList) {
        if !Version::ALL.contains(&list.version) {
            self.problem(place, &UnknownVersion(list.version));
        }
        let own = |kind: &str| matches!(kind, "plexus" | "plexus-shim");
        for (at, plugin) in list.plugins().enumerate().filter(|(_, p)| own(p.kind.as_str())) {
            if let Err(error) = Entry::parse(&plugin.object) {
                self.problem(format!("plugin {at}"), &error);
            }
        }
    }

    fn objects(&mut self, text: &[u8]) {
        match manifest::parse(text) {
            Ok(manifests) => (1..)
                .zip(manifests)
                .for_each(|(number, manifest)| self.object(number, manifest)),
            Err(error) => self.problem("file", &error),
        }
    }

    fn object(&mut self, number: usize, manifest: Manifest) {
        let name = manifest.metadata.name.clone().unwrap_or_default();
        let place = format!("object {number}, {} {name:?}", manifest.kind);
        match manifest.kind.as_str() {
            nad::KIND => self.definition(&place, manifest),
            "Pod" => {
                self.found += 1;
                self.annotations(&place, manifest.metadata.annotations.as_ref());
            }
            _ => {
                let template = manifest.template();
                self.found += usize::from(template.is_some());
                self.annotations(&place, template.as_ref());
            }
        }
    }

    fn definition(&mut self, place: &str, manifest: Manifest) {
        self.found += 1;
        match Nad::try_from(manifest).and_then(|nad| nad.inline()) {
            Ok(list) => list.iter().for_each(|list| self.list(place, list)),
            Err(error) => self.problem(place, &error),
        }
    }

    fn annotations(&mut self, place: &str, given: Option<&BTreeMap<String, String>>) {
        let ours = |key: &str| [NETWORKS, DEFAULT_NETWORK].contains(&key);
        for (key, value) in given.into_iter().flatten().filter(|(key, _)| ours(key)) {
            // The namespace that names without one are in makes no difference to what is valid.
            if let Err(error) = selection::parse(value, &Namespace::default()) {
                self.problem(format!("{place}, annotation {key:?}"), &error);
            }
        }
    }
}

/// A version that nobody speaks.
#[derive(Debug, thiserror::Error)]
#[error("there is no cniVersion \"{0}\"")]
struct UnknownVersion(Version);

#[cfg(test)]
mod tests;
