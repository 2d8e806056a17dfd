//! The files that say which address is whose, in the reference's format.
//!
//! One directory a network. Below it a file for each address, named by the address and holding
//! `CONTAINER\r\nIFNAME` (very old ones: the container alone); `last_reserved_ip.N`, the address
//! that set N gave out last; and `lock`, held by whoever reads or writes any of the others.
//!
//! An address file is born complete: its content is written and synced under another name, which
//! [`link(2)`](https://man7.org/linux/man-pages/man2/link.2.html) then gives the address's, or fails
//! if that exists. The reference creates first and writes then, so that its crash can leave an
//! empty file. Such a file is taken as free when two things hold: we have the lock, which its
//! writer would have, were it alive; and it is a minute old, for a writer that knows no lock.
//! The address's owner never got an answer then, or the machine has lost power since.
//!
//! Neither the directory nor `last_reserved_ip.N` is synced: a power failure that forgets them has
//! ended the containers as well, and without the hint the set's search starts at its beginning.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cni_core::spec::AttachmentId;

use crate::shared::lock::{FileLock, LockError};

/// What a new file is called until it is complete. The lock makes one name enough, and one that
/// is there when the lock is taken is a dead process's.
const UNFINISHED: &str = ".unfinished";

/// How old an empty address file has to be before it counts as nobody's.
const FORSAKEN: Duration = Duration::from_secs(60);

/// No container id and interface name are longer than this together.
const LONGEST_OWNER: u64 = 4096;

/// A failure of the files.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("{what} {path:?}")]
    Io {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Whose an address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// An interface of a container.
    Interface { container: String, ifname: String },
    /// A container, whatever its interface: a file of a very old version.
    Container(String),
    /// Unknown: an empty file that is too young to be taken for a dead process's, or no file at all but a
    /// directory, say.
    Unknown,
    /// Unknown, since the file cannot be read, for this reason.
    Unreadable(String),
}

/// A network's addresses, locked until dropped.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    owners: BTreeMap<IpAddr, Owner>,
    _lock: FileLock,
}

impl Owner {
    fn parse(text: &str) -> Option<Self> {
        match text.trim().split_once("\r\n") {
            Some((container, ifname)) => Some(Self::Interface {
                container: container.to_owned(),
                ifname: ifname.to_owned(),
            }),
            None if text.trim().is_empty() => None,
            None => Some(Self::Container(text.trim().to_owned())),
        }
    }

    /// Whether it is exactly `id`.
    pub(super) fn is(&self, id: &AttachmentId) -> bool {
        matches!(self, Self::Interface { container, ifname }
            if container == id.container.as_str() && ifname == id.ifname.as_str())
    }

    /// Whether it is `id`'s container, with no interface said.
    pub(super) fn is_container_of(&self, id: &AttachmentId) -> bool {
        matches!(self, Self::Container(container) if container == id.container.as_str())
    }
}

