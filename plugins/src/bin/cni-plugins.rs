//! All plugins in one program: which one it is, its name says.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use cni_plugins::{log, multicall};

fn main() -> ExitCode {
    log::to_stderr(variable(log::VARIABLE).as_deref());
    multicall::main(
        std::env::args_os(),
        variable("CNI_COMMAND").is_some(),
        &mut io::stdout(),
        &mut io::stderr(),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "before any plugin is chosen: a runtime and a person are answered in different ways"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
