//! The README's first command, as a user runs it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plexus_tests::machine::Machine;
use plexus_tests::program;

fn demo() -> Command {
    let mut command = Command::new(program("plexus"));
    command
        .arg("demo")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

/// The two looks share one machine, so the tests that compare it run one after the other.
static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn the_demo_pings_everything_and_leaves_nothing() {
    let _turn = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let before = Machine::look();
    let output = demo().output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in ["eth0", "net1", "net2", "net3", "48 of 48"] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert_eq!(Machine::look(), before);
}

/// `program` as a user without rights; as we are, where we are such a user already and only look like root.
fn as_nobody(program: &Path) -> Command {
    let ids = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    let everybody_is_mapped = ids
        .split_whitespace()
        .nth(2)
        .is_some_and(|count| count.parse().is_ok_and(|n: u64| n > 65_534));
    if !everybody_is_mapped {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program);
    command
}

#[test]
fn the_demo_needs_no_root() {
    let _turn = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    // Somewhere that anybody may look into; the workspace need not be.
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = directory.path().join("plexus");
    std::fs::copy(program("plexus"), &copy).unwrap();
    let output = as_nobody(&copy).arg("demo").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("48 of 48"), "{text}");
}

#[test]
fn the_demo_leaves_nothing_when_it_is_interrupted() {
    let _turn = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let before = Machine::look();
    for name in ["INT", "TERM", "KILL"] {
        for milliseconds in [5, 20, 60, 120, 250] {
            let mut child = demo().spawn().unwrap();
            std::thread::sleep(Duration::from_millis(milliseconds));
            signal(&child, name);
            child.wait().unwrap();
            assert_eq!(Machine::look(), before, "after {name} at {milliseconds} ms");
        }
    }
}
