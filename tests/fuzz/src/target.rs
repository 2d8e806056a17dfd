//! The table of targets, and where their documents are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{answers, attach, conf, files, journal, npwg, plugins, result, skeleton, store, values};

/// A parser, and what to begin with.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called: a test, a program of `fuzz/` and a directory of `found/` have this name.
    pub name: &'static str,
    /// Reads the bytes, and panics when something is wrong.
    pub run: fn(&[u8]),
    /// Documents, and directories of documents, to mutate.
    seeds: (&'static [&'static str], &'static [&'static str]),
}

/// All targets.
pub const TARGETS: [Target; 16] = [
    target("annotation", npwg::annotation, npwg::ANNOTATIONS, &[]),
    target("answers", answers::answers, answers::SEEDS, &[]),
    target("attach", attach::attach, attach::SEEDS, &[]),
    target("cache", store::cache, &[], &["cni-core/src/store/golden"]),
    target(
        "configuration",
        conf::configuration,
        conf::SEEDS,
        &["examples/conflists"],
    ),
    target(
        "conflist",
        conf::conflist,
        conf::SEEDS,
        &["cni-core/src/spec/conf/golden", "examples/conflists"],
    ),
    target("files", files::files, files::SEEDS, &[]),
    target("host_local", plugins::host_local, plugins::HOST_LOCAL, &[]),
    target("journal", journal::journal, &[], &["meta-plugin/tests/golden"]),
    target(
        "manifest",
        npwg::manifest,
        npwg::MANIFESTS,
        &["examples/nads", "examples/pods"],
    ),
    target(
        "object",
        values::object,
        values::OBJECTS,
        &["cni-core/src/spec/conf/golden"],
    ),
    target("plugins", plugins::plugins, plugins::SEEDS, &[]),
    target(
        "result",
        result::result,
        result::SEEDS,
        &["cni-core/src/spec/result/golden"],
    ),
    target("skeleton", skeleton::skeleton, skeleton::SEEDS, &[]),
    target("tuning", plugins::tuning, plugins::TUNING, &[]),
    target("values", values::values, values::SEEDS, &[]),
];

const fn target(
    name: &'static str,
    run: fn(&[u8]),
    texts: &'static [&'static str],
    directories: &'static [&'static str],
) -> Target {
    let seeds = (texts, directories);
    Target { name, run, seeds }
}

impl Target {
    /// The target of that name.
    ///
    /// # Panics
    /// When there is none.
    pub fn named(name: &str) -> Self {
        let found = TARGETS.into_iter().find(|target| target.name == name);
        found.unwrap_or_else(|| panic!("no target {name:?}"))
    }

    /// What to begin with: what was ever found first.
    ///
    /// # Panics
    /// When a directory that should be there is not.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        let found = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("found")
            .join(self.name);
        let mut seeds = if found.exists() { files(&found) } else { Vec::new() };
        seeds.extend(
            self.seeds
                .1
                .iter()
                .flat_map(|directory| files(&root().join(directory))),
        );
        seeds.extend(self.seeds.0.iter().map(|text| text.as_bytes().to_vec()));
        seeds
    }

    /// Writes the seeds into `directory`, which is there, for a fuzzer that begins with files.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn write_seeds(&self, directory: &Path) {
        for (at, seed) in self.seeds().iter().enumerate() {
            fs::write(directory.join(format!("seed-{at}")), seed).unwrap();
        }
    }
}

/// The contents of the files of a directory, in the order of their names.
fn files(directory: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The workspace's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
