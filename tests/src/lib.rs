//! What the tests that need more than one room share: where the programs are, and machines to compare.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod cnitool;
pub mod host;
pub mod installed;
pub mod machine;
pub mod pod;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The versions of the specification that every plugin is driven in.
pub const VERSIONS: &[&str] = &["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A program of the workspace, built in release by `tests/run` beforehand.
///
/// # Panics
/// When it was not built.
pub fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let target = this.ancestors().find(|dir| {
        dir.file_name()
            .is_some_and(|name| name == "debug" || name == "release")
    });
    let path = target.unwrap().parent().unwrap().join("release").join(name);
    assert!(
        path.exists(),
        "{} is missing: cargo build --release",
        path.display()
    );
    path
}

/// The directory of the reference plugins and cnitool, which `tests/run` builds.
///
/// # Panics
/// When the environment does not name it: these tests never skip.
#[expect(
    clippy::disallowed_methods,
    reason = "tests/run says here where the peers are"
)]
pub fn peers() -> PathBuf {
    let directory = std::env::var_os("PLEXUS_PEERS").expect("PLEXUS_PEERS: run this by tests/run");
    let directory = PathBuf::from(directory);
    assert!(
        directory.join("cnitool").exists(),
        "no cnitool in {}",
        directory.display()
    );
    directory
}

/// A directory with our plugins, one executable a type, as a user would install them.
///
/// # Panics
/// When the installation fails.
pub fn plugins() -> &'static Path {
    static DIRECTORY: OnceLock<tempfile::TempDir> = OnceLock::new();
    let install = || {
        let directory = tempfile::tempdir().unwrap();
        let output = Command::new(program("cni-plugins"))
            .arg("install")
            .arg(directory.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        directory
    };
    DIRECTORY.get_or_init(install).path()
}
