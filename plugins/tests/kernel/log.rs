//! What is logged in another namespace.

use std::process::Command;

use cni_net::netns::{Anonymous, within};
use cni_net::{Kernel, Namespaces};

#[test]
#[ignore = "the process whose stderr the next one reads: a process has one log"]
fn child() {
    cni_plugins::log::to_stderr(None);
    let pod = Anonymous::new().unwrap();
    let pod = Kernel::new().open(pod.path()).unwrap();
    let span = tracing::info_span!("cni", container = "c1");
    span.in_scope(|| within(&pod, || tracing::warn!("told")).unwrap());
}

#[test]
fn what_is_logged_in_another_namespace_bears_the_span_of_who_went_there() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "log::child", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = "WARN cni{container=\"c1\"}: kernel::log: told";
    assert!(stderr.lines().any(|said| said.ends_with(line)), "{output:?}");
}
