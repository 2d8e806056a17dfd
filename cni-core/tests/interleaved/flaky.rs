//! A place for results that fails as planned.

use cni_core::chain::{KeptAttachment, Results, ResultsError};
use cni_core::spec::{AttachmentId, ConfList};

use crate::keeper::{When, World};

/// Keeps results in `inner`, and counts as one more thing of the world that may fail.
pub(crate) struct Flaky<R> {
    pub(crate) inner: R,
    world: World,
}

impl<R> Flaky<R> {
    pub(crate) fn new(inner: R, world: World) -> Self {
        Self { inner, world }
    }

    fn act<T>(&self, effect: impl FnOnce(&R) -> Result<T, ResultsError>) -> Result<T, ResultsError> {
        let failed = || ResultsError("as planned".into());
        match self.world.call() {
            None => effect(&self.inner),
            Some(When::Before) => Err(failed()),
            Some(When::After | When::Panicking) => effect(&self.inner).and_then(|_| Err(failed())),
        }
    }
}

impl<R: Results> Results for Flaky<R> {
    fn put(&self, list: &ConfList, attachment: &KeptAttachment) -> Result<(), ResultsError> {
        self.act(|inner| inner.put(list, attachment))
    }

    fn get(&self, list: &ConfList, id: &AttachmentId) -> Result<Option<KeptAttachment>, ResultsError> {
        self.act(|inner| inner.get(list, id))
    }

    fn remove(&self, list: &ConfList, id: &AttachmentId) -> Result<(), ResultsError> {
        self.act(|inner| inner.remove(list, id))
    }

    fn list(&self, list: &ConfList) -> Result<Vec<KeptAttachment>, ResultsError> {
        self.act(|inner| inner.list(list))
    }
}
