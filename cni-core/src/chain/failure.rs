//! What is done after a plugin has failed.

use std::time::Duration;

/// What [`add()`](super::add()) does about the plugins that it has called, when it fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailedAdd {
    /// Nothing: the specification has the runtime follow a failed ADD with a DEL.
    #[default]
    Leave,
    /// Each gets DEL, last first and the one that failed included, with the result so far. They have
    /// this much time together, for that of ADD may be over.
    Undo(Duration),
}

/// What [`del()`](super::del()) does after a plugin has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailedDel {
    /// Goes on with the plugins before it, which would leave what they made otherwise, and reports all
    /// failures.
    GoOn,
    /// Stops, as the specification has it: the plugins before it are called once it succeeds.
    #[default]
    Stop,
}
