//! The program around a plugin: environment and stdin in, stdout and exit code out.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::DynPlugin;
use super::checked::Unchecked;
use super::checks::{network, text, undecodable};
use super::environment::{Command, Environment};
use crate::invoke::{Exec, Invoke, Operation};
use crate::spec::{Code, Error, Object, Success, Version, VersionInfo, with_causes};

/// What surrounds a plugin that is run as a program.
pub struct Host<'a> {
    /// Looks a variable of the environment up.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// Where the configuration comes from.
    pub stdin: &'a mut dyn Read,
    /// Where the result or the error goes.
    pub stdout: &'a mut dyn Write,
    /// Where everything for people goes.
    pub stderr: &'a mut dyn Write,
    /// How other plugins are run; as executables in `CNI_PATH` when it is `None`.
    pub invoke: Option<&'a dyn Invoke>,
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

/// Runs a plugin as this process: the whole of a plugin's `main`.
///
/// The exit code is 0 on success. Otherwise it is 1, and an error object is on stdout.
pub fn run(plugin: &dyn DynPlugin) -> ExitCode {
    run_in_process(plugin, None)
}

/// As [`run`], with other plugins run by `invoke`.
pub fn run_with(plugin: &dyn DynPlugin, invoke: &dyn Invoke) -> ExitCode {
    run_in_process(plugin, Some(invoke))
}

fn run_in_process(plugin: &dyn DynPlugin, invoke: Option<&dyn Invoke>) -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    let env = |name: &str| std::env::var_os(name);
    // VERSION needs no input: a person types none, and a caller may leave the pipe open for ever.
    let unattended = env("CNI_COMMAND").is_some_and(|c| c == "VERSION") && is_silent(&io::stdin());
    let mut stdin: Box<dyn Read> = if unattended {
        Box::new(io::empty())
    } else {
        Box::new(io::stdin())
    };
    run_on(
        plugin,
        Host {
            env: &env,
            stdin: &mut *stdin,
            stdout: &mut io::stdout(),
            stderr: &mut io::stderr(),
            invoke,
        },
    )
}

/// Whether nothing comes from `input` for half a second, not even its end.
fn is_silent(input: &impl AsFd) -> bool {
    let patience = Timespec {
        tv_sec: 0,
        tv_nsec: 500_000_000,
    };
    poll(&mut [PollFd::new(input, PollFlags::IN)], Some(&patience)) == Ok(0)
}

