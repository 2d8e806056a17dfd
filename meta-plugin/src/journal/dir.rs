//! The state directory, and the lock that each container has in it.

use std::fs::{DirBuilder, File, FileType, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use cni_core::spec::{ContainerId, IfName};
use rustix::fs::OFlags;
use rustix::io::{FdFlags, fcntl_setfd};

use super::JournalError;

/// How long to wait before asking for a lock again; it doubles from the first to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(32));

/// Where the journals are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The state directory at `path`; it is made when something has to be written.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Locks `container`, and makes its directory.
    ///
    /// # Errors
    /// [`JournalError::Locked`] when another holds the lock until `deadline`.
    pub fn lock(&self, container: &ContainerId, deadline: Instant) -> Result<Locked, JournalError> {
        loop {
            let path = self.container(container);
            let made = self.create(&path);
            made.map_err(|e| JournalError::io("make the directory of", &path, e))?;
            if let Some(locked) = self.lock_known(container, deadline)? {
                return Ok(locked);
            }
        }
    }

    /// Locks `container` if it has a directory.
    ///
    /// # Errors
    /// As for [`StateDir::lock`].
    pub fn lock_known(
        &self,
        container: &ContainerId,
        deadline: Instant,
    ) -> Result<Option<Locked>, JournalError> {
        let path = self.container(container);
        loop {
            let directory = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
            let dir = match File::options().read(true).custom_flags(directory).open(&path) {
                Ok(dir) => dir,
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
                Err(e) => return Err(JournalError::io("open the directory of", &path, e)),
            };
            wait_for(&dir, &path, container, deadline)?;
            let inherited = fcntl_setfd(&dir, FdFlags::empty());
            inherited.map_err(|e| JournalError::io("lock the directory of", &path, e.into()))?;
            // Whoever held it may have removed it: then the lock is on a directory that nobody will find.
            if is_at(&dir, &path).map_err(|e| JournalError::io("open the directory of", &path, e))? {
                let container = container.clone();
                return Ok(Some(Locked { container, dir, path }));
            }
        }
    }

    /// The containers that have a directory, sorted.
    ///
    /// # Errors
    /// When it cannot be listed; one that does not exist is empty.
    pub fn containers(&self) -> Result<Vec<ContainerId>, JournalError> {
        names(&self.attachments(), FileType::is_dir)
    }

    /// The interfaces of the calls of `container`, without its lock, sorted.
    ///
    /// # Errors
    /// As for [`StateDir::containers`].
    pub fn calls_of(&self, container: &ContainerId) -> Result<Vec<IfName>, JournalError> {
        names(&self.container(container), FileType::is_file)
    }

    /// The file of each call, without any lock: containers sorted, then the interfaces.
    ///
    /// # Errors
    /// As for [`StateDir::containers`].
    pub fn calls(&self) -> Result<Vec<(ContainerId, IfName, PathBuf)>, JournalError> {
        let mut calls = Vec::new();
        for container in self.containers()? {
            let dir = self.container(&container);
            let named = |ifname: IfName| (container.clone(), ifname.clone(), dir.join(ifname.as_str()));
            calls.extend(self.calls_of(&container)?.into_iter().map(named));
        }
        Ok(calls)
    }

    /// Makes a container's directory, and what is missing above it. The journals are for nobody else to see;
    /// the directories on the way to them are as any other.
    fn create(&self, container: &Path) -> io::Result<()> {
        let private = |path: &Path| match DirBuilder::new().mode(0o700).create(path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made,
        };
        match private(container) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                std::fs::create_dir_all(&self.0)?;
                private(&self.attachments())?;
                private(container)
            }
            made => made,
        }
    }

    fn attachments(&self) -> PathBuf {
        self.0.join("attachments")
    }

    fn container(&self, container: &ContainerId) -> PathBuf {
        self.attachments().join(container.as_str())
    }
}

/// A container's directory, locked until this is dropped.
///
/// Programs that are started meanwhile inherit the lock. If this process is killed, a plugin of its own that
/// still runs keeps the lock until it ends, so that no DEL overtakes its ADD.
#[derive(Debug)]
#[must_use = "dropping it at once protects nothing of what follows"]
pub struct Locked {
    container: ContainerId,
    dir: File,
    path: PathBuf,
}

impl Locked {
    /// Whose directory it is.
    pub fn container(&self) -> &ContainerId {
        &self.container
    }

    /// Where the container's journals are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The interfaces of the container's calls, sorted.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn calls(&self) -> Result<Vec<IfName>, JournalError> {
        names(&self.path, FileType::is_file)
    }

    /// Removes the directory if no call is left in it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove_if_empty(self) -> Result<(), JournalError> {
        match std::fs::remove_dir(&self.path) {
            Err(e) if !matches!(e.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => {
                Err(JournalError::io("remove the directory of", &self.path, e))
            }
            _ => Ok(()),
        }
    }

    /// Makes the entries of this directory, and its own in the one above, durable.
    pub(super) fn sync(&self) -> Result<(), JournalError> {
        let all = || {
            self.dir.sync_all()?;
            match self.path.parent() {
                Some(above) => File::open(above)?.sync_all(),
                None => Ok(()),
            }
        };
        all().map_err(|e| JournalError::io("sync the directory of", &self.path, e))
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing the file would leave the lock with whatever a plugin has left running.
        if let Err(error) = self.dir.unlock() {
            tracing::warn!(path = %self.path.display(), %error, "unlock the container");
        }
    }
}

/// Waits for the lock. `flock(2)` has no time limit of its own, so it is asked for again and again.
fn wait_for(dir: &File, path: &Path, container: &ContainerId, deadline: Instant) -> Result<(), JournalError> {
    let mut pause = PAUSE.0;
    loop {
        match dir.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(e)) => return Err(JournalError::io("lock the directory of", path, e)),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                let container = container.clone();
                return Err(JournalError::Locked { container });
            }
            Err(TryLockError::WouldBlock) => thread::sleep(pause),
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

fn is_at(dir: &File, path: &Path) -> io::Result<bool> {
    let held = dir.metadata()?;
    match std::fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (held.dev(), held.ino())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// The names in `dir` that can be ours, of what is of the right `kind`; anything else that lies there is not
/// touched.
fn names<T: FromStr + Ord>(dir: &Path, kind: fn(&FileType) -> bool) -> Result<Vec<T>, JournalError> {
    let list = || -> io::Result<Vec<T>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(name) = name.filter(|_| entry.file_type().is_ok_and(|is| kind(&is))) {
                names.push(name);
            }
        }
        Ok(names)
    };
    match list() {
        Ok(mut names) => {
            names.sort();
            Ok(names)
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(JournalError::io("list the directory of", dir, e)),
    }
}
