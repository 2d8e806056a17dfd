//! What the runtime finds in its plugin directory: hands each call on to the whole program, which may then
//! be replaced, and be as large as it likes, without the runtime noticing.
//!
//! It becomes the program: same process, environment, stdin and stdout, so the exit code and every signal
//! are the program's own. `PLEXUS_PROGRAM` in the environment names another program, for tests and for
//! installations elsewhere.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use cni_core::spec::{Code, Error, Object, Version};

/// Where the installation puts the whole program.
const PROGRAM: &str = "/opt/plexus/bin/plexus";

fn main() -> ExitCode {
    let program = env("PLEXUS_PROGRAM").unwrap_or_else(|| PROGRAM.into());
    // Without it the program would take itself for a command line.
    let command = env("CNI_COMMAND").unwrap_or_default();
    // It returns only if the program could not be started, and nothing is read from stdin then.
    let cause = Command::new(&program).env("CNI_COMMAND", command).exec();
    let code = match env("CNI_COMMAND") {
        Some(verb) if verb == "STATUS" => Code::UNAVAILABLE,
        _ => Code(184),
    };
    let error = Error::new(code, format!("execute {program:?}")).with_details(explained(&cause));
    drop(io::stdout().write_all(error.answer(version()).as_bytes()));
    ExitCode::FAILURE
}

#[expect(clippy::disallowed_methods, reason = "this program has no other place for it")]
fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The cause without the words "no such file or directory", which runtimes take for a DEL that found
/// nothing left to do.
fn explained(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::NotFound => "it is not installed".to_owned(),
        _ => cause.to_string(),
    }
}

/// The version of the configuration on stdin, if that says one.
fn version() -> Version {
    /// More than any configuration.
    const LONGEST_INPUT: u64 = 16 << 20;
    let mut config = Vec::new();
    drop(io::stdin().take(LONGEST_INPUT).read_to_end(&mut config));
    let config = Object::from_slice(&config).unwrap_or_default();
    let version = config.parse_key("cniVersion").ok().flatten();
    version.unwrap_or(Version::V1_1_0)
}
