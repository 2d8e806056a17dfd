//! What a plugin's author implements, and the skeleton that runs it.
//!
//! An author implements [`Plugin`], and `main` calls [`run`]. The [front page](crate) has a plugin as short as one
//! can be, [`guide::first_plugin`](crate::guide::first_plugin) a whole one.
//!
//! Before a method is called, the skeleton has checked, in this order and as the reference's does:
//!
//! | what | code when it does not hold |
//! |---|---|
//! | the variables that the verb needs are there and valid | 4 |
//! | stdin is a JSON object of at most 16 MiB | 6 |
//! | it has a network's name, and a good one | 7 |
//! | its version is one that the plugin takes, and has the verb | 1 |
//! | the container's namespace is not the plugin's own | 8 |
//! | `prevResult` is a result of that version (DEL goes on without one) | 6 |
//! | the configuration can be decoded | 7 |
//!
//! In a method, [`Rollback`] undoes an ADD that fails, [`Teardown`] runs every step of a DEL, and methods of the
//! request, such as [`Add::delegate_add`], have another plugin do a part of the work.
//!
//! A plugin that is linked into a program is run by [`Builtin`](crate::invoke::Builtin), through the same checks.
//! [`DynPlugin`] is any plugin, whatever its configuration. A plugin that awaits is an [`AsyncPlugin`], and
//! [`Blocking`] makes a [`DynPlugin`] of it.

mod asynchronous;
mod checked;
mod checks;
mod delegate;
mod environment;
mod erased;
mod request;
mod skeleton;
mod undo;
mod unknown;

/// The attribute that an implementation of [`AsyncPlugin`] stands under.
pub use async_trait::async_trait;
pub use asynchronous::{AsyncPlugin, Blocking, Outcome, Pending};
pub(crate) use checked::{Checked, Unchecked};
pub use erased::{DynPlugin, PANICKED, Request};
pub(crate) use erased::{NO_MESSAGE, panic_text};
pub use request::{Add, Check, Del, Env, Gc, Status};
pub use skeleton::{Host, run, run_on, run_with};
pub use undo::{Rollback, Teardown};

use serde::de::DeserializeOwned;

use crate::spec::{Error, Success, Version};

/// One CNI plugin. The skeleton has parsed and checked everything before a method is called.
///
/// It is blocking: a plugin is a process that lives for milliseconds, and inside a daemon it runs
/// on a blocking thread.
pub trait Plugin: Send + Sync {
    /// The plugin's keys of the configuration. Defaults are serde's; keys match without regard to case, and unknown
    /// ones are ignored.
    type Config: DeserializeOwned;

    /// The plugin's `type`.
    const NAME: &'static str;

    /// The versions that the plugin takes, lowest first.
    const VERSIONS: &'static [Version] = Version::ALL;

    /// Makes the interface, or changes it when chained, and answers what there is now.
    ///
    /// # Errors
    /// Any code, the plugin's own from 100 on. Whatever was made has been undone before, by a [`Rollback`] for
    /// instance.
    fn add(&self, request: Add<'_, Self::Config>) -> Result<Success, Error>;

    /// Removes what ADD made. Must succeed when there is nothing left to delete.
    ///
    /// # Errors
    /// When something is left. Everything that could be removed has been, by a [`Teardown`] for instance.
    fn del(&self, request: Del<'_, Self::Config>) -> Result<(), Error>;

    /// Compares what there is with `request.prev`.
    ///
    /// # Errors
    /// When something is missing or differs.
    fn check(&self, request: Check<'_, Self::Config>) -> Result<(), Error>;

    /// Says whether ADD could be served.
    ///
    /// # Errors
    /// Code 50 or 51 when it could not.
    fn status(&self, request: Status<'_, Self::Config>) -> Result<(), Error> {
        let _ = request;
        Ok(())
    }

    /// Deletes everything of this network that is not in `request.valid`.
    ///
    /// # Errors
    /// When something could not be deleted. The rest has been.
    fn gc(&self, request: Gc<'_, Self::Config>) -> Result<(), Error> {
        let _ = request;
        Ok(())
    }
}
