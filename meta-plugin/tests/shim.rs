//! The shim, as a runtime meets it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the shim with `program` as the whole program.
fn shim(program: &Path, verb: &str, stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plexus-shim"))
        .env("PLEXUS_PROGRAM", program)
        .env("CNI_COMMAND", verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn environment_stdin_stdout_and_exit_code_are_the_programs() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("plexus");
    std::fs::write(&program, "#!/bin/sh\necho \"$CNI_COMMAND $#\"\ncat\nexit 7\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = shim(&program, "ADD", r#"{"name":"n"}"#);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "ADD 0\n{\"name\":\"n\"}"
    );
}

#[test]
fn a_missing_program_is_an_error_object_that_no_runtime_takes_for_success() {
    for (verb, code) in [("ADD", 184), ("DEL", 184), ("STATUS", 50)] {
        let output = shim(
            Path::new("/nowhere/plexus"),
            verb,
            r#"{"cniVersion":"1.0.0","name":"n"}"#,
        );
        assert_eq!(output.status.code(), Some(1));
        let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&error["cniVersion"], &error["code"]),
            (&"1.0.0".into(), &code.into())
        );
        assert_eq!(error["msg"], r#"execute "/nowhere/plexus""#);
        assert_eq!(error["details"], "it is not installed");
    }
}
