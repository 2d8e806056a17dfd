//! One run of the scripted plugin: what surrounds it, and what came out.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cni_core::invoke::Invoke;
use cni_core::plugin::{Host, run_on};
use serde_json::Value;

use crate::plugin::Scripted;

/// What came out of one run.
#[derive(Debug, PartialEq)]
pub(crate) struct Out {
    pub(crate) ok: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn run(env: &[(&str, &str)], stdin: &[u8], invoke: Option<&dyn Invoke>) -> Out {
    let env: BTreeMap<&str, &str> = env.iter().copied().collect();
    run_in(&|name| env.get(name).map(OsString::from), stdin, invoke)
}

fn run_in(env: &dyn Fn(&str) -> Option<OsString>, stdin: &[u8], invoke: Option<&dyn Invoke>) -> Out {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let host = Host {
        env,
        stdin: &mut &*stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        invoke,
    };
    let ok = run_on(&Scripted, host) == ExitCode::SUCCESS;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Out {
        ok,
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// A full environment for `verb`, with some variables changed; an empty one counts as absent.
pub(crate) fn call(verb: &str, changed: &[(&str, &str)], stdin: &str) -> Out {
    run(&[&full(verb), changed].concat(), stdin.as_bytes(), None)
}

/// A full environment for `verb`, with one variable changed to what need not be text.
pub(crate) fn call_with_bytes(verb: &str, changed: &str, bytes: &[u8], stdin: &str) -> Out {
    let env: BTreeMap<&str, &str> = full(verb).into();
    let lookup = |name: &str| match name == changed {
        true => Some(OsStr::from_bytes(bytes).to_owned()),
        false => env.get(name).map(OsString::from),
    };
    run_in(&lookup, stdin.as_bytes(), None)
}

pub(crate) fn full(verb: &str) -> [(&str, &str); 5] {
    [
        ("CNI_COMMAND", verb),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", "/nowhere/ns"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/nowhere/bin"),
    ]
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

pub(crate) const CONF: &str = r#"{"cniVersion":"1.1.0","name":"n"}"#;

#[track_caller]
pub(crate) fn fails(out: &Out, code: u32, msg: &str, details: &str) {
    let error: Value = serde_json::from_str(&out.stdout).unwrap_or_else(|_| panic!("{out:?}"));
    assert!(!out.ok);
    let text = |key: &str| error[key].as_str().unwrap_or_default();
    assert_eq!(
        (error["code"].as_u64(), text("msg"), text("details")),
        (Some(code.into()), msg, details)
    );
    assert!(out.stdout.starts_with(r#"{"cniVersion":""#), "{out:?}");
}

#[track_caller]
pub(crate) fn answers(out: &Out, stdout: &str) {
    assert_eq!(
        *out,
        Out {
            ok: true,
            stdout: stdout.to_owned(),
            stderr: String::new()
        }
    );
}

#[track_caller]
pub(crate) fn fails_with_code(out: &Out, code: u32) {
    let error: Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(error["code"], code, "{out:?}");
}
