//! Plugins as executables in `CNI_PATH`.

mod answer;
mod capture;
pub(crate) mod process;

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fmt, fs};

pub(crate) use self::process::Group;
use super::find::find;
use super::wire::{self, Run, Sink};
use super::{Call, Invoke, Operation, TIMEOUT_MS, Target, TraceContext, Verb};
use crate::spec::{Error, Object, PluginType, Success, VersionInfo};

/// Runs plugins as executables that are found in the request's `CNI_PATH`.
///
/// # Guarantees
/// - A plugin has a process group of its own, but for [`Exec::inside_plugin`]. At the deadline the group gets TERM,
///   and two seconds later KILL, so that what the plugin started ends with it; KILL at once in STATUS and VERSION.
/// - Nobody who keeps the plugin's stdout or stderr open after its end can hold the caller up.
/// - Memory is bounded: 16 MiB of stdout, 1 MiB of stderr.
/// - The plugin's error object is returned as it came; what it wrote to stderr is passed on, or is in the
///   error when it failed without a word on stdout.
///
/// # Assumptions
/// Without a deadline in the call and without [`Exec::with_limit`] a plugin may take as long as it likes.
#[must_use]
pub struct Exec {
    environment: Option<Vec<(OsString, OsString)>>,
    group: Group,
    limit: Option<Duration>,
    stderr: Sink,
}

impl Default for Exec {
    fn default() -> Self {
        Self::new()
    }
}

impl Exec {
    /// Plugins get the environment of this process. What they write to stderr goes to its stderr.
    pub fn new() -> Self {
        Self {
            environment: None,
            group: Group::Own,
            limit: None,
            stderr: Box::new(wire::to_stderr),
        }
    }

    /// As [`Exec::new`], for a plugin that delegates: its delegates stay in its process group, so that whoever ends the
    /// plugin ends them, too.
    pub fn inside_plugin() -> Self {
        Self {
            group: Group::Callers,
            ..Self::new()
        }
    }

    /// The same with `environment` in place of this process' own. The variables of the call are set on top of it.
    pub fn with_environment(mut self, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.environment = Some(environment.into_iter().collect());
        self
    }

    /// The same with at most `limit` for each plugin, even when the call's own deadline is later.
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The same with `sink` for what plugins wrote to stderr.
    pub fn with_stderr(mut self, sink: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.stderr = Box::new(sink);
        self
    }

    /// What the executable wrote to stdout, if it succeeded.
    fn stdout(&self, run: &Run<'_>) -> Result<Vec<u8>, Error> {
        let executable = find(run.plugin.as_str(), run.path(), is_executable)?;
        run.in_time()?;
        let mut command = self.command(&executable, run);
        // STATUS and VERSION change nothing, and whoever asks them may not be there for long.
        let grace = match run.word {
            "STATUS" | "VERSION" => Duration::ZERO,
            _ => process::GRACE,
        };
        let finished = process::run(&mut command, self.group, &run.input, run.deadline, grace);
        answer::judge(run, finished, &self.stderr)
    }

    /// The executable with its environment; later variables replace those of the base.
    fn command(&self, executable: &Path, run: &Run<'_>) -> Command {
        let mut command = Command::new(executable);
        if let Some(environment) = &self.environment {
            let environment = environment.iter().map(|(name, value)| (name, value));
            command.env_clear().envs(environment);
        }
        // Without one of its own, a call belongs to the trace that this process was started in.
        if run.is_traced() {
            for name in TraceContext::NAMES {
                command.env_remove(name);
            }
        }
        // If this process has these two, they are about the call that it serves, not about this one.
        command
            .env_remove(TIMEOUT_MS)
            .env_remove("CNI_NETNS_OVERRIDE")
            .envs(run.variables());
        command
    }
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, limit, .. } = self;
        f.debug_struct("Exec")
            .field("group", group)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

impl Invoke for Exec {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        let stdout = self.stdout(&Run::of(Operation::Add, call, self.limit)?)?;
        wire::result(call, &stdout)
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        self.stdout(&Run::of(verb.into(), call, self.limit)?).map(drop)
    }

    fn version(
        &self,
        plugin: &PluginType,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<VersionInfo, Error> {
        let stdout = self.stdout(&Run::version(plugin, target, deadline, self.limit));
        wire::versions(plugin, stdout)
    }

    fn locate(&self, plugin: &PluginType, _: &Object, path: &[PathBuf]) -> Result<(), Error> {
        find(plugin.as_str(), path, is_executable).map(drop)
    }
}
