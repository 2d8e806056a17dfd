//! What the records of a journal say, taken together.

use std::collections::BTreeMap;
use std::path::Path;

use super::frame;
use super::record::{Call, Failure, Intended, Record, RouteChange};
use super::{JournalError, VERSION};
use cni_core::spec::Error;

/// The state of a call.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// What the runtime said; `None` when that record is damaged.
    pub call: Option<Call>,
    /// The attachments whose ADD was begun and whose DEL has not succeeded, by their number.
    pub entries: BTreeMap<u32, Entry>,
    /// Whether every attachment was made.
    pub finished: bool,
    /// Why the call failed, if it did.
    pub failed: Option<Error>,
    /// Since when failures of DEL are kept from the runtime, in seconds since 1970.
    pub stuck: Option<u64>,
    /// How many lines before the last record are damaged. What they said is lost, the rest is used.
    pub damaged: usize,
}

/// An attachment that may exist.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// How it was, or was to be, made.
    pub intended: Intended,
    /// The result as text in version 1.1.0, when ADD succeeded.
    pub result: Option<String>,
    /// The changes of default routes on its behalf, oldest first.
    pub routes: Vec<RouteChange>,
    /// How far its DEL came, if one was begun.
    pub deletion: Option<Deletion>,
}

/// A DEL that was begun and has not succeeded.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Deletion {
    /// How often it failed.
    pub failures: u32,
    /// When it failed first, in seconds since 1970.
    pub since: Option<u64>,
    /// What it said last.
    pub last: Option<Error>,
}

/// The part of the first record that every version of the format keeps.
#[derive(serde::Deserialize)]
struct Format {
    journal: u32,
}

impl State {
    /// Reads the bytes of a journal, and says up to where they are records. `path` names it in errors.
    ///
    /// Every line that does not hold what was written is passed over; those at the end are a torn tail.
    ///
    /// # Errors
    /// [`JournalError::Newer`] when its first record says so.
    pub fn replay(path: &Path, bytes: &[u8]) -> Result<(Self, usize), JournalError> {
        let mut state = Self::default();
        let (mut bad, mut intact) = (0, 0);
        for (end, json) in frame::lines(bytes) {
            if let Some(Ok(format)) = json.map(serde_json::from_slice::<Format>)
                && format.journal > VERSION
            {
                let (path, version) = (path.to_owned(), format.journal);
                return Err(JournalError::Newer { path, version });
            }
            match json.and_then(|json| serde_json::from_slice(json).ok()) {
                Some(record) => {
                    state.apply(record);
                    state.damaged += std::mem::take(&mut bad);
                    intact = end;
                }
                None => bad += 1,
            }
        }
        Ok((state, intact))
    }

    /// Takes `record` in. One about an attachment that is not known says nothing.
    pub(super) fn apply(&mut self, record: Record) {
        match record {
            Record::Call(call) => self.call = Some(call),
            Record::Intended(intended) => {
                self.finished = false;
                self.entries.insert(intended.at, Entry::new(intended));
            }
            Record::Finished => self.finished = true,
            Record::Failed { error } => self.failed = Some(error),
            Record::Stuck { time } => self.stuck = Some(time),
            Record::Deleted { at } => drop(self.entries.remove(&at)),
            Record::Done { at, result } => self.update(at, |entry| entry.result = Some(result)),
            Record::Routes(change) => self.update(change.at, |entry| entry.routes.push(change)),
            Record::Deleting { at } => self.update(at, |entry| {
                entry.begun();
            }),
            Record::DelFailed(failure) => self.update(failure.at, |entry| entry.begun().failed(failure)),
        }
    }

    fn update(&mut self, at: u32, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.get_mut(&at) {
            change(entry);
        }
    }

    /// Whether the call succeeded and nothing of it was deleted since, or begun to be.
    pub fn is_attached(&self) -> bool {
        let untouched = self.entries.values().all(|entry| entry.deletion.is_none());
        self.finished && self.failed.is_none() && untouched
    }
}

impl Entry {
    fn new(intended: Intended) -> Self {
        let (result, routes, deletion) = (None, Vec::new(), None);
        Self {
            intended,
            result,
            routes,
            deletion,
        }
    }

    fn begun(&mut self) -> &mut Deletion {
        self.deletion.get_or_insert_default()
    }
}

impl Deletion {
    fn failed(&mut self, failure: Failure) {
        self.failures += 1;
        self.since.get_or_insert(failure.time);
        self.last = Some(failure.error);
    }
}
