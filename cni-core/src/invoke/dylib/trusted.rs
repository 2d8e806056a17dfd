//! Files that nobody but the administrator could have written.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use rustix::io::Errno;

/// A regular file that was open to no change by others when it was opened, by the way that leads to it either.
pub(crate) struct Trusted(OwnedFd, Identity);

/// Device and inode: which file it is, by whatever name, for as long as it is open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity(u64, u64);

/// Why a file is not trusted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Untrusted {
    #[error("{0:?} is no regular file")]
    NoFile(PathBuf),
    #[error("{path:?} belongs to user {owner}, not to user {trusted}")]
    Owner { path: PathBuf, owner: u32, trusted: u32 },
    #[error("open {path:?}")]
    Open { path: PathBuf, source: io::Error },
    #[error("{0:?} can be written by others than its owner")]
    Writable(PathBuf),
}

const DIRECTORY: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Without waiting for anybody, should it be a pipe.
const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

impl Trusted {
    /// Opens `path`, which `owner` or root owns, as they do every directory on the way from the root.
    ///
    /// Links are followed in the directory's path alone. Each step is looked at once it is open, and the next is
    /// taken from there, so that nothing can be exchanged in between.
    pub(super) fn open(path: &Path, owner: u32) -> Result<Self, Untrusted> {
        let (dir, name) = (
            path.parent().unwrap_or(path),
            path.file_name().unwrap_or_default(),
        );
        let dir = fs::canonicalize(dir).map_err(|source| opening(dir, source))?;
        let mut reached = PathBuf::from("/");
        let mut at = open("/", DIRECTORY, Mode::empty()).map_err(|error| opening(&reached, error))?;
        for component in dir.components().filter(|part| *part != Component::RootDir) {
            unchanged_by_others(&at, &reached, owner, Place::OnTheWay)?;
            reached.push(component);
            at = enter(&at, component.as_os_str(), DIRECTORY, &reached)?;
        }
        unchanged_by_others(&at, &reached, owner, Place::End)?;
        reached.push(name);
        let file = enter(&at, name, FILE, &reached)?;
        unchanged_by_others(&file, &reached, owner, Place::End)?;
        let stat = fstat(&file).map_err(|error| opening(&reached, error))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(Self(file, Identity(stat.st_dev, stat.st_ino))),
            _ => Err(Untrusted::NoFile(reached)),
        }
    }

    pub(super) fn identity(&self) -> Identity {
        self.1
    }

    /// A path that leads to this very file, whatever has become of its name.
    pub(crate) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }

    /// Leaves the path as it is for as long as this process lives.
    pub(crate) fn keep_open(self) {
        std::mem::forget(self);
    }
}

fn opening(path: &Path, source: impl Into<io::Error>) -> Untrusted {
    Untrusted::Open {
        path: path.to_owned(),
        source: source.into(),
    }
}

fn enter(at: &OwnedFd, name: &OsStr, flags: OFlags, path: &Path) -> Result<OwnedFd, Untrusted> {
    openat(at, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::LOOP => Untrusted::NoFile(path.to_owned()),
        error => opening(path, error),
    })
}

/// Whether a directory is only passed.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    End,
    OnTheWay,
}

fn unchanged_by_others(fd: impl AsFd, path: &Path, trusted: u32, place: Place) -> Result<(), Untrusted> {
    let stat = fstat(fd).map_err(|error| opening(path, error))?;
    let path = || path.to_owned();
    if stat.st_uid != 0 && stat.st_uid != trusted {
        return Err(Untrusted::Owner {
            path: path(),
            owner: stat.st_uid,
            trusted,
        });
    }
    let mode = Mode::from_raw_mode(stat.st_mode);
    // In a directory like /tmp others may add names, but not exchange what is not theirs.
    let harmless = place == Place::OnTheWay && mode.contains(Mode::SVTX);
    if mode.intersects(Mode::WGRP | Mode::WOTH) && !harmless {
        return Err(Untrusted::Writable(path()));
    }
    Ok(())
}
