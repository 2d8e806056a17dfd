//! Files that are replaced as a whole, or not at all, whatever happens in between.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes `dir` and what is above it, each for the owner alone, unless they are there.
pub(super) fn ensure_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Puts `content` at `target`, durably; the temporary file is made in `scratch`, on the same file system.
///
/// After a crash at any point there is the old content or the new, and at most a file in `scratch`.
pub(super) fn replace(target: &Path, scratch: &Path, content: &[u8]) -> io::Result<()> {
    let (temporary, mut file) = create_unique(scratch)?;
    let outcome = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, target));
    if outcome.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    outcome?;
    // The new name is durable only with the directory that holds it.
    target.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

fn create_unique(dir: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("{}-{number}", std::process::id()));
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(&path) {
            // Left by a process that crashed, or in use by one of another pid namespace.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (path, file)),
        }
    }
}
