//! What a plugin is told in bytes and answers in bytes, be it an executable or a library.

use std::ffi::{OsStr, OsString};
use std::io::Write;
#[cfg(feature = "dylib")]
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::{Call, Operation, OwnNetns, TIMEOUT_MS, Target};
use crate::plugin::NO_MESSAGE;
use crate::spec::{Code, Error, Object, PluginType, Success, Version, VersionInfo, shortened};

/// The most bytes of stdout that are kept: more than any result.
pub(crate) const MOST_STDOUT: usize = 16 << 20;
/// The most bytes of stderr that are kept: more than anybody reads.
pub(crate) const MOST_STDERR: usize = 1 << 20;

/// Takes what a plugin wrote to stderr.
pub(super) type Sink = Box<dyn Fn(&[u8]) + Send + Sync>;

/// The sink that is stderr of this process.
pub(super) fn to_stderr(text: &[u8]) {
    // It is for people: if nobody reads it, the call has ended no worse.
    drop(std::io::stderr().write_all(text));
}

/// One run of a plugin: what goes to it, and until when it is waited for.
pub(super) struct Run<'a> {
    pub(super) plugin: &'a PluginType,
    /// `CNI_COMMAND`.
    pub(super) word: &'static str,
    target: &'a Target,
    pub(super) input: Vec<u8>,
    pub(super) deadline: Option<Instant>,
}

impl<'a> Run<'a> {
    /// The run of an operation, within its own deadline and `limit` from now.
    pub(super) fn of(operation: Operation, call: &Call<'a>, limit: Option<Duration>) -> Result<Self, Error> {
        Ok(Self {
            plugin: call.plugin,
            word: operation.as_str(),
            target: call.target,
            input: input(operation, call)?,
            deadline: earlier(call.deadline, limit),
        })
    }

    /// The question which versions a plugin takes.
    pub(super) fn version(
        plugin: &'a PluginType,
        target: &'a Target,
        deadline: Option<Instant>,
        limit: Option<Duration>,
    ) -> Self {
        Self {
            plugin,
            word: "VERSION",
            target,
            input: format!(r#"{{"cniVersion":"{}"}}"#, Version::V1_1_0).into_bytes(),
            deadline: earlier(deadline, limit),
        }
    }

    /// Whether it belongs to a trace of its own.
    pub(super) fn is_traced(&self) -> bool {
        !self.target.trace.is_empty()
    }

    /// Where the plugin is looked for.
    pub(super) fn path(&self) -> &'a [PathBuf] {
        &self.target.path
    }

    /// The variables of the run.
    pub(super) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let (container, ifname) = match &self.target.id {
            Some(id) => (id.container.as_str(), id.ifname.as_str()),
            None => ("", ""),
        };
        let netns = self.target.netns.as_ref();
        let netns = netns.map_or(OsStr::new(""), |netns| netns.as_path().as_os_str());
        let path: Vec<&OsStr> = self.path().iter().map(|dir| dir.as_os_str()).collect();
        // Early plugins demand these for every verb, and use none of them for this one.
        let [container, netns, ifname] = match self.word {
            "VERSION" => [OsStr::new("dummy"); 3],
            _ => [container.as_ref(), netns, ifname.as_ref()],
        };
        let mut variables = vec![
            ("CNI_COMMAND", self.word.into()),
            ("CNI_CONTAINERID", container.into()),
            ("CNI_NETNS", netns.into()),
            ("CNI_IFNAME", ifname.into()),
            ("CNI_ARGS", self.target.args.to_string().into()),
            ("CNI_PATH", path.join(OsStr::new(":"))),
        ];
        if self.target.own_netns == OwnNetns::Allowed {
            variables.push(("CNI_NETNS_OVERRIDE", "1".into()));
        }
        let traced = self.target.trace.vars();
        variables.extend(traced.map(|(name, value)| (name, value.into())));
        if let Some(left) = self.left() {
            variables.push((TIMEOUT_MS, left.as_millis().to_string().into()));
        }
        variables
    }

    /// The variables as a process has them in memory, each with a NUL behind it; `None` if a value holds a NUL.
    #[cfg(feature = "dylib")]
    pub(super) fn environment(&self) -> Option<Vec<u8>> {
        let variables = self.variables();
        if variables.iter().any(|(_, value)| value.as_bytes().contains(&0)) {
            return None;
        }
        let mut environment = Vec::with_capacity(512);
        for (name, value) in variables {
            for part in [name.as_bytes(), b"=", value.as_bytes(), b"\0"] {
                environment.extend_from_slice(part);
            }
        }
        Some(environment)
    }

    /// How long it is still waited for.
    pub(super) fn left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Fails when the time is up before the plugin was started.
    pub(super) fn in_time(&self) -> Result<(), Error> {
        in_time(self.plugin, self.word, self.deadline)
    }

    /// The code of being late.
    pub(super) fn late(&self) -> Code {
        late(self.word)
    }
}

/// Fails when the time is up before a plugin was started.
pub(super) fn in_time(plugin: &PluginType, word: &str, deadline: Option<Instant>) -> Result<(), Error> {
    if deadline.is_none_or(|deadline| deadline > Instant::now()) {
        return Ok(());
    }
    let msg = format!("no time was left for {word} of plugin {:?}", plugin.as_str());
    Err(Error::new(late(word), msg))
}

