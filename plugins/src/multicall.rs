//! The multi-call program `cni-plugins`: it is the plugin that its name says, and installs itself
//! under all of them.

mod install;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use cni_core::invoke::{Builtin, Exec, Resolver};
use cni_core::plugin::run_with;
use cni_core::spec::{Code, Error, Version};
use cni_net::Kernel;

pub use install::{InstallError, install};

/// The program's own name.
const NAME: &str = "cni-plugins";

const HELP: &str = "\
cni-plugins: the standard CNI plugins in one program

Called by the name of one of them (see `list`) it is that plugin. Otherwise:

  cni-plugins install DIR   put one executable for each plugin into DIR
  cni-plugins list          the plugins
  cni-plugins version       the version
  cni-plugins help          this text
";

/// The whole program. `args` begin with its name; `by_runtime` says that `CNI_COMMAND` is set.
///
/// IPAM plugins of the table are called within the process, all others by `CNI_PATH`.
pub fn main(
    args: impl IntoIterator<Item = OsString>,
    by_runtime: bool,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> ExitCode {
    let mut args = args.into_iter();
    let program = args.next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let words: Vec<OsString> = args.collect();
    let table = Arc::new(crate::table(&Kernel::new()));
    if let Some(plugin) = table.find(&name) {
        let resolver = Resolver::new(Arc::clone(&table)).with_exec(Exec::inside_plugin());
        return run_with(plugin, &resolver);
    }
    let outcome = if by_runtime && words.is_empty() {
        no_such_plugin(&name, stdout)
    } else {
        command(&words, &table, stdout, stderr)
    };
    // Nobody is left to tell when stdout or stderr is gone.
    outcome.unwrap_or(ExitCode::FAILURE)
}

/// Answers a runtime as a plugin that cannot serve it.
fn no_such_plugin(name: &str, stdout: &mut dyn Write) -> io::Result<ExitCode> {
    let msg = format!("{NAME} was called as {name:?}, which is none of its plugins");
    let answer = Error::new(Code::INVALID_CONFIG, msg).answer(Version::V1_1_0);
    stdout.write_all(answer.as_bytes())?;
    Ok(ExitCode::FAILURE)
}

fn command(
    words: &[OsString],
    table: &Builtin,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> io::Result<ExitCode> {
    let known: Vec<Option<&str>> = words.iter().map(|word| word.to_str()).collect();
    match (&known[..], words) {
        ([] | [Some("help" | "--help" | "-h")] | [Some("install"), Some("--help" | "-h")], _) => {
            stdout.write_all(HELP.as_bytes())?
        }
        ([Some("version" | "--version")], _) => writeln!(stdout, "{NAME} {}", env!("CARGO_PKG_VERSION"))?,
        ([Some("list")], _) => {
            for name in table.types() {
                writeln!(stdout, "{name}")?;
            }
        }
        // Who means such a directory says `./-x`; everybody else has misspelt an option.
        ([Some("install"), _], [_, dir]) if !dir.as_encoded_bytes().starts_with(b"-") => {
            return install_into(dir.as_ref(), table, stdout, stderr);
        }
        _ => {
            stderr.write_all(HELP.as_bytes())?;
            return Ok(ExitCode::from(USAGE));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The exit code for words that make no command.
const USAGE: u8 = 2;

fn install_into(
    dir: &Path,
    table: &Builtin,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> io::Result<ExitCode> {
    match install(Path::new("/proc/self/exe"), dir, table.types()) {
        Ok(installed) => {
            for path in installed {
                writeln!(stdout, "installed {}", path.display())?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let error = Error::from_source(Code::IO, &error);
            writeln!(stderr, "{NAME}: {error}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

#[cfg(test)]
mod tests;
