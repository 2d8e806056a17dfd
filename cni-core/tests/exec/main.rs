//! Plugins as executables: what they receive, and every way in which they can misbehave.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod bin;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bin::{Bin, ends, lives};
use cni_core::invoke::{Exec, Verb};
use cni_core::spec::{Code, Error, Interface, Success, Version};
use serde_json::{Value, json};

#[track_caller]
fn fails<T: std::fmt::Debug>(outcome: Result<T, Error>, code: Code, text: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

#[test]
fn a_plugin_receives_environment_and_configuration() {
    let mut bin = Bin::new("env >$DIR/env; cat >$DIR/stdin; echo '{}'");
    bin.config.set("z", &[1.5]).unwrap();
    bin.prev = Some(Success::new());
    let base = [
        ("PATH".into(), "/usr/bin:/bin".into()),
        ("CNI_IFNAME".into(), "stale".into()),
        ("CNI_NETNS_OVERRIDE".into(), "1".into()),
    ];
    bin.add(&Exec::new().with_environment(base)).unwrap();
    let env = bin.read("env");
    let dir = bin.dir.display();
    for line in [
        "CNI_COMMAND=ADD",
        "CNI_CONTAINERID=c1",
        "CNI_NETNS=/nowhere/ns",
        "CNI_IFNAME=eth0",
        "CNI_ARGS=A=1;B=2",
        &format!("CNI_PATH=/nowhere/bin:{dir}"),
    ] {
        assert!(env.lines().any(|l| l == line), "{line} is not in {env}");
    }
    for stranger in ["CARGO", "PLEXUS", "OVERRIDE"] {
        assert!(!env.contains(stranger), "{env}");
    }
    let stdin =
        r#"{"cniVersion":"1.1.0","name":"n","type":"fake","z":[1.5],"prevResult":{"cniVersion":"1.1.0"}}"#;
    assert_eq!(bin.read("stdin"), stdin);
}

#[test]
fn the_time_left_is_passed_on() {
    let mut bin = Bin::new("echo $PLEXUS_TIMEOUT_MS >$DIR/left");
    bin.deadline = Some(Duration::from_secs(20));
    bin.run(&Exec::new(), Verb::Del).unwrap();
    let left = || bin.read("left").parse::<u32>().unwrap();
    assert!((15_000..=20_000).contains(&left()));
    bin.run(&Exec::new().with_limit(Duration::from_secs(10)), Verb::Del)
        .unwrap();
    assert!((5_000..=10_000).contains(&left()));
}

#[test]
fn gc_is_told_of_valid_attachments_under_both_names() {
    let mut bin = Bin::new("cat >$DIR/stdin");
    let valid = json!([{ "containerID": "c", "ifname": "eth0" }]);
    bin.config.set("cni.dev/valid-attachments", &valid).unwrap();
    bin.run(&Exec::new(), Verb::Gc).unwrap();
    let stdin: Value = serde_json::from_str(&bin.read("stdin")).unwrap();
    assert_eq!(
        (&stdin["cni.dev/valid-attachments"], &stdin["cni.dev/attachments"]),
        (&valid, &valid)
    );
}

#[test]
fn a_result_is_read_in_the_version_that_it_names() {
    let result = |json: &str| Bin::new(&format!("echo '{json}'")).add(&Exec::new());
    let mut expected = Success::new();
    expected.interfaces = vec![Interface::new("a")];
    assert_eq!(result(r#"{"interfaces":[{"name":"a"}]}"#).unwrap(), expected);
    assert_eq!(
        result(r#"{"cniVersion":"0.4.0","interfaces":[{"name":"a"}],"dns":{}}"#).unwrap(),
        expected
    );
    assert_eq!(result("null").unwrap(), Success::new());
}

#[test]
fn what_is_no_answer_is_an_error() {
    let failure = |script: &str| Bin::new(script).add(&Exec::new());
    fails(
        failure("exit 0"),
        Code::DECODING,
        "decode result of plugin \"fake\"; no output",
    );
    fails(
        failure("echo nonsense"),
        Code::DECODING,
        "decode result of plugin \"fake\"",
    );
    fails(
        failure("echo '{} {}'"),
        Code::DECODING,
        "decode result of plugin \"fake\"",
    );
    fails(
        failure("exit 3"),
        Code::UNKNOWN,
        "netplugin failed with no error message; plugin \"fake\": exit status: 3",
    );
    fails(
        failure("echo sorry >&2; exit 1"),
        Code::UNKNOWN,
        "netplugin failed: \"sorry\"",
    );
    fails(
        failure("echo oops; exit 1"),
        Code::UNKNOWN,
        "no error object: \"oops\"",
    );
    fails(
        failure("echo '{}{\"code\":8}'; exit 1"),
        Code::UNKNOWN,
        "no error object",
    );
    fails(failure("echo '{}'; exit 1"), Code::UNKNOWN, "no error object");
    fails(failure("echo '{\"msg\":\"m\"}'; exit 1"), Code::UNKNOWN, "m");
    fails(failure("kill -9 $$"), Code::UNKNOWN, "signal: 9");
    fails(failure("\n#"), Code::DECODING, "no output");
}

#[test]
fn the_plugins_error_object_comes_through_unchanged() {
    let object = r#"{"cniVersion":"1.1.0","code":999,"msg":"Link not found","details":"x: y"}"#;
    let error = Bin::new(&format!("echo noise >&2; echo '{object}'; exit 1"))
        .add(&Exec::new())
        .unwrap_err();
    assert_eq!(
        error,
        Error::new(Code(999), "Link not found").with_details("x: y")
    );
}

#[test]
fn stderr_is_passed_on_unless_it_is_the_error() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let exec = Exec::new().with_stderr(move |text| sink.lock().unwrap().extend_from_slice(text));
    Bin::new("echo hello >&2").run(&exec, Verb::Del).unwrap();
    let mute = Bin::new("echo bad >&2; exit 1").run(&exec, Verb::Del);
    assert_eq!(mute.unwrap_err().msg, "netplugin failed: \"bad\"");
    let object = r#"{"code":7,"msg":"no"}"#;
    let spoken = Bin::new(&format!("echo undo >&2; echo '{object}'; exit 1")).run(&exec, Verb::Del);
    assert_eq!(spoken.unwrap_err().code, Code(7));
    Bin::new("echo why >&2; echo text; exit 1")
        .run(&exec, Verb::Del)
        .unwrap_err();
    assert_eq!(*seen.lock().unwrap(), b"hello\nundo\nwhy\n");
}

#[test]
fn an_executable_is_a_regular_file_that_may_be_executed() {
    let bin = Bin::new("exit 0");
    bin.locate(&Exec::new()).unwrap();
    let file = bin.dir.join("fake");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fails(
        bin.run(&Exec::new(), Verb::Del),
        Code::INVALID_CONFIG,
        "is not executable",
    );
    fs::remove_file(&file).unwrap();
    let path = format!(
        "failed to find plugin \"fake\" in path [/nowhere/bin {}]",
        bin.dir.display()
    );
    fails(bin.run(&Exec::new(), Verb::Del), Code::INVALID_CONFIG, &path);
    fails(bin.locate(&Exec::new()), Code::INVALID_CONFIG, &path);
    fs::create_dir(&file).unwrap();
    fails(bin.run(&Exec::new(), Verb::Del), Code::INVALID_CONFIG, &path);
}

#[test]
fn a_plugin_that_hangs_is_ended_with_all_that_it_started() {
    let mut bin = Bin::new("sleep 300 & echo $! >$DIR/child; echo waiting >&2; wait");
    bin.deadline = Some(Duration::from_millis(500));
    let started = Instant::now();
    fails(
        bin.run(&Exec::new(), Verb::Del),
        Code::TRY_AGAIN,
        "did not end DEL in time",
    );
    assert!(started.elapsed() < Duration::from_secs(2), "TERM was enough");
    assert!(ends(&bin, "child"));
    fails(bin.run(&Exec::new(), Verb::Status), Code::UNAVAILABLE, "waiting");
}

#[test]
fn a_plugin_without_time_is_not_started() {
    let mut bin = Bin::new("touch $DIR/started");
    bin.deadline = Some(Duration::ZERO);
    fails(
        bin.run(&Exec::new(), Verb::Del),
        Code::TRY_AGAIN,
        "no time was left for DEL",
    );
    assert!(!bin.dir.join("started").exists());
}

#[test]
fn a_plugin_that_ignores_term_is_killed_with_all_that_it_started() {
    let mut bin = Bin::new("trap '' TERM; sleep 300 & echo $! >$DIR/child; echo $$ >$DIR/self; wait");
    bin.deadline = Some(Duration::from_millis(500));
    let started = Instant::now();
    fails(
        bin.run(&Exec::new(), Verb::Del),
        Code::TRY_AGAIN,
        "did not end DEL in time",
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(ends(&bin, "self") && ends(&bin, "child"));
}

#[test]
fn a_grandchild_that_keeps_the_pipes_holds_nobody_up() {
    let bin = Bin::new("sleep 30 & echo $! >$DIR/child; echo '{\"cniVersion\":\"1.1.0\"}'");
    let started = Instant::now();
    assert_eq!(bin.add(&Exec::new()).unwrap(), Success::new());
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(lives(&bin, "child"), "what a plugin starts may outlive it");
    let killed = std::process::Command::new("kill").arg(bin.read("child")).status();
    assert!(killed.unwrap().success());
}

#[test]
fn output_without_end_is_cut_off() {
    let bin = Bin::new("yes");
    fails(bin.add(&Exec::new()), Code::IO, "wrote more than 16 MiB");
    let loud = Bin::new("head -c 20000000 /dev/zero >&2; echo '{}'");
    assert!(
        loud.add(&Exec::new().with_stderr(|text| assert_eq!(text.len(), 1 << 20)))
            .is_ok()
    );
}

#[test]
fn long_input_and_output_do_not_wait_for_each_other() {
    // Far more than a pipe holds, in both directions and before any of the input is read.
    let mut bin = Bin::new("head -c 1000000 /dev/zero | tr '\\0' ' '; echo '{}'; cat >$DIR/stdin");
    bin.config.set("long", &"x".repeat(1_000_000)).unwrap();
    assert!(bin.add(&Exec::new()).is_ok());
    assert!(bin.read("stdin").len() > 1_000_000);
    let mut deaf = Bin::new("exec <&-; echo '{}'");
    deaf.config.set("long", &"x".repeat(1_000_000)).unwrap();
    assert!(deaf.add(&Exec::new()).is_ok());
}

#[test]
fn an_executable_that_is_being_written_is_waited_for() {
    let bin = Bin::new("echo '{}'");
    let writer = OpenOptions::new()
        .append(true)
        .open(bin.dir.join("fake"))
        .unwrap();
    let done = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        drop(writer);
    });
    assert!(bin.add(&Exec::new()).is_ok());
    done.join().unwrap();

    let writer = OpenOptions::new()
        .append(true)
        .open(bin.dir.join("fake"))
        .unwrap();
    fails(
        bin.add(&Exec::new()),
        Code::TRY_AGAIN,
        "run plugin \"fake\"; Text file busy",
    );
    drop(writer);
}

#[test]
fn a_plugin_leads_a_group_unless_it_is_anothers_delegate() {
    let bin = Bin::new("cut -d' ' -f5 /proc/$$/stat >$DIR/group; echo $$ >$DIR/self");
    bin.run(&Exec::new(), Verb::Del).unwrap();
    assert_eq!(bin.read("group"), bin.read("self"));
    bin.run(&Exec::inside_plugin(), Verb::Del).unwrap();
    let own = fs::read_to_string("/proc/self/stat").unwrap();
    let own = own.rsplit(") ").next().unwrap().split(' ').nth(2).unwrap();
    assert_eq!(bin.read("group"), own);
}

#[test]
fn plugins_of_every_age_answer_version() {
    let versions = |script: &str| {
        Bin::new(script)
            .version(&Exec::new())
            .map(|info| info.supported_versions)
    };
    let answer = r#"{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0","9.9.9-rc1"]}"#;
    let asked = format!("grep -q '^{{\"cniVersion\":\"1.1.0\"}}$' && echo '{answer}'");
    assert_eq!(versions(&asked).unwrap(), [Version::V0_4_0, Version::V1_0_0]);
    assert_eq!(
        versions(r#"echo '{"cniVersion":"0.2.0"}'"#).unwrap(),
        [Version::V0_1_0, Version::V0_2_0]
    );
    let refusal = r#"{"code":4,"msg":"unknown CNI_COMMAND: VERSION"}"#;
    assert_eq!(
        versions(&format!("echo '{refusal}'; exit 1")).unwrap(),
        [Version::V0_1_0]
    );
    fails(
        versions("echo nonsense"),
        Code::DECODING,
        "decode versions of plugin \"fake\"",
    );
    fails(versions("exit 1"), Code::UNKNOWN, "netplugin failed");
}
