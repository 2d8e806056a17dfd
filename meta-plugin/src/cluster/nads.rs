//! A directory of NetworkAttachmentDefinitions.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::{fs, io};

use cni_core::load::{self, LoadError};

use crate::npwg::nad::{self, NadError};
use crate::npwg::{ManifestError, Nad, NadRef};

/// The definitions of a directory.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Nads {
    /// Those that could be read, each under its namespace and name.
    pub found: BTreeMap<NadRef, Nad>,
    /// What could not be used.
    pub broken: Vec<NadsError>,
}

/// A file, or something in it, that could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NadsError {
    /// A definition that is bad in itself.
    #[error("NetworkAttachmentDefinition {number} of {path:?}")]
    Definition {
        /// The file.
        path: PathBuf,
        /// Which one in the file, from 1.
        number: usize,
        /// What is wrong.
        source: NadError,
    },
    /// The directory could not be read.
    #[error(transparent)]
    Directory(#[from] LoadError),
    /// A definition of a namespace and name that came before.
    #[error("NetworkAttachmentDefinition {reference} is in {path:?} again")]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The definition.
        reference: NadRef,
    },
    /// A file that does not hold Kubernetes objects.
    #[error("read {path:?}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ManifestError,
    },
    /// A file that could not be read.
    #[error("read {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
}

impl Nads {
    /// Reads the files of `dir` that end in `.yaml`, `.yml` or `.json`, by name; of two definitions with
    /// one name the first counts.
    pub fn load(dir: &Path) -> Self {
        let mut nads = Self::default();
        if let Err(source) = fs::metadata(dir) {
            // An absent directory would look like an empty one.
            nads.broken.push(NadsError::Read {
                path: dir.to_owned(),
                source,
            });
            return nads;
        }
        match load::files(dir, &["yaml", "yml", "json"]) {
            Ok(paths) => paths.iter().for_each(|path| nads.read(path)),
            Err(error) => nads.broken.push(error.into()),
        }
        nads
    }

    fn read(&mut self, path: &Path) {
        let path = path.to_owned();
        match load::regular(&path) {
            Ok(text) => self.parse(path, &text),
            Err(source) => self.broken.push(NadsError::Read { path, source }),
        }
    }

    fn parse(&mut self, path: PathBuf, text: &[u8]) {
        let definitions = match nad::parse(text) {
            Ok(definitions) => definitions,
            Err(source) => return self.broken.push(NadsError::Manifest { path, source }),
        };
        for (number, definition) in (1..).zip(definitions) {
            let path = path.clone();
            match definition {
                Ok(nad) => self.insert(path, nad),
                Err(source) => self.broken.push(NadsError::Definition { path, number, source }),
            }
        }
    }

    fn insert(&mut self, path: PathBuf, nad: Nad) {
        let reference = nad.reference.clone();
        match self.found.entry(reference) {
            Entry::Vacant(place) => {
                place.insert(nad);
            }
            Entry::Occupied(_) => {
                let reference = nad.reference;
                self.broken.push(NadsError::Duplicate { path, reference });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nad(name: &str) -> String {
        format!(
            "kind: NetworkAttachmentDefinition\nmetadata: {{name: {name}}}\nspec: {{config: '{{\"type\":\"a\"}}'}}\n---\n"
        )
    }

    #[test]
    fn one_bad_file_or_definition_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        put("0.yaml", "kind: [");
        put("1.yaml", &(nad("a") + &nad("B") + &nad("b")));
        put("2.yml", &nad("a"));
        put("3.json", "{");
        put("4.txt", &nad("ignored"));
        fs::create_dir(dir.path().join("5.yaml")).unwrap();
        let nads = Nads::load(dir.path());
        let found: Vec<_> = nads.found.keys().map(ToString::to_string).collect();
        assert_eq!(found, ["default/a", "default/b"]);
        assert!(matches!(
            &nads.broken[..],
            [
                NadsError::Manifest { .. },
                NadsError::Definition { number: 2, .. },
                NadsError::Duplicate { .. },
                NadsError::Manifest { .. },
            ]
        ));
    }

    #[test]
    fn an_absent_directory_is_reported() {
        let nads = Nads::load(Path::new("/absent/directory"));
        assert!(matches!(&nads.broken[..], [NadsError::Read { .. }]));
    }
}
