//! The whole program: a CNI plugin when a runtime calls it, else a command line.

mod cli;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Even an empty one: the shim has it set in any case, and a plugin without a command says what it is.
    let by_runtime = variable("CNI_COMMAND").is_some() && std::env::args_os().len() <= 1;
    if by_runtime {
        return plexus::cni::run();
    }
    cli::main(
        std::env::args_os(),
        &env,
        &mut io::stdout().lock(),
        &mut io::stderr().lock(),
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
