//! Where the results of ADD are kept until DEL.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::spec::{AttachmentId, CniArgs, ConfList, NetName, NetnsPath, Object, Success};

/// Why results could not be kept, read, listed or removed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ResultsError(pub Box<dyn std::error::Error + Send + Sync>);

/// An attachment as it was at ADD.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "whoever keeps it must keep all of it")]
pub struct KeptAttachment {
    /// Which interface of which container.
    pub id: AttachmentId,
    /// The container's namespace.
    pub netns: Option<NetnsPath>,
    /// `CNI_ARGS`.
    pub args: CniArgs,
    /// All capability arguments, declared or not.
    pub capability_args: Object,
    /// The final result; `None` if what was kept of it cannot be read any more.
    pub result: Option<Success>,
}

/// What keeps the attachments of a network: a cache directory, a journal, or nothing.
pub trait Results: Send + Sync {
    /// Keeps an attachment in place of what was kept of it before.
    ///
    /// # Errors
    /// When it is not kept.
    fn put(&self, list: &ConfList, attachment: &KeptAttachment) -> Result<(), ResultsError>;

    /// The attachment as it was kept, if it was.
    ///
    /// # Errors
    /// When that cannot be told.
    fn get(&self, list: &ConfList, id: &AttachmentId) -> Result<Option<KeptAttachment>, ResultsError>;

    /// Forgets an attachment, kept or not.
    ///
    /// # Errors
    /// When it is still kept.
    fn remove(&self, list: &ConfList, id: &AttachmentId) -> Result<(), ResultsError>;

    /// All attachments that are kept of this network.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn list(&self, list: &ConfList) -> Result<Vec<KeptAttachment>, ResultsError>;
}

/// Keeps nothing: for callers that keep results themselves.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct NoResults;

impl Results for NoResults {
    fn put(&self, _: &ConfList, _: &KeptAttachment) -> Result<(), ResultsError> {
        Ok(())
    }

    fn get(&self, _: &ConfList, _: &AttachmentId) -> Result<Option<KeptAttachment>, ResultsError> {
        Ok(None)
    }

    fn remove(&self, _: &ConfList, _: &AttachmentId) -> Result<(), ResultsError> {
        Ok(())
    }

    fn list(&self, _: &ConfList) -> Result<Vec<KeptAttachment>, ResultsError> {
        Ok(Vec::new())
    }
}

/// Keeps attachments as long as this value lives.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<BTreeMap<(NetName, AttachmentId), KeptAttachment>>);

impl InMemory {
    fn map(&self) -> MutexGuard<'_, BTreeMap<(NetName, AttachmentId), KeptAttachment>> {
        // Each change is one call of the map, so a panic elsewhere leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Results for InMemory {
    fn put(&self, list: &ConfList, attachment: &KeptAttachment) -> Result<(), ResultsError> {
        let key = (list.name.clone(), attachment.id.clone());
        self.map().insert(key, attachment.clone());
        Ok(())
    }

    fn get(&self, list: &ConfList, id: &AttachmentId) -> Result<Option<KeptAttachment>, ResultsError> {
        Ok(self.map().get(&(list.name.clone(), id.clone())).cloned())
    }

    fn remove(&self, list: &ConfList, id: &AttachmentId) -> Result<(), ResultsError> {
        self.map().remove(&(list.name.clone(), id.clone()));
        Ok(())
    }

    fn list(&self, list: &ConfList) -> Result<Vec<KeptAttachment>, ResultsError> {
        let map = self.map();
        let of_network = map.iter().filter(|((network, _), _)| *network == list.name);
        Ok(of_network.map(|(_, attachment)| attachment.clone()).collect())
    }
}
