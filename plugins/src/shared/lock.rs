//! Locks on files, for what several processes share.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait when the caller named no deadline. An ADD that does not get the lock waits once more, to
/// undo itself.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(5);

/// A lock on a file (`flock(2)`), held until dropped.
#[derive(Debug)]
#[must_use = "dropping it at once unlocks"]
pub(crate) struct FileLock {
    _file: File,
}

/// A lock that could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// The file could not be opened or locked.
    #[error("lock {path:?}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Somebody else held it until the deadline.
    #[error("lock {path:?}: another process holds it")]
    Busy { path: PathBuf },
}

impl FileLock {
    /// Waits for the lock on `path`, which is made if need be.
    ///
    /// A holder may remove the file while it holds the lock: whoever waited then looks the path up
    /// again, so that two can never hold "the" lock by two files.
    pub(crate) fn acquire(path: &Path, deadline: Option<Instant>) -> Result<Self, LockError> {
        let deadline = deadline.unwrap_or_else(|| Instant::now() + PATIENCE);
        let failed = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        let mut pause = Duration::from_micros(100);
        loop {
            let file = open(path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path).map_err(failed)? => return Ok(Self { _file: file }),
                Ok(()) => continue,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) => {}
            }
            if Instant::now() >= deadline {
                return Err(LockError::Busy {
                    path: path.to_owned(),
                });
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSE);
        }
    }
}

/// The mode is the reference's, for the file that `host-local` shares with it.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o750).open(path)
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match path.metadata() {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("lock-{}-{name}", std::process::id()))
    }

    #[test]
    fn one_holds_it_and_the_next_waits_until_the_deadline() {
        let path = path("busy");
        let held = FileLock::acquire(&path, None).unwrap();
        let soon = Some(Instant::now() + Duration::from_millis(20));
        let busy = FileLock::acquire(&path, soon).unwrap_err();
        assert_eq!(
            busy.to_string(),
            format!("lock {path:?}: another process holds it")
        );
        drop(held);
        drop(FileLock::acquire(&path, soon).unwrap());
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn who_waited_for_a_file_that_was_removed_takes_the_new_one() {
        let path = path("removed");
        let held = FileLock::acquire(&path, None).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| FileLock::acquire(&path, None).unwrap());
            thread::sleep(Duration::from_millis(20));
            fs::remove_file(&path).unwrap();
            drop(held);
            let second = waiting.join().unwrap();
            let now = Some(Instant::now());
            assert!(matches!(
                FileLock::acquire(&path, now),
                Err(LockError::Busy { .. })
            ));
            drop(second);
        });
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_lock_in_no_directory_says_so() {
        let error = FileLock::acquire(&path("none").join("lock"), None).unwrap_err();
        assert!(matches!(error, LockError::Io { .. }), "{error}");
    }
}