/// As [`run`], with everything that surrounds the plugin passed in.
pub fn run_on(plugin: &dyn DynPlugin, host: Host<'_>) -> ExitCode {
    let Host {
        env,
        stdin,
        stdout,
        stderr,
        invoke,
    } = host;
    let exec = Exec::inside_plugin();
    let mut skeleton = Skeleton {
        plugin,
        invoke: invoke.unwrap_or(&exec),
        version: highest(plugin),
    };
    let outcome = skeleton.serve(env, stdin, stderr);
    let (answer, code) = match outcome {
        Ok(answer) => (answer, ExitCode::SUCCESS),
        Err(error) => (error.answer(skeleton.version), ExitCode::FAILURE),
    };
    match stdout.write_all(answer.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => code,
        Err(error) => {
            // Stdout is gone, so the caller will never learn of a success: this is a failure.
            drop(writeln!(stderr, "write answer: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// More than any configuration; a bound, so that a caller cannot fill the memory.
const LONGEST_INPUT: u64 = 16 << 20;

struct Skeleton<'a> {
    plugin: &'a dyn DynPlugin,
    invoke: &'a dyn Invoke,
    /// The version in which errors are written: the configuration's as soon as it is known to be good.
    version: Version,
}

impl Skeleton<'_> {
    /// The answer for stdout.
    fn serve(
        &mut self,
        env: &dyn Fn(&str) -> Option<OsString>,
        stdin: &mut dyn Read,
        stderr: &mut dyn Write,
    ) -> Result<String, Error> {
        let environment = Environment::read(env)?;
        match environment.command {
            Command::About => {
                about(self.plugin, stderr);
                Ok(String::new())
            }
            Command::Operation(operation) => self.operate(operation, environment, read(stdin)?),
            Command::Unknown(word) => {
                network(&read(stdin)?)?;
                let msg = format!("unknown CNI_COMMAND: {word}");
                Err(Error::new(Code::INVALID_ENVIRONMENT, msg))
            }
            Command::Version => Ok(self.versions(stdin)),
        }
    }

    fn operate(
        &mut self,
        operation: Operation,
        environment: Environment,
        mut config: Object,
    ) -> Result<String, Error> {
        let prev = config.remove("prevResult");
        let call = Unchecked {
            operation,
            target: environment.target,
            config,
            invoke: self.invoke,
            deadline: environment.deadline,
        };
        let call = call.check(self.plugin)?;
        self.version = call.version;
        let span = call.span();
        let _entered = span.enter();
        if let Some(error) = environment.unread_args {
            tracing::warn!(%error, "go on without CNI_ARGS");
        }
        let prev = prev.as_deref().map(serde_json::value::RawValue::get);
        let prev = self.prev(operation, prev.unwrap_or("null"))?;
        if operation == Operation::Add {
            let result = call.add(prev, |result| result.encode(self.version))?;
            return Ok(Box::<str>::from(result).into_string());
        }
        call.run(prev).map(|()| String::new())
    }

    /// Reads `prevResult`. DEL goes on without one that cannot be read, and removes what it can.
    fn prev(&self, operation: Operation, text: &str) -> Result<Option<Success>, Error> {
        if text == "null" || matches!(operation, Operation::Gc | Operation::Status) {
            return Ok(None);
        }
        match Success::decode_strict(self.version, text.as_bytes()) {
            Ok(prev) => Ok(Some(prev)),
            Err(error) if operation == Operation::Del => {
                tracing::warn!(error = %with_causes(&error), "go on without prevResult");
                Ok(None)
            }
            Err(error) => {
                Err(Error::new(Code::DECODING, "decode prevResult").with_details(self::text(&error)))
            }
        }
    }

    /// The answer to VERSION, in the version of the question if that says one.
    fn versions(&self, stdin: &mut dyn Read) -> String {
        let asked = read(stdin)
            .ok()
            .and_then(|question| question.parse_key("cniVersion").ok().flatten());
        let version = asked.unwrap_or(self.version);
        let info = VersionInfo::new(version, self.plugin.versions());
        // Numbers alone: this cannot fail, and an empty answer is an error to every caller.
        serde_json::to_string(&info).unwrap_or_default() + "\n"
    }
}

fn highest(plugin: &dyn DynPlugin) -> Version {
    plugin.versions().last().copied().unwrap_or(Version::V1_1_0)
}

fn read(stdin: &mut dyn Read) -> Result<Object, Error> {
    // Of a usual length, so that it need not grow.
    let mut json = Vec::with_capacity(4096);
    let read = stdin.take(LONGEST_INPUT + 1).read_to_end(&mut json);
    read.map_err(|error| Error::new(Code::IO, "read stdin").with_details(error.to_string()))?;
    if json.len() as u64 > LONGEST_INPUT {
        return Err(Error::new(Code::DECODING, "decode network config").with_details("longer than 16 MiB"));
    }
    Object::from_slice(&json).map_err(|error| undecodable(&error))
}

fn about(plugin: &dyn DynPlugin, stderr: &mut dyn Write) {
    let versions: Vec<String> = plugin.versions().iter().map(ToString::to_string).collect();
    let (name, release, versions) = (plugin.name(), env!("CARGO_PKG_VERSION"), versions.join(", "));
    // It is for a person: if nobody reads it, nothing has failed.
    drop(writeln!(
        stderr,
        "CNI {name} plugin (cni-core {release})\nCNI protocol versions supported: {versions}"
    ));
}
