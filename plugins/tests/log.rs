//! What the program tells its operator, on stderr; what it answers, on stdout, is none the worse for it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use cni_plugins::log;

/// A DEL of a plugin that has nothing to do, with a result that cannot be read and a key that nobody knows.
const CONFIG: &str =
    r#"{"cniVersion":"1.0.0","name":"net-a","type":"loopback","prevResult":[],"unheardOf":1}"#;

/// The call with `level` for the variable, if there is one.
fn del(level: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cni-plugins"));
    command
        .arg0("loopback")
        .env_clear()
        .env("CNI_COMMAND", "DEL")
        .env("CNI_CONTAINERID", "c1")
        .env("CNI_IFNAME", "lo")
        .env("CNI_PATH", "/nowhere")
        .env("TRACEPARENT", "00-0af7-b7ad-01")
        .envs(level.map(|level| (log::VARIABLE, level)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(mut command: Command, config: &str) -> Output {
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(config.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The lines on stderr of a call that must succeed.
#[track_caller]
fn told(command: Command) -> Vec<String> {
    let output = run(command, CONFIG);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.is_empty() || stderr.ends_with('\n'), "{stderr:?}");
    stderr.lines().map(ToOwned::to_owned).collect()
}

const SPAN: &str = r#"cni{verb="DEL" plugin="loopback" network="net-a" container="c1" ifname="lo" traceparent="00-0af7-b7ad-01"}"#;

#[test]
fn a_warning_is_a_line_that_says_which_call_of_which_container_and_network() {
    let lines = told(del(None));
    let [line] = &lines[..] else { panic!("{lines:?}") };
    let start = format!(
        "WARN {SPAN}: cni_core::plugin::skeleton: go on without prevResult error=decode result: decode JSON object: invalid type"
    );
    assert!(line.starts_with(&start), "{line}");
    assert_eq!(told(del(Some(""))), lines, "an empty variable is none");
}

#[test]
fn the_variable_says_how_much_is_told() {
    for silent in ["off", "error"] {
        assert_eq!(told(del(Some(silent))), [""; 0], "{silent}");
    }
    assert_eq!(told(del(Some("info"))).len(), 1);
    let key = format!(
        "DEBUG {SPAN}: cni_core::plugin::unknown: unknown key in configuration plugin=\"loopback\" key=\"unheardOf\""
    );
    for more in ["debug", "trace", "DEBUG"] {
        let lines = told(del(Some(more)));
        assert!(lines.contains(&key), "{more}: {lines:#?}");
        let outcome = format!("DEBUG {SPAN}: cni_core::plugin::checked: the plugin succeeded micros=");
        let last = lines.last().unwrap();
        assert!(last.starts_with(&outcome), "{more}: {lines:#?}");
    }
}

#[test]
fn a_value_that_is_no_level_is_warned_of_and_fails_nothing() {
    let lines = told(del(Some("loud")));
    let [about, line] = &lines[..] else {
        panic!("{lines:?}")
    };
    let said = "PLEXUS_LOG is none of error, warn, info, debug, trace and off value=\"loud\"";
    assert_eq!(*about, format!("WARN cni_plugins::log: {said}"));
    assert!(line.contains(SPAN), "{line}");
}

#[test]
fn a_line_is_one_line_and_commands_no_terminal() {
    let config = CONFIG.replace(
        r#""prevResult":[]"#,
        r#""prevResult":{"cniVersion":"a\nb\u001b[2J"}"#,
    );
    let output = run(del(None), &config);
    assert!(output.status.success(), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("\\n") && !stderr.contains('\u{1b}'), "{stderr:?}");
}

#[test]
fn a_failing_plugin_answers_its_error_alone_on_stdout() {
    let config = CONFIG.replace("1.0.0", "7.0.0");
    let output = run(del(Some("trace")), &config);
    let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &error["code"]), (Some(1), &1.into()));
}

#[test]
fn a_call_succeeds_when_nobody_reads_stderr() {
    let mut command = del(Some("trace"));
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    command.stderr(writer);
    assert!(run(command, CONFIG).status.success());
}
