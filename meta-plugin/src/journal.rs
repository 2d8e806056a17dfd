//! The journal: what was attempted and done for each container, so that DEL needs nothing else.
//!
//! There is one append-only file for each container and call of the runtime,
//! `<state>/attachments/<container id>/<interface of the call>`. A record is written before the effect that
//! it announces, so a process that is killed at any instruction leaves a journal that names everything it
//! may have made.
//!
//! # What a power loss can take
//! Records reach the disk with one `fdatasync` before the answer, not before each effect. A call that was
//! answered is therefore known whole after a power loss. Of a call that was not answered, any number of the
//! last records may be missing, the whole file included. Its links, routes and rules went with the kernel;
//! what may stay is an address in a file of an IPAM plugin, and GC releases that, since no valid attachment
//! holds it. A DEL is not made durable at all: if its file comes back, the DEL is repeated, and DEL is
//! idempotent.

mod dir;
mod error;
mod frame;
mod record;
mod state;

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use cni_core::spec::{IfName, with_causes};
use rustix::fs::OFlags;

pub use dir::{Locked, StateDir};
pub use error::JournalError;
pub use record::{Call, Failure, Intended, Planned, Record, RouteChange, RouteRecord};
pub use state::{Deletion, Entry, State};

/// The version of the format that this program writes; it reads no newer one.
pub const VERSION: u32 = 1;

/// A call's journal, opened for reading and appending under its container's lock.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    state: State,
}

impl Journal {
    /// Starts the journal of a call with its first record.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written; then there is none afterwards.
    pub fn create(dir: &Locked, call: Call) -> Result<Self, JournalError> {
        let path = dir.path().join(call.ifname.as_str());
        let file = writable()
            .create_new(true)
            .open(&path)
            .map_err(|e| JournalError::io("create", &path, e))?;
        let mut journal = Self {
            path,
            file,
            state: State::default(),
        };
        match journal.append(Record::Call(call)) {
            Ok(()) => Ok(journal),
            Err(error) => {
                if let Err(error) = journal.remove() {
                    tracing::warn!(error = %with_causes(&error), "remove a journal without records");
                }
                Err(error)
            }
        }
    }

    /// Opens the journal of the call for `ifname`; `None` when there is none. A torn tail is cut off.
    ///
    /// # Errors
    /// [`JournalError::Newer`] when a newer program wrote it; when it cannot be read.
    pub fn open(dir: &Locked, ifname: &IfName) -> Result<Option<Self>, JournalError> {
        let path = dir.path().join(ifname.as_str());
        let mut file = match writable().open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(JournalError::io("open", &path, e)),
        };
        let bytes = read_all(&mut file, &path)?;
        let (state, intact) = State::replay(&path, &bytes)?;
        if intact < bytes.len() {
            tracing::warn!(path = %path.display(), "the journal's torn tail is cut off");
            file.set_len(intact as u64)
                .map_err(|e| JournalError::io("cut", &path, e))?;
        }
        Ok(Some(Self { path, file, state }))
    }

    /// Writes `record` behind the others; it is in the kernel's hands when this returns, not on the disk.
    ///
    /// # Errors
    /// When it cannot be written; what was written of it is taken back.
    pub fn append(&mut self, record: Record) -> Result<(), JournalError> {
        let line = frame::encode(&record).map_err(|e| JournalError::Encode(self.path.clone(), e))?;
        let before = self
            .file
            .seek(SeekFrom::End(0))
            .map_err(|e| JournalError::io("write", &self.path, e))?;
        if let Err(e) = self.file.write_all(&line) {
            // A part of a line would only be found damaged later; a full disk is the usual reason.
            if let Err(error) = self.file.set_len(before) {
                tracing::warn!(path = %self.path.display(), %error, "take back part of a record");
            }
            return Err(JournalError::io("write", &self.path, e));
        }
        self.state.apply(record);
        Ok(())
    }

    /// Makes all records durable, and the file's entry in its directories: one `fdatasync` for a call.
    ///
    /// # Errors
    /// When the disk refuses: then nothing is known to be durable.
    pub fn sync(&self, dir: &Locked) -> Result<(), JournalError> {
        self.file
            .sync_data()
            .map_err(|e| JournalError::io("sync", &self.path, e))?;
        dir.sync()
    }

    /// What the records say.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file: nothing of the call is left.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(self) -> Result<(), JournalError> {
        std::fs::remove_file(&self.path).map_err(|e| JournalError::io("remove", &self.path, e))
    }
}

/// Reads a journal for somebody who only looks, and who need not hold its lock; `None` when there is none.
///
/// # Errors
/// As for [`Journal::open`].
pub fn look(path: &Path) -> Result<Option<State>, JournalError> {
    let mut file = match without_surprises(OpenOptions::new().read(true)).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(JournalError::io("open", path, e)),
    };
    let bytes = read_all(&mut file, path)?;
    State::replay(path, &bytes).map(|(state, _)| Some(state))
}

fn writable() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600);
    without_surprises(&mut options);
    options
}

/// What lies at the path may be anybody's: a link is not followed, and a pipe does not hang.
fn without_surprises(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
}

fn read_all(file: &mut File, path: &Path) -> Result<Vec<u8>, JournalError> {
    let mut bytes = Vec::new();
    file.take(frame::LARGEST_FILE)
        .read_to_end(&mut bytes)
        .map_err(|e| JournalError::io("read", path, e))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
