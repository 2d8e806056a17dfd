//! [`Noop`](cni_core::testkit::Noop) as an executable: what the skeleton costs.

fn main() -> std::process::ExitCode {
    cni_core::plugin::run(&cni_core::testkit::Noop)
}
