//! The instructions that a call takes: a count and no time, so that it may fail the gate.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::calls::{CONFIG, PREV, programs};

/// Calls in one process; what a process with twice as many takes more, these calls take.
const CALLS: u64 = 500;

/// Counts one way to call a plugin.
type Count = fn() -> u64;

/// What an ADD that does nothing may take, in user space: a tenth above what it took when this was set.
const BOUNDS: &[(&str, Count, u64)] = &[
    ("linked in", || per_call("builtin"), 31_500),
    ("in a shared library", || per_call("dylib"), 231_000),
    ("a program", noop, 234_000),
];

/// Prints the counts beside their bounds, and fails above one.
pub(crate) fn guard() {
    println!(
        "{:<44} {:>9} {:>9}",
        "instructions of an ADD that does nothing", "counted", "at most"
    );
    let mut above = Vec::new();
    for (what, count, bound) in BOUNDS {
        let count = count();
        println!("{what:<44} {count:>9} {bound:>9}");
        if count > *bound {
            above.push(*what);
        }
    }
    assert!(above.is_empty(), "more instructions than allowed: {above:?}");
}

fn per_call(way: &str) -> u64 {
    let program = std::env::current_exe().unwrap();
    let calls = |count: u64| instructions(&program, &["calls", way, &count.to_string()], "");
    (calls(2 * CALLS) - calls(CALLS)) / CALLS
}

fn noop() -> u64 {
    let mut config: serde_json::Value = serde_json::from_str(CONFIG).unwrap();
    config["prevResult"] = serde_json::from_str(PREV).unwrap();
    instructions(&programs().join("noop"), &[], &json!(config).to_string())
}

/// The instructions of a whole process, as valgrind counts them.
fn instructions(program: &Path, arguments: &[&str], stdin: &str) -> u64 {
    let mut valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .env_clear()
        .envs([
            ("PATH", "/usr/bin:/bin"),
            ("CNI_COMMAND", "ADD"),
            ("CNI_CONTAINERID", "pod"),
        ])
        .envs([
            ("CNI_IFNAME", "eth0"),
            ("CNI_NETNS", "/run/netns/pod"),
            ("CNI_PATH", "/opt/cni/bin"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    valgrind
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    let output = valgrind.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let count = said.lines().find_map(|line| line.split_once("Collected :"));
    count
        .unwrap_or_else(|| panic!("valgrind counted nothing: {said}"))
        .1
        .trim()
        .parse()
        .unwrap()
}
