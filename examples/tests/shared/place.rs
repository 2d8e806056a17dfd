//! Where the examples are.

use std::path::{Path, PathBuf};

/// A folder or file of this crate's.
#[allow(dead_code, reason = "not every test looks at the sources")]
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The executable, which cargo puts beside the directory of this test.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        path.is_file(),
        "first run `cargo build -p plexus-examples --examples`"
    );
    path
}
