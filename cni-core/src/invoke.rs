//! How a plugin named by its `type` is run.
//!
//! | | the plugin is |
//! |---|---|
//! | [`Exec`] | an executable in `CNI_PATH`, as for every runtime |
//! | [`Builtin`] | linked into this program: no process, no JSON |
//! | `Dylib` (feature `dylib`) | a shared library in `CNI_PATH` |
//! | [`Resolver`] | one of these, depending on its type |
//!
//! All of them implement [`Invoke`], and a plugin cannot tell them apart. A runtime hands one to
//! [`Runtime`](crate::chain::Runtime), and a plugin that delegates uses the one that it was run by. [`Call`] and
//! [`Target`] concern only those who implement [`Invoke`] themselves, or run a single plugin without a list.

mod builtin;
#[cfg(feature = "dylib")]
mod dylib;
mod exec;
mod find;
mod operation;
mod resolver;
mod trace;
mod wire;

pub use builtin::Builtin;
#[cfg(feature = "dylib")]
pub use dylib::Dylib;
#[cfg(feature = "dylib")]
pub(crate) use dylib::Trusted;
pub use exec::Exec;
#[cfg(feature = "testkit")]
pub(crate) use exec::Group;
#[cfg(feature = "testkit")]
pub(crate) use exec::process;
pub use operation::Operation;
pub use resolver::{Choice, Resolver};
pub use trace::TraceContext;
#[cfg(feature = "dylib")]
pub(crate) use wire::{MOST_STDERR, MOST_STDOUT};

use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Instant;

use crate::spec::{
    AttachmentId, CniArgs, Error, NetnsPath, Object, PluginType, Success, VersionInfo, with_causes,
};

/// The verbs without a result: [`Operation`] without ADD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new verb is a new version of the specification"
)]
pub enum Verb {
    /// CHECK.
    Check,
    /// DEL.
    Del,
    /// GC.
    Gc,
    /// STATUS.
    Status,
}

/// One call of a plugin: what `Exec` writes to environment and stdin, and `Builtin` hands on typed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call<'a> {
    /// The plugin's `type`.
    pub plugin: &'a PluginType,
    /// The complete configuration: the plugin's keys, `cniVersion`, `name`, `runtimeConfig`, and for GC
    /// `cni.dev/valid-attachments`; never `prevResult`.
    pub config: &'a Object,
    /// What goes to the plugin as `prevResult`, in the configuration's version.
    pub prev: Option<&'a Success>,
    /// What the call is about, and where its delegates are.
    pub target: &'a Target,
    /// When the caller stops waiting; `None` if it waits for as long as it takes.
    pub deadline: Option<Instant>,
}

impl<'a> Call<'a> {
    /// A call without an earlier result, and without a deadline.
    pub fn new(plugin: &'a PluginType, config: &'a Object, target: &'a Target) -> Self {
        Self {
            plugin,
            config,
            prev: None,
            target,
            deadline: None,
        }
    }

    /// `prev` as it goes to the plugin: `convert` brings it into the configuration's version, which may lose some of it.
    ///
    /// If that version has no place for the result at all, the call fails; DEL goes on without it.
    fn convert_prev<T>(
        &self,
        operation: Operation,
        convert: impl FnOnce(&Success) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.prev.map(convert).transpose() {
            Err(error) if operation == Operation::Del => {
                tracing::warn!(plugin = self.plugin.as_str(), error = %with_causes(&error), "DEL without prevResult");
                Ok(None)
            }
            prev => prev,
        }
    }
}

/// What the environment of a call says.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Target {
    /// `CNI_CONTAINERID` and `CNI_IFNAME`; none for GC and STATUS.
    pub id: Option<AttachmentId>,
    /// `CNI_NETNS`; none for GC and STATUS, perhaps none for DEL.
    pub netns: Option<NetnsPath>,
    /// `CNI_ARGS`.
    pub args: CniArgs,
    /// `CNI_PATH`.
    pub path: Vec<PathBuf>,
    /// `CNI_NETNS_OVERRIDE`.
    pub own_netns: OwnNetns,
    /// `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`.
    pub trace: TraceContext,
}

impl Target {
    /// What ADD, CHECK and DEL of an attachment are about. There is no namespace at a DEL that comes after its end.
    pub fn of(id: AttachmentId, netns: Option<NetnsPath>) -> Self {
        Self {
            id: Some(id),
            netns,
            ..Self::default()
        }
    }
}

/// Whether [`Target::netns`] may be the namespace of the plugin itself: what is meant for a container must
/// not happen to the host, unless somebody says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum OwnNetns {
    /// `CNI_NETNS_OVERRIDE` is `1` or `true`.
    Allowed,
    /// The call fails with code 8.
    #[default]
    Refused,
}

/// The deadline for undoing a call that has until `deadline`: never sooner than two seconds from now, the time that an
/// executable has between TERM and KILL.
pub(crate) fn time_to_undo(deadline: Option<Instant>) -> Option<Instant> {
    let soon = Instant::now() + exec::process::GRACE;
    deadline.map(|deadline| deadline.max(soon))
}

/// The variable that tells a plugin how many milliseconds its caller waits. It is not in the specification: a plugin that
/// does not know it is ended at the deadline all the same.
pub(crate) const TIMEOUT_MS: &str = "PLEXUS_TIMEOUT_MS";

/// A way to run plugins: as executables, linked in, or the caller's own.
pub trait Invoke: Debug + Send + Sync {
    /// Runs ADD and returns the result.
    ///
    /// # Errors
    /// The plugin's own error unchanged, or why it could not be run.
    fn add(&self, call: &Call<'_>) -> Result<Success, Error>;

    /// Runs a verb without a result.
    ///
    /// # Errors
    /// As for [`Invoke::add`].
    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error>;

    /// Asks which versions the plugin takes; `deadline` is when the caller stops waiting.
    ///
    /// # Errors
    /// As for [`Invoke::add`].
    fn version(
        &self,
        plugin: &PluginType,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<VersionInfo, Error>;

    /// Looks for the plugin without running it. One that is linked in is also asked whether it takes `config`, which is
    /// complete as in [`Call::config`].
    ///
    /// Whoever makes several attachments calls this for all of them first: otherwise a plugin that is missing would be
    /// noticed when others have been run, and could not be asked to undo anything.
    ///
    /// # Errors
    /// What running the plugin would answer. The provided method finds no fault with any.
    fn locate(&self, _plugin: &PluginType, _config: &Object, _path: &[PathBuf]) -> Result<(), Error> {
        Ok(())
    }
}
