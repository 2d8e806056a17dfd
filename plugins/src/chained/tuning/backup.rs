//! The files that keep the values from before, one for each attachment, in the reference's format.
//!
//! To the reference's keys ours adds `plexus`, which says whose the file is: the name of the file does not
//! tell container and interface apart, nor does it tell the network.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cni_core::plugin::Teardown;
use cni_core::spec::{AttachmentId, Error, NetName, Object, ValidAttachment};
use cni_net::NetnsId;
use serde::{Deserialize, Serialize};

use super::attributes::Attributes;
use super::config::Config;
use super::error::TuningError;

/// Larger files are none of these.
const LARGEST: u64 = 1 << 16;

/// What a file ends in until it is complete. Nothing has been changed then, so it is of no use to anybody
/// but the ADD that writes it.
const UNFINISHED: &str = "unfinished";

/// How old an unfinished file has to be before it is taken for a dead process's.
const FORSAKEN: Duration = Duration::from_secs(60);

/// Where one attachment's values are kept.
#[derive(Debug)]
pub(super) struct Backup<'a> {
    network: &'a NetName,
    pub(super) id: &'a AttachmentId,
    dir: PathBuf,
}

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) attributes: Attributes,
    /// Whose they are; the reference does not say.
    pub(super) owner: Option<Owner>,
}

/// An attachment, and the namespace of its interface.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Owner {
    network: NetName,
    #[serde(flatten)]
    attachment: ValidAttachment,
    boot: String,
    cookie: u64,
}

impl Owner {
    pub(super) fn is_in(&self, netns: &NetnsId) -> bool {
        (&self.boot, self.cookie) == (&netns.boot, netns.cookie)
    }
}

impl<'a> Backup<'a> {
    pub(super) fn new(config: &Config, network: &'a NetName, id: &'a AttachmentId) -> Self {
        let dir = config.dir();
        Self { network, id, dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(file_name(&ValidAttachment::from(self.id)))
    }

    /// What is kept; nothing when there is no file.
    pub(super) fn read(&self) -> Result<Option<Saved>, TuningError> {
        read(&self.path())
    }

    /// Keeps `before`, but for what an earlier ADD has kept for the same namespace; whether there was no file.
    pub(super) fn keep(&self, netns: &NetnsId, before: Attributes) -> Result<bool, TuningError> {
        let there = self.read()?;
        let is_new = there.is_none();
        let same_place = |saved: &Saved| saved.owner.as_ref().is_none_or(|owner| owner.is_in(netns));
        let first = there.filter(same_place).unwrap_or_default().attributes;
        let owner = Owner {
            network: self.network.clone(),
            attachment: self.id.into(),
            boot: netns.boot.clone(),
            cookie: netns.cookie,
        };
        self.write(&Saved {
            attributes: first.or(before),
            owner: Some(owner),
        })?;
        Ok(is_new)
    }

    /// Removes the file, if there is one, and what a process that was killed has left of it.
    pub(super) fn remove(&self) -> Result<(), TuningError> {
        let path = self.path();
        remove(&path.with_extension(UNFINISHED))?;
        remove(&path)
    }

    fn write(&self, saved: &Saved) -> Result<(), TuningError> {
        let path = self.path();
        ensure_dir(&self.dir).map_err(failed("create directory", &self.dir))?;
        let content = encode(saved).map_err(failed("encode", &path))?;
        replace(&self.dir, &path, &content).map_err(failed("write", &path))
    }
}

/// Removes the files of `network` that belong to no attachment in `valid`.
///
/// A file that does not say whose it is stays: the list has the containers of one network, and it may be
/// another's.
pub(super) fn gc(dir: &Path, network: &NetName, valid: &BTreeSet<ValidAttachment>) -> Result<(), Error> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed("list", dir))?,
    };
    let mut teardown = Teardown::default();
    for entry in entries {
        let path = entry.map_err(failed("list", dir))?.path();
        let outcome = match path.extension().and_then(OsStr::to_str) {
            Some("json") => sweep(&path, network, valid),
            Some(UNFINISHED) if is_forsaken(&path) => remove(&path),
            _ => Ok(()),
        };
        teardown.step("backup", outcome.map_err(Error::from));
    }
    teardown.finish()
}

fn sweep(path: &Path, network: &NetName, valid: &BTreeSet<ValidAttachment>) -> Result<(), TuningError> {
    let Some(owner) = read(path)?.and_then(|saved| saved.owner) else {
        return Ok(());
    };
    let is_its_own = path
        .file_name()
        .is_some_and(|name| name == &*file_name(&owner.attachment));
    if is_its_own && owner.network == *network && !valid.contains(&owner.attachment) {
        remove(path)?;
    }
    Ok(())
}

fn is_forsaken(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|metadata| metadata.modified());
    written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > FORSAKEN))
}

fn file_name(attachment: &ValidAttachment) -> String {
    format!("{}_{}.json", attachment.container, attachment.ifname)
}

/// What the file at `path` holds. One that is no such file holds nothing: the reference can leave it half
/// written.
fn read(path: &Path) -> Result<Option<Saved>, TuningError> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut content));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("read", path)(source)),
        Ok(_) => Ok(Some(decode(&content))),
    }
}

fn decode(content: &[u8]) -> Saved {
    let object = Object::from_slice(content).unwrap_or_default();
    Saved {
        attributes: object.parse().unwrap_or_default(),
        owner: object.parse_key("plexus").unwrap_or_default(),
    }
}

fn encode(saved: &Saved) -> io::Result<Vec<u8>> {
    let attributes = serde_json::to_vec(&saved.attributes)?;
    let mut object = Object::from_slice(&attributes).map_err(io::Error::other)?;
    if let Some(owner) = &saved.owner {
        object.set("plexus", owner).map_err(io::Error::other)?;
    }
    Ok(format!("{object}\n").into_bytes())
}

fn remove(path: &Path) -> Result<(), TuningError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(failed("remove", path)),
    }
}

/// The directory is for its owner alone; those above it are as others want them.
fn ensure_dir(dir: &Path) -> io::Result<()> {
    if let Some(above) = dir.parent() {
        fs::create_dir_all(above)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

/// Puts `content` at `target`, in `dir`, as a whole or not at all. Nobody else writes for the same attachment,
/// so one name for what is unfinished is enough, and what a killed process left there is written over.
fn replace(dir: &Path, target: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = target.with_extension(UNFINISHED);
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&unfinished, target));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    // The new name is durable only with the directory that holds it.
    File::open(dir)?.sync_all()
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TuningError {
    let path = path.to_owned();
    move |source| TuningError::Backup { what, path, source }
}
