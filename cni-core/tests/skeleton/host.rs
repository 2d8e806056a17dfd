//! Runs of the scripted plugin, and what is expected of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use cni_core::testkit::{Invocation, Outcome, Scripted};
use serde_json::Value;

pub(crate) const CONF: &str = r#"{"cniVersion":"1.1.0","name":"n"}"#;

/// One run in memory, one as an executable and one as a library: the answers must be equal.
///
/// A full environment for `verb`, with some variables changed; an empty one counts as absent.
pub(crate) fn call(verb: &str, changed: &[(&str, &str)], stdin: &str) -> Outcome {
    let env = Invocation::new(verb);
    let env = changed
        .iter()
        .fold(env, |env, (name, value)| env.with_env(name, value));
    let out = env.run(&Scripted, stdin);
    for program in [&examples().join("scripted"), &*LOADED] {
        let executed = env.exec(program, stdin).unwrap();
        assert_eq!(
            (executed.exit, &executed.stdout),
            (out.exit, &out.stdout),
            "{executed:?}"
        );
    }
    out
}

/// Where cargo puts examples: beside the directory of this test.
fn examples() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let dir = test.ancestors().nth(2).unwrap().join("examples");
    let made = dir.join("scripted").is_file();
    assert!(made, "first run `cargo build -p cni-core --examples`");
    dir
}

/// A program in C that calls the library.
static LOADED: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dylib/host.c");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("loaded");
    let new = program.with_extension(std::process::id().to_string());
    let mut compiler = Command::new("cc");
    compiler
        .args(["-Wall", "-Werror", "-o"])
        .arg(&new)
        .arg(source)
        .arg("-ldl");
    compiler.arg(format!(
        "-DLIBRARY={:?}",
        examples().join("libscripted_library.so")
    ));
    assert!(compiler.status().unwrap().success());
    // Another run may be using it.
    std::fs::rename(new, &program).unwrap();
    program
});

/// These variables and no others.
pub(crate) fn only(env: &[(&str, &str)]) -> Invocation<'static> {
    env.iter().fold(Invocation::empty(), |env, (name, value)| {
        env.with_env(name, value)
    })
}

/// A path that no other test and no other run uses; nothing is there yet.
pub(crate) fn tempfile(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("cni-core-skeleton-{}-{name}", std::process::id()));
    drop(std::fs::remove_file(&path));
    path
}

pub(crate) fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[track_caller]
pub(crate) fn fails(out: &Outcome, code: u32, msg: &str, details: &str) {
    let error: Value = serde_json::from_str(&out.stdout).unwrap_or_else(|_| panic!("{out:?}"));
    assert!(!out.succeeded());
    let text = |key: &str| error[key].as_str().unwrap_or_default();
    assert_eq!(
        (error["code"].as_u64(), text("msg"), text("details")),
        (Some(code.into()), msg, details)
    );
    assert!(out.stdout.starts_with(r#"{"cniVersion":""#), "{out:?}");
}

#[track_caller]
pub(crate) fn answers(out: &Outcome, stdout: &str) {
    assert_eq!((out.exit, &*out.stdout, &*out.stderr), (Some(0), stdout, ""));
}

#[track_caller]
pub(crate) fn fails_with_code(out: &Outcome, code: u32) {
    let error: Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(error["code"], code, "{out:?}");
}
