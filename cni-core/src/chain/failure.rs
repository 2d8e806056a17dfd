//! What is done after a plugin has failed.

use std::time::Duration;

/// What [`add()`](super::add()) does about the plugins that it has called, when it fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailedAdd {
    /// Nothing: the specification has the runtime follow a failed ADD with a DEL.
    #[default]
    Leave,
    /// Each gets DEL with the result so far, the last first, the one that failed included. Together they have this much
    /// time, since the deadline of ADD may have passed.
    ///
    /// DEL knows no first and second ADD: of an attachment that was there before, this leaves nothing. A runtime
    /// that may be asked for it again looks at what is kept first.
    Undo(Duration),
}

/// What [`del()`](super::del()) does after a plugin has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailedDel {
    /// Goes on with the plugins before it in the list, so that they remove what they made, and reports all failures.
    GoOn,
    /// Stops, as the specification has it. The plugins before it in the list get their DEL when another try gets past
    /// this one.
    #[default]
    Stop,
}
