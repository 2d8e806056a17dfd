//! [`Scripted`](cni_core::testkit::Scripted) as an executable: for looking at what plugins receive, and for tests.

fn main() -> std::process::ExitCode {
    cni_core::plugin::run(&cni_core::testkit::Scripted)
}
