//! The plugin as an executable.

mod plugin;

fn main() -> std::process::ExitCode {
    cni_core::plugin::run(&plugin::Hosts)
}