/// The code of being late. Another try may find more time; STATUS has a code of its own for a plugin that
/// cannot serve.
fn late(word: &str) -> Code {
    match word {
        "STATUS" => Code::UNAVAILABLE,
        _ => Code::TRY_AGAIN,
    }
}

fn earlier(deadline: Option<Instant>, limit: Option<Duration>) -> Option<Instant> {
    let limit = limit.and_then(|limit| Instant::now().checked_add(limit));
    [deadline, limit].into_iter().flatten().min()
}

/// What goes to the plugin's stdin.
fn input(operation: Operation, call: &Call<'_>) -> Result<Vec<u8>, Error> {
    let mut config = call.config.clone();
    // The version matters to a `prev` alone: otherwise a bad one is for the plugin to refuse, in its own words.
    let prev = call.convert_prev(operation, |prev| Ok(prev.encode(version(call.config)?)?))?;
    if let Some(prev) = prev {
        config.set_raw("prevResult", prev);
    }
    // The reference library writes the key a second time under its former, wrong name.
    if let (Operation::Gc, Some(valid)) = (operation, config.get("cni.dev/valid-attachments")) {
        let valid: Box<RawValue> = valid.to_owned();
        config.set_raw("cni.dev/attachments", valid);
    }
    // Of a usual length, so that it need not grow.
    let mut input = Vec::with_capacity(4096);
    match serde_json::to_writer(&mut input, &config) {
        Ok(()) => Ok(input),
        Err(error) => Err(Error::from_source(Code::INVALID_CONFIG, &error)),
    }
}

/// The version of a configuration.
fn version(config: &Object) -> Result<Version, Error> {
    let version = config.parse_key("cniVersion");
    let version = version.map_err(|error| Error::from_source(Code::INVALID_CONFIG, &error))?;
    Ok(version.unwrap_or(Version::V0_1_0))
}

/// The failure of a plugin that never stopped writing.
pub(super) fn overflow(plugin: &PluginType, stderr: &str) -> Error {
    let msg = format!("plugin {:?} wrote more than 16 MiB", plugin.as_str());
    Error::new(Code::IO, msg).with_details(shortened(stderr))
}

/// What a plugin wrote to stdout, if it ended well; `status` says how it ended else.
///
/// `sink` gets what it wrote to stderr, unless that is all there is to make an error of.
pub(super) fn ended(
    plugin: &PluginType,
    status: Result<(), String>,
    stdout: Vec<u8>,
    stderr: &[u8],
    sink: &Sink,
) -> Result<Vec<u8>, Error> {
    let text = String::from_utf8_lossy(stderr);
    let failed = status.map_err(|status| failure(plugin, &stdout, text.trim(), &status));
    if !stderr.is_empty() && (failed.is_ok() || !stdout.trim_ascii().is_empty()) {
        sink(stderr);
    }
    failed.map(|()| stdout)
}

/// The plugin's own error object, or what can be said without one. The texts begin as the reference's.
fn failure(plugin: &PluginType, stdout: &[u8], stderr: &str, status: &str) -> Error {
    if let Ok(object) = Object::from_slice(stdout)
        && let Ok(error) = object.parse::<Error>()
        // An object of another kind is an error that says nothing.
        && !error.says_nothing()
    {
        return error;
    }
    let stdout = String::from_utf8_lossy(stdout);
    let msg = match (stdout.trim(), stderr) {
        ("", "") => NO_MESSAGE.to_owned(),
        ("", stderr) => format!("netplugin failed: {:?}", shortened(stderr)),
        (stdout, _) => {
            let stdout = shortened(stdout);
            format!("netplugin failed but its diagnostic message is no error object: {stdout:?}")
        }
    };
    Error::new(Code::UNKNOWN, msg).with_details(format!("plugin {:?}: {status}", plugin.as_str()))
}

/// The result of ADD, in the version that it names itself, else in the configuration's.
pub(super) fn result(call: &Call<'_>, stdout: &[u8]) -> Result<Success, Error> {
    let version = version(call.config)?;
    let undecodable = |details: String| {
        let msg = format!("decode result of plugin {:?}", call.plugin.as_str());
        Error::new(Code::DECODING, msg).with_details(details)
    };
    if stdout.trim_ascii().is_empty() {
        return Err(undecodable("no output".to_owned()));
    }
    Success::decode(version, stdout).map_err(|error| undecodable(Error::from(error).to_string()))
}

/// The answer to VERSION; plugins older than the verb refuse it, and take 0.1.0.
pub(super) fn versions(plugin: &PluginType, stdout: Result<Vec<u8>, Error>) -> Result<VersionInfo, Error> {
    let stdout = match stdout {
        Ok(stdout) => stdout,
        Err(error) if error.msg == "unknown CNI_COMMAND: VERSION" => {
            return Ok(VersionInfo::new(Version::V0_1_0, &[Version::V0_1_0]));
        }
        Err(error) => return Err(error),
    };
    VersionInfo::decode(&stdout).map_err(|error| {
        let msg = format!("decode versions of plugin {:?}", plugin.as_str());
        let cause = Error::from_source(Code::DECODING, &error);
        Error::new(Code::DECODING, msg).with_details(cause.to_string())
    })
}
