//! The whole program: a CNI plugin when a runtime calls it, else a command line.

mod cli;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use cni_plugins::log;

fn main() -> ExitCode {
    log::to_stderr(variable(log::VARIABLE).as_deref());
    // Even an empty one: the shim has it set in any case, and a plugin without a command says what it is.
    let by_runtime = variable("CNI_COMMAND").is_some() && std::env::args_os().len() <= 1;
    if by_runtime {
        return plexus::cni::run();
    }
    cli::main(
        std::env::args_os(),
        &env,
        &mut io::stdout().lock(),
        // Not locked: the log of other threads goes there, too.
        &mut io::stderr(),
    )
}

/// Empty variables count as absent.
fn env(name: &str) -> Option<OsString> {
    variable(name).filter(|value| !value.is_empty())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the command line's environment is read"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