impl Store {
    /// Locks and reads the network's files, whose directory is made if need be.
    pub(super) fn open(dir: &Path, deadline: Option<Instant>) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(io("create directory", dir))?;
        Self::lock(dir, deadline)
    }

    /// As [`Store::open`], but `None` without a directory.
    pub(super) fn open_existing(dir: &Path, deadline: Option<Instant>) -> Result<Option<Self>, StoreError> {
        match fs::metadata(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("read directory", dir)(error)),
            Ok(_) => Self::lock(dir, deadline).map(Some),
        }
    }

    fn lock(dir: &Path, deadline: Option<Instant>) -> Result<Self, StoreError> {
        let lock = FileLock::acquire(&dir.join("lock"), deadline)?;
        remove(&dir.join(UNFINISHED))?;
        Ok(Self {
            dir: dir.to_owned(),
            owners: read_all(dir)?,
            _lock: lock,
        })
    }

    /// All addresses that are taken.
    pub(super) fn owners(&self) -> &BTreeMap<IpAddr, Owner> {
        &self.owners
    }

    /// The addresses of `id`; without any, those that a very old version gave its container.
    pub(super) fn addresses_of(&self, id: &AttachmentId) -> Vec<IpAddr> {
        let exact = self.addresses(|owner| owner.is(id));
        if exact.is_empty() {
            self.addresses(|owner| owner.is_container_of(id))
        } else {
            exact
        }
    }

    /// The addresses of files that cannot be read, with why: whoever frees addresses must not pass them over.
    pub(super) fn unreadable(&self) -> Vec<(IpAddr, StoreError)> {
        let failure = |(ip, owner): (&IpAddr, &Owner)| match owner {
            Owner::Unreadable(why) => {
                let path = self.dir.join(ip.to_string());
                Some((*ip, io("read", &path)(io::Error::other(why.clone()))))
            }
            _ => None,
        };
        self.owners.iter().filter_map(failure).collect()
    }

    /// The addresses whose owner fits.
    pub(super) fn addresses(&self, fits: impl Fn(&Owner) -> bool) -> Vec<IpAddr> {
        let fitting = self.owners.iter().filter(|(_, owner)| fits(owner));
        fitting.map(|(ip, _)| *ip).collect()
    }

    /// What set number `set` gave out last, if that is known.
    pub(super) fn last_reserved(&self, set: usize) -> Option<IpAddr> {
        let text = fs::read_to_string(self.dir.join(hint(set))).ok()?;
        text.trim().parse().ok()
    }

    /// Gives `ip` to `id`; false when somebody has it in spite of the lock.
    pub(super) fn reserve(&mut self, ip: IpAddr, id: &AttachmentId, set: usize) -> Result<bool, StoreError> {
        let path = self.dir.join(ip.to_string());
        let content = format!("{}\r\n{}", id.container, id.ifname);
        let unfinished = self.write_unfinished(&content, true)?;
        let linked = fs::hard_link(&unfinished, &path);
        remove(&unfinished)?;
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.owners.insert(ip, Owner::Unknown);
                return Ok(false);
            }
            Err(error) => return Err(io("create", &path)(error)),
        }
        let (container, ifname) = (id.container.to_string(), id.ifname.to_string());
        self.owners.insert(ip, Owner::Interface { container, ifname });
        self.write_hint(set, ip).or_else(|error| {
            self.release(ip)?;
            Err(error)
        })?;
        Ok(true)
    }

    fn write_hint(&self, set: usize, ip: IpAddr) -> Result<(), StoreError> {
        let unfinished = self.write_unfinished(&ip.to_string(), false)?;
        let hint = self.dir.join(hint(set));
        fs::rename(&unfinished, &hint).map_err(io("write", &hint))
    }

    /// Frees `ip`, or does nothing.
    pub(super) fn release(&mut self, ip: IpAddr) -> Result<(), StoreError> {
        remove(&self.dir.join(ip.to_string()))?;
        self.owners.remove(&ip);
        Ok(())
    }

    /// Tries whether a file can be written.
    pub(super) fn probe(&self) -> Result<(), StoreError> {
        remove(&self.write_unfinished("probe", false)?)
    }

    fn write_unfinished(&self, content: &str, sync: bool) -> Result<PathBuf, StoreError> {
        let path = self.dir.join(UNFINISHED);
        let write = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(content.as_bytes())?;
            if sync { file.sync_data() } else { Ok(()) }
        };
        match write() {
            Ok(()) => Ok(path),
            Err(error) => {
                // The error that led here is the one to report; the next holder of the lock tries again.
                let _ = fs::remove_file(&path);
                Err(io("write", &path)(error))
            }
        }
    }
}

fn hint(set: usize) -> String {
    format!("last_reserved_ip.{set}")
}

fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { what, path, source }
}

/// Removes a file that may be gone.
fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io("remove", path)(error)),
        _ => Ok(()),
    }
}

fn read_all(dir: &Path) -> Result<BTreeMap<IpAddr, Owner>, StoreError> {
    let failed = |error| io("read directory", dir)(error);
    let mut owners = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Some(ip) = address(&entry) else {
            continue;
        };
        let path = entry.path();
        match read_owner(&entry) {
            Ok(Some(owner)) => drop(owners.insert(ip, owner)),
            Ok(None) => remove(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // One bad file must not stop every ADD and DEL of the network; its address is not given out.
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "an address's owner cannot be read");
                owners.insert(ip, Owner::Unreadable(error.to_string()));
            }
        }
    }
    Ok(owners)
}

/// The address that a file is named by. Another spelling of one is no file of anybody's that shares this
/// directory.
fn address(entry: &DirEntry) -> Option<IpAddr> {
    let name = entry.file_name();
    let ip: IpAddr = name.to_str()?.parse().ok()?;
    (name.to_str() == Some(&ip.to_string())).then_some(ip)
}

/// The owner that a file names; `None` when it is nobody's.
fn read_owner(entry: &DirEntry) -> io::Result<Option<Owner>> {
    // To open a pipe would wait for ever.
    if !entry.file_type()?.is_file() {
        return Ok(Some(Owner::Unknown));
    }
    let mut text = Vec::new();
    let file = File::open(entry.path())?;
    let modified = file.metadata()?.modified()?;
    file.take(LONGEST_OWNER).read_to_end(&mut text)?;
    let owner = Owner::parse(&String::from_utf8_lossy(&text));
    let age = SystemTime::now().duration_since(modified).unwrap_or_default();
    Ok(owner.or_else(|| (age < FORSAKEN).then_some(Owner::Unknown)))
}
