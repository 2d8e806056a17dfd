//! The result cache in libcni's format and place, so that either side can take over from the other.
//!
//! A file that a crash left empty, or that anything else made unreadable, counts as absent and is
//! reported in the log, as does what is no regular file or larger than 16 MiB: no DEL may fail for it.

mod base64;
mod file;
mod replace;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::chain::{KeptAttachment, Results, ResultsError};
use crate::load;
use crate::spec::{AttachmentId, ConfList, ContainerId, NetName, Version, with_causes};
use file::Cached;

/// A directory with one file an attachment: `results/<network>-<container id>-<ifname>`.
///
/// The names are joined by a character that they may hold, so two attachments can have one file;
/// what is read is the attachment asked for or nothing. Below 0.3.0 a result without address
/// cannot be written, and is refused.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// What the store could not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// An attachment that the format cannot hold.
    #[error("encode result cache entry of {attachment}")]
    Encode {
        /// Which.
        attachment: AttachmentId,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file or directory that could not be worked with.
    #[error("{action} {path:?}")]
    Io {
        /// What was being attempted.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
}

impl StoreError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl From<StoreError> for ResultsError {
    fn from(error: StoreError) -> Self {
        Self(Box::new(error))
    }
}

impl Store {
    /// Where libcni keeps its results unless told otherwise.
    pub const DEFAULT_DIR: &'static str = "/var/lib/cni";

    /// The store in `dir`, which is made when something is first put there.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The list with which the attachment was ADDed, as JSON; `None` when nothing is kept of it.
    ///
    /// # Errors
    /// When the file is there and cannot be opened or read.
    pub fn config(&self, network: &NetName, id: &AttachmentId) -> Result<Option<Vec<u8>>, StoreError> {
        let cached = self.cached(network, id, Version::V0_1_0)?;
        Ok(cached.and_then(|cached| cached.config))
    }

    /// Every attachment that is kept, of all networks, or those of one container: for a runtime that has lost
    /// its own records, or takes over from another. A result that names no version is read as one of 1.1.0.
    ///
    /// # Errors
    /// When the directory is there and cannot be read.
    pub fn attachments(
        &self,
        container: Option<&ContainerId>,
    ) -> Result<Vec<(NetName, KeptAttachment)>, StoreError> {
        let of = |name: &str| container.is_none_or(|container| name.contains(&format!("-{container}-")));
        let mut found = self.found(of, Version::V1_1_0)?;
        found.retain(|(_, kept)| container.is_none_or(|container| kept.id.container == *container));
        Ok(found)
    }

    fn results(&self) -> PathBuf {
        self.dir.join("results")
    }

    fn path(&self, network: &NetName, id: &AttachmentId) -> PathBuf {
        let name = format!("{network}-{}-{}", id.container, id.ifname);
        self.results().join(name)
    }

    fn write(&self, list: &ConfList, kept: &KeptAttachment) -> Result<(), StoreError> {
        let refused = |source| StoreError::Encode {
            attachment: kept.id.clone(),
            source,
        };
        let content = file::encode(list, kept).map_err(|source| refused(source.into()))?;
        if content.len() as u64 > load::LARGEST {
            return Err(refused("it is larger than 16 MiB".into()));
        }
        // Beside the results and not among them, where libcni would take a leftover for an attachment.
        let scratch = self.dir.join("results.tmp");
        for dir in [self.results(), scratch.clone()] {
            replace::ensure_dir(&dir).map_err(StoreError::io("create directory", &dir))?;
        }
        let path = self.path(&list.name, &kept.id);
        replace::replace(&path, &scratch, content.as_bytes()).map_err(StoreError::io("write", &path))
    }

    fn cached(
        &self,
        network: &NetName,
        id: &AttachmentId,
        version: Version,
    ) -> Result<Option<Cached>, StoreError> {
        let path = self.path(network, id);
        let cached = match load::regular(&path) {
            Err(e) if is_absent(&e) => None,
            Err(error) if is_none_of_ours(&error) => {
                unreadable(&path, &error);
                None
            }
            json => decoded(&path, &json.map_err(StoreError::io("read", &path))?, version),
        };
        Ok(cached.filter(|cached| cached.may_be(network, id)))
    }

    /// Deletes the attachment's file, whatever is in it, but for the record of another attachment. A directory in its
    /// place stays: there is no file.
    fn delete(&self, network: &NetName, id: &AttachmentId) -> Result<(), StoreError> {
        let path = self.path(network, id);
        let of_another = |json: Vec<u8>| {
            let cached = file::decode(&json, Version::V0_1_0);
            cached.is_ok_and(|cached| !cached.may_be(network, id))
        };
        if load::regular(&path).is_ok_and(of_another) {
            return Ok(());
        }
        match fs::remove_file(&path) {
            Err(e) if is_absent(&e) || e.kind() == io::ErrorKind::IsADirectory => Ok(()),
            removed => removed.map_err(StoreError::io("remove", &path)),
        }
    }

    /// The attachments in files whose names are `wanted`, in order.
    fn found(
        &self,
        wanted: impl Fn(&str) -> bool,
        version: Version,
    ) -> Result<Vec<(NetName, KeptAttachment)>, StoreError> {
        let dir = self.results();
        let entries = match fs::read_dir(&dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(StoreError::io("list", &dir))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list", &dir))?;
            // The names that we and libcni write are text.
            if entry.file_name().to_str().is_some_and(&wanted) {
                found.extend(self.in_place(&entry.path(), version));
            }
        }
        found.sort_by(|(n, a), (m, b)| (n, &a.id).cmp(&(m, &b.id)));
        Ok(found)
    }

    /// The attachment in the file at `path`, if that is its own place.
    fn in_place(&self, path: &Path, version: Version) -> Option<(NetName, KeptAttachment)> {
        let json = load::regular(path)
            .inspect_err(|error| unreadable(path, error))
            .ok()?;
        let cached = decoded(path, &json, version)?;
        let (network, id) = cached.about.clone()?;
        let is_in_place = self.path(&network, &id) == path;
        is_in_place.then(|| (network, cached.into_attachment(id)))
    }
}

/// Whether there is no such file; one whose name is too long for the file system cannot be there.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename
    )
}

/// Whether what is there can be no record: it is no regular file, or larger than any.
fn is_none_of_ours(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge
    )
}

/// What the file says, if it says anything.
fn decoded(path: &Path, json: &[u8], version: Version) -> Option<Cached> {
    file::decode(json, version)
        .inspect_err(|error| unreadable(path, error))
        .ok()
}

fn unreadable(path: &Path, error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(?path, error = %with_causes(error), "result cache entry is unreadable");
}

impl Results for Store {
    fn put(&self, list: &ConfList, attachment: &KeptAttachment) -> Result<(), ResultsError> {
        Ok(self.write(list, attachment)?)
    }

    fn get(&self, list: &ConfList, id: &AttachmentId) -> Result<Option<KeptAttachment>, ResultsError> {
        let cached = self.cached(&list.name, id, list.version)?;
        Ok(cached.map(|cached| cached.into_attachment(id.clone())))
    }

    fn remove(&self, list: &ConfList, id: &AttachmentId) -> Result<(), ResultsError> {
        Ok(self.delete(&list.name, id)?)
    }

    fn list(&self, list: &ConfList) -> Result<Vec<KeptAttachment>, ResultsError> {
        let prefix = format!("{}-", list.name);
        let found = self.found(|name| name.starts_with(&prefix), list.version)?;
        let of_network = found.into_iter().filter(|(network, _)| *network == list.name);
        Ok(of_network.map(|(_, kept)| kept).collect())
    }
}

#[cfg(test)]
mod tests;
