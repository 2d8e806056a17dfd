//! Plugins as executables in `CNI_PATH`.

mod answer;
mod capture;
mod find;
pub(crate) mod process;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use self::answer::Answered;
use self::find::find;
pub use self::process::Group;
use super::{Call, Invoke, Operation, OwnNetns, TIMEOUT_MS, Target, Verb};
use crate::spec::{Code, Error, Object, PluginType, Success, Version, VersionInfo};

/// Runs plugins as executables that are found in the request's `CNI_PATH`.
///
/// # Guarantees
/// - A plugin has a process group of its own (see [`Group`]). At the deadline the group gets TERM, and two
///   seconds later KILL, so that what the plugin started ends with it; KILL at once in STATUS and VERSION.
/// - Nobody who keeps the plugin's stdout or stderr open after its end can hold the caller up.
/// - Memory is bounded: 16 MiB of stdout, 1 MiB of stderr.
/// - The plugin's error object is returned as it came; what it wrote to stderr is passed on when it
///   succeeded, and is in the error when it failed without an object.
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

/// Takes what a successful plugin wrote to stderr.
type Sink = Box<dyn Fn(&[u8]) + Send + Sync>;

impl Default for Exec {
    fn default() -> Self {
        Self::new()
    }
}

impl Exec {
    /// Plugins get the environment of this process, and write to its stderr.
    pub fn new() -> Self {
        Self {
            environment: None,
            group: Group::Own,
            limit: None,
            stderr: Box::new(to_stderr),
        }
    }

    /// For a plugin that delegates: whoever ends the plugin's group ends its delegates, too.
    pub fn inside_plugin() -> Self {
        Self {
            group: Group::Callers,
            ..Self::new()
        }
    }

    /// The same with `environment`, and nothing of this process', below the `CNI_` variables.
    pub fn with_environment(mut self, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.environment = Some(environment.into_iter().collect());
        self
    }

    /// The same with at most `limit` for each plugin, even when the call's own deadline is later.
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The same with `sink` for what successful plugins wrote to stderr.
    pub fn with_stderr(mut self, sink: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.stderr = Box::new(sink);
        self
    }

    /// Runs one operation and returns what came on stdout.
    fn operate(&self, operation: Operation, call: &Call<'_>) -> Result<Vec<u8>, Error> {
        let input = input(operation, call)?;
        let deadline = self.deadline(call.deadline);
        let executable = find(call.plugin, &call.target.path)?;
        let mut command = self.command(&executable, operation.as_str(), call.target);
        if let Some(deadline) = deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            command.env(TIMEOUT_MS, left.as_millis().to_string());
        }
        self.answer(call.plugin, operation.as_str(), command, &input, deadline)
    }

    fn answer(
        &self,
        plugin: &PluginType,
        word: &'static str,
        mut command: Command,
        input: &[u8],
        deadline: Option<Instant>,
    ) -> Result<Vec<u8>, Error> {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(answer::too_late(plugin, word));
        }
        // STATUS and VERSION change nothing, and whoever asks them may not be there for long.
        let grace = if matches!(word, "STATUS" | "VERSION") {
            Duration::ZERO
        } else {
            process::GRACE
        };
        let finished = process::run(&mut command, self.group, input, deadline, grace);
        let Answered { stdout, stderr } = answer::judge(plugin, word, finished)?;
        if !stderr.is_empty() {
            (self.stderr)(&stderr);
        }
        Ok(stdout)
    }

    fn deadline(&self, call: Option<Instant>) -> Option<Instant> {
        let own = self.limit.and_then(|limit| Instant::now().checked_add(limit));
        [own, call].into_iter().flatten().min()
    }

    /// The executable with its environment; later variables replace those of the base.
    fn command(&self, executable: &Path, word: &str, target: &Target) -> Command {
        let mut command = Command::new(executable);
        if let Some(environment) = &self.environment {
            command
                .env_clear()
                .envs(environment.iter().map(|(name, value)| (name, value)));
        }
        let (container, ifname) = match &target.id {
            Some(id) => (id.container.as_str(), id.ifname.as_str()),
            None => ("", ""),
        };
        let netns = target
            .netns
            .as_ref()
            .map_or(OsStr::new(""), |netns| netns.as_path().as_os_str());
        let path: Vec<&OsStr> = target.path.iter().map(|dir| dir.as_os_str()).collect();
        command
            .env_remove(TIMEOUT_MS)
            .env("CNI_COMMAND", word)
            .env("CNI_CONTAINERID", container)
            .env("CNI_NETNS", netns)
            .env("CNI_IFNAME", ifname)
            .env("CNI_ARGS", target.args.to_string())
            .env("CNI_PATH", path.join(OsStr::new(":")));
        if target.own_netns == OwnNetns::Allowed {
            command.env("CNI_NETNS_OVERRIDE", "1");
        }
        // Without one of its own, a call belongs to the trace that this process was started in.
        if !target.trace.is_empty() {
            for (name, value) in target.trace.vars() {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
        }
        command
    }
}

impl Invoke for Exec {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        let stdout = self.operate(Operation::Add, call)?;
        answer::result(call.plugin, version(call.config)?, &stdout)
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        self.operate(verb.into(), call).map(drop)
    }

    fn version(
        &self,
        plugin: &PluginType,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<VersionInfo, Error> {
        let executable = find(plugin, &target.path)?;
        let mut command = self.command(&executable, "VERSION", target);
        // Early plugins demand these for every verb, and use none of them for this one.
        for name in ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"] {
            command.env(name, "dummy");
        }
        let question = format!(r#"{{"cniVersion":"{}"}}"#, Version::V1_1_0);
        let stdout = self.answer(
            plugin,
            "VERSION",
            command,
            question.as_bytes(),
            self.deadline(deadline),
        );
        answer::versions(plugin, stdout)
    }
}

fn to_stderr(text: &[u8]) {
    // It is for people; when nobody reads it, the call has still succeeded.
    drop(std::io::stderr().write_all(text));
}

/// What goes to the plugin's stdin.
fn input(operation: Operation, call: &Call<'_>) -> Result<Vec<u8>, Error> {
    let mut config = call.config.clone();
    // A version that is none is for the plugin to refuse, and it does so in its own words.
    let prev = call.prev_said(operation, |prev| Ok(prev.encode(version(call.config)?)?))?;
    if let Some(prev) = prev {
        config.set_raw("prevResult", prev);
    }
    // The reference library writes the key a second time under its former, wrong name.
    if let (Operation::Gc, Some(valid)) = (operation, config.get("cni.dev/valid-attachments")) {
        let valid: Box<RawValue> = valid.to_owned();
        config.set_raw("cni.dev/attachments", valid);
    }
    serde_json::to_vec(&config).map_err(|error| Error::from_source(Code::INVALID_CONFIG, &error))
}

/// The version of a configuration.
fn version(config: &Object) -> Result<Version, Error> {
    let version = config.parse_key("cniVersion");
    let version = version.map_err(|error| Error::from_source(Code::INVALID_CONFIG, &error))?;
    Ok(version.unwrap_or(Version::V0_1_0))
}
