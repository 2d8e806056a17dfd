//! The whole program: a CNI plugin when a runtime calls it, else a command line.

mod cli;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let by_runtime = env("CNI_COMMAND").is_some() && std::env::args_os().len() <= 1;
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
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the command line's environment is read"
)]
fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
