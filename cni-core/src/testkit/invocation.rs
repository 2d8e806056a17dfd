//! One call of a plugin, as a runtime makes it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{fmt, io};

use super::Outcome;
use crate::invoke::process::{self, End};
use crate::invoke::{Group, Invoke, TIMEOUT_MS};
use crate::plugin::{DynPlugin, Host, run_on};
use crate::spec::{Code, Error, Object, Success, Version};

/// What surrounds one call of a plugin: its environment, and how it runs other plugins.
///
/// Values are not looked at, so a call may be as wrong as a test needs it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Invocation<'a> {
    env: BTreeMap<String, OsString>,
    invoke: Option<&'a dyn Invoke>,
    prev: Option<Success>,
}

/// Longer than any plugin takes: a test that hangs tells nobody why.
const PATIENCE: Duration = Duration::from_secs(60);

impl<'a> Invocation<'a> {
    /// A complete environment for `verb`: container `c1`, interface `eth0`, namespace `/nowhere/ns` and path
    /// `/nowhere/bin`, neither of which exists.
    pub fn new(verb: &str) -> Self {
        Self::empty()
            .with_env("CNI_COMMAND", verb)
            .with_env("CNI_CONTAINERID", "c1")
            .with_env("CNI_NETNS", "/nowhere/ns")
            .with_env("CNI_IFNAME", "eth0")
            .with_env("CNI_PATH", "/nowhere/bin")
    }

    /// No environment at all: how a person calls a plugin.
    pub fn empty() -> Self {
        Self {
            env: BTreeMap::new(),
            invoke: None,
            prev: None,
        }
    }

    /// The same with a variable set, or set to something else.
    pub fn with_env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// The same without a variable.
    pub fn without_env(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// The same with `invoke` for the plugin's delegates, instead of executables in `CNI_PATH`. It is for
    /// [`run`](Self::run) alone.
    pub fn with_invoke(mut self, invoke: &'a dyn Invoke) -> Self {
        self.invoke = Some(invoke);
        self
    }

    /// The same with the result of the plugin before, which is put into the configuration in the configuration's
    /// version.
    pub fn with_prev(mut self, prev: Success) -> Self {
        self.prev = Some(prev);
        self
    }

    /// Calls `plugin` in memory: everything that an executable does but for the process.
    pub fn run(&self, plugin: &dyn DynPlugin, stdin: impl AsRef<[u8]>) -> Outcome {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let host = Host {
            env: &|name| self.env.get(name).cloned(),
            stdin: &mut &*self.input(stdin.as_ref()),
            stdout: &mut stdout,
            stderr: &mut stderr,
            invoke: self.invoke,
        };
        let exit = i32::from(run_on(plugin, host) != ExitCode::SUCCESS);
        Outcome::new(Some(exit), stdout, stderr)
    }

    /// Calls an executable. Of the environment of this process it has all but the `CNI_` variables and the deadline
    /// of a call.
    ///
    /// # Errors
    /// When it cannot be started. One that runs for a minute is killed, and its exit code is `None`.
    pub fn exec(&self, path: &Path, stdin: impl AsRef<[u8]>) -> io::Result<Outcome> {
        let mut command = Command::new(path);
        for name in [
            "CNI_COMMAND",
            "CNI_CONTAINERID",
            "CNI_NETNS",
            "CNI_IFNAME",
            "CNI_ARGS",
            "CNI_PATH",
            "CNI_NETNS_OVERRIDE",
            TIMEOUT_MS,
        ] {
            command.env_remove(name);
        }
        command.envs(&self.env);
        let deadline = Instant::now().checked_add(PATIENCE);
        let finished = process::run(
            &mut command,
            Group::Own,
            &self.input(stdin.as_ref()),
            deadline,
            process::GRACE,
        )?;
        let exit = match finished.end {
            End::Exited(status) => status.code(),
            End::Overflow | End::Timeout(_) => None,
        };
        Ok(Outcome::new(exit, finished.stdout, finished.stderr))
    }

    /// What goes to stdin.
    #[track_caller]
    fn input<'s>(&self, stdin: &'s [u8]) -> Cow<'s, [u8]> {
        let Some(prev) = &self.prev else {
            return Cow::Borrowed(stdin);
        };
        let with_prev = || -> Result<String, Error> {
            let mut config = Object::from_slice(stdin).map_err(|e| Error::from_source(Code::DECODING, &e))?;
            let version = config.parse_key("cniVersion").ok().flatten();
            config.set_raw("prevResult", prev.encode(version.unwrap_or(Version::V0_1_0))?);
            Ok(config.to_string())
        };
        match with_prev() {
            Ok(text) => Cow::Owned(text.into_bytes()),
            Err(error) => panic!("put prevResult into the configuration: {error}"),
        }
    }
}

impl fmt::Display for Invocation<'_> {
    /// As a person would write it at a prompt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.env
            .iter()
            .try_for_each(|(name, value)| write!(f, "{name}={value:?} "))
    }
}
