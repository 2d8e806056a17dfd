//! What the scripted plugin leaves behind.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{fs, io};

use serde::Deserialize;

use crate::spec::{AttachmentId, Code, Error, ValidAttachment};

/// A directory with an empty file for each attachment.
#[derive(Debug, Deserialize)]
pub(super) struct Kept(PathBuf);

impl Kept {
    pub(super) fn add(&self, id: &AttachmentId) -> Result<(), Error> {
        let made = fs::create_dir_all(&self.0).and_then(|()| fs::write(self.file(&id.into()), ""));
        self.done("write to", made)
    }

    pub(super) fn check(&self, id: &AttachmentId) -> Result<(), Error> {
        self.done(
            &format!("find {id} in"),
            fs::metadata(self.file(&id.into())).map(drop),
        )
    }

    pub(super) fn del(&self, id: &AttachmentId) -> Result<(), Error> {
        let removed = fs::remove_file(self.file(&id.into()));
        self.done("remove from", removed.or_else(unless_absent))
    }

    pub(super) fn gc(&self, valid: Option<&BTreeSet<ValidAttachment>>) -> Result<(), Error> {
        let Some(valid) = valid else { return Ok(()) };
        let valid: BTreeSet<PathBuf> = valid.iter().map(|valid| self.file(valid)).collect();
        let swept = fs::read_dir(&self.0).and_then(|mut files| {
            files.try_for_each(|file| match file?.path() {
                file if valid.contains(&file) => Ok(()),
                file => fs::remove_file(file),
            })
        });
        self.done("remove from", swept.or_else(unless_absent))
    }

    fn file(&self, of: &ValidAttachment) -> PathBuf {
        self.0.join(format!("{} {}", of.container, of.ifname))
    }

    fn done(&self, what: &str, outcome: io::Result<()>) -> Result<(), Error> {
        outcome.map_err(|error| {
            Error::new(Code::IO, format!("{what} {:?}", self.0)).with_details(error.to_string())
        })
    }
}

fn unless_absent(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}
