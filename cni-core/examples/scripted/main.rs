//! A plugin that does what its configuration says: for looking at what plugins receive, and for tests.

mod plugin;

use std::process::ExitCode;

fn main() -> ExitCode {
    cni_core::plugin::run(&plugin::Scripted)
}
