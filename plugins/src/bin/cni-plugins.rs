//! All plugins in one program: which one it is, its name says.

use std::io;
use std::process::ExitCode;

use cni_plugins::multicall;

fn main() -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "before any plugin is chosen: a runtime and a person are answered in different ways"
    )]
    let by_runtime = std::env::var_os("CNI_COMMAND").is_some();
    multicall::main(
        std::env::args_os(),
        by_runtime,
        &mut io::stdout(),
        &mut io::stderr(),
    )
}
