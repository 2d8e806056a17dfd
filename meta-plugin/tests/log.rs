//! What the whole program tells its operator on stderr, as a plugin and as a command line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;

/// A state directory in which the journal of container `c1` ends within its first record.
fn torn() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let container = dir.path().join("attachments/c1");
    fs::create_dir_all(&container).unwrap();
    fs::write(container.join("eth0"), "torn").unwrap();
    dir
}

fn plexus(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plexus"));
    command.args(args).env_clear();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The plugin as a runtime calls it.
fn call(verb: &str, state: &Path, level: &str) -> Output {
    let variables = [
        ("CNI_COMMAND", verb),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/nowhere"),
        ("TRACEPARENT", "00-0af7-b7ad-01"),
        ("PLEXUS_LOG", level),
    ];
    let mut child = plexus(&[]).envs(variables).spawn().unwrap();
    let entry = json!({"cniVersion": "1.1.0", "name": "plexus", "type": "plexus", "mode": "standalone",
        "delegates": [{"cniVersion": "1.1.0", "name": "net-a", "type": "loopback", "unheardOf": 1}], "stateDir": state});
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(entry.to_string().as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[track_caller]
fn told(output: Output) -> String {
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn cn2_a_line_says_what_it_is_about_and_which_trace_it_belongs_to() {
    let state = torn();
    let path = state.path().join("attachments/c1/eth0");
    let span = r#"cni{verb="DEL" plugin="plexus" network="plexus" container="c1" ifname="eth0" traceparent="00-0af7-b7ad-01"}"#;
    let line = format!(
        "WARN {span}: plexus::journal: the journal's torn tail is cut off path={}\n",
        path.display()
    );
    assert_eq!(told(call("DEL", state.path(), "")), line);
    assert_eq!(told(call("DEL", torn().path(), "off")), "");
}

#[test]
fn the_command_line_tells_it_too() {
    let state = torn();
    let dir = state.path().to_str().unwrap();
    let output = plexus(&["detach", "--container-id", "c1", "--state-dir", dir]).output();
    let stderr = told(output.unwrap());
    let start = r#"WARN detach{container="c1"}: plexus::journal: the journal's "#;
    assert!(stderr.starts_with(start), "{stderr}");
    assert!(stderr.contains("torn tail is cut off path="), "{stderr}");
}

#[test]
fn what_the_plugins_of_a_status_log_bears_the_span_of_the_whole() {
    let stderr = told(call("STATUS", torn().path(), "debug"));
    let trace = r#"traceparent="00-0af7-b7ad-01""#;
    let line = format!(
        r#"DEBUG cni{{verb="STATUS" plugin="plexus" network="plexus" {trace}}}:cni{{verb="STATUS" plugin="loopback" network="net-a" {trace}}}: cni_core::plugin::unknown: unknown key in configuration plugin="loopback" key="unheardOf""#
    );
    assert!(stderr.lines().any(|said| said == line), "{stderr}");
}
