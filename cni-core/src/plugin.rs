//! What a plugin's author implements, and the skeleton that runs it.
//!
//! ```no_run
//! use cni_core::plugin::{Add, Check, Del, Plugin, run};
//! use cni_core::spec::{Error, Interface, Success};
//!
//! struct Nothing;
//!
//! #[derive(serde::Deserialize)]
//! struct Config {
//!     #[serde(default)]
//!     mtu: Option<u32>,
//! }
//!
//! impl Plugin for Nothing {
//!     type Config = Config;
//!     const NAME: &'static str = "nothing";
//!
//!     fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
//!         let mut interface = Interface::new(request.id.ifname.as_str());
//!         interface.mtu = request.config.mtu;
//!         let mut result = request.prev.unwrap_or_default();
//!         result.interfaces.push(interface);
//!         Ok(result)
//!     }
//!
//!     fn del(&self, _: Del<'_, Config>) -> Result<(), Error> {
//!         Ok(())
//!     }
//!
//!     fn check(&self, _: Check<'_, Config>) -> Result<(), Error> {
//!         Ok(())
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     run(&Nothing)
//! }
//! ```
//!
//! A plugin that is linked into a program is run by [`Builtin`](crate::invoke::Builtin), through the same
//! checks; a table of plugins, of whatever type, is one of [`DynPlugin`]s, and [`run`] takes these as well.
//! A plugin that awaits is an [`AsyncPlugin`], and [`Blocking`] makes a [`DynPlugin`] of it.

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
    /// The plugin's configuration, its defaults in serde; keys match without regard to case and
    /// unknown ones are ignored.
    type Config: DeserializeOwned;

    /// The plugin's `type`.
    const NAME: &'static str;

    /// The versions that the plugin takes, lowest first.
    const VERSIONS: &'static [Version] = Version::ALL;

    /// Makes the interface, or changes it when chained, and answers what there is now.
    ///
    /// # Errors
    /// Whatever was made is undone before an error is returned.
    fn add(&self, request: Add<'_, Self::Config>) -> Result<Success, Error>;

    /// Removes what ADD made. Must succeed when there is nothing left to delete.
    ///
    /// # Errors
    /// When something is left; everything that could be removed has been.
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
    /// All that could not be deleted; the rest has been.
    fn gc(&self, request: Gc<'_, Self::Config>) -> Result<(), Error> {
        let _ = request;
        Ok(())
    }
}
