//! Files that are replaced as a whole, or not at all, whatever happens in between.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes `dir` and what is above it, each for the owner alone, unless they are there.
pub(super) fn ensure_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Puts `content` at `target`, durably; the temporary file is made in `scratch`, on the same file system.
///
/// After a crash at any point there is the old content or the new, and at most a file in `scratch`, which the
/// next call removes.
pub(super) fn replace(target: &Path, scratch: &Path, content: &[u8]) -> io::Result<()> {
    sweep(scratch);
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

/// Removes what is left of writers that are gone. Those that still write hold a lock.
fn sweep(scratch: &Path) {
    for entry in fs::read_dir(scratch).into_iter().flatten().flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // Locked until it is gone, so that a writer who has only just made it finds out.
        if let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            // Whatever keeps it there keeps nobody from writing.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn create_unique(dir: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("{}-{number}", std::process::id()));
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(&path) {
            // In use by a process of another pid namespace.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
            Ok(file) if is_claimed(&file)? => return Ok((path, file)),
            Ok(_) => {}
        }
    }
}

/// Locks a file that was just made, unless a sweeper was faster and has removed it.
fn is_claimed(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(false),
        // A file system without locks is one that nobody sweeps.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file.metadata()?.nlink() > 0),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Two directories that go away with it.
    struct Dirs([PathBuf; 2]);

    impl Dirs {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("cni-core-replace-{}-{name}", std::process::id()));
            let dirs = [dir.join("target"), dir.join("scratch")];
            dirs.iter().for_each(|dir| ensure_dir(dir).unwrap());
            Self(dirs)
        }

        fn scratch(&self) -> usize {
            fs::read_dir(&self.0[1]).unwrap().count()
        }

        fn replace(&self, name: &str) {
            replace(&self.0[0].join(name), &self.0[1], b"content").unwrap();
        }
    }

    impl Drop for Dirs {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(self.0[0].parent().unwrap()));
        }
    }

    #[test]
    fn what_a_crash_left_goes_and_what_another_writes_stays() {
        let dirs = Dirs::new("left");
        fs::write(dirs.0[1].join("1-0"), "half").unwrap();
        let (path, locked) = create_unique(&dirs.0[1]).unwrap();
        dirs.replace("a");
        assert!(path.exists());
        assert_eq!(dirs.scratch(), 1);
        drop(locked);
        dirs.replace("b");
        assert_eq!(dirs.scratch(), 0);
    }

    #[test]
    fn writers_at_once_do_not_sweep_each_other() {
        let dirs = Dirs::new("at-once");
        thread::scope(|scope| {
            for writer in 0..8 {
                let dirs = &dirs;
                scope.spawn(move || (0..50).for_each(|at| dirs.replace(&format!("{writer}-{at}"))));
            }
        });
        assert_eq!(fs::read_dir(&dirs.0[0]).unwrap().count(), 400);
        assert_eq!(dirs.scratch(), 0);
    }
}
