//! Plugins as shared libraries: what they receive, every way in which they can misbehave, and which are not loaded.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exported;
mod library;
mod made;
mod trust;

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use cni_core::invoke::Verb;
use cni_core::spec::{Code, Error, Success, Version};
use library::Library;
use serde_json::json;

#[track_caller]
pub(crate) fn fails<T: std::fmt::Debug>(outcome: Result<T, Error>, code: Code, text: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

const KEEP: &str =
    r#"keep(DIR "/environment", environment); keep(DIR "/input", input); answer.output = text("{}");"#;

#[test]
fn a_library_receives_what_an_executable_would() {
    let mut library = Library::new(KEEP);
    library.config.set("z", &[1.5]).unwrap();
    library.prev = Some(Success::new());
    library.add().unwrap();
    let environment = library.read("environment");
    let dir = library.dir.0.display();
    let expected = [
        "CNI_COMMAND=ADD",
        "CNI_CONTAINERID=c1",
        "CNI_NETNS=/nowhere/ns",
        "CNI_IFNAME=eth0",
        "CNI_ARGS=A=1;B=2",
        &format!("CNI_PATH=/nowhere/bin:{dir}"),
    ];
    assert_eq!(environment.split_terminator('\0').collect::<Vec<_>>(), expected);
    let input =
        r#"{"cniVersion":"1.1.0","name":"n","type":"fake","z":[1.5],"prevResult":{"cniVersion":"1.1.0"}}"#;
    assert_eq!(library.read("input"), input);
}

#[test]
fn the_time_left_is_passed_on() {
    let mut library = Library::new(KEEP);
    library.deadline = Some(Duration::from_secs(20));
    library.run(Verb::Del).unwrap();
    let environment = library.read("environment");
    let left = environment
        .split('\0')
        .find_map(|line| line.strip_prefix("PLEXUS_TIMEOUT_MS="));
    assert!((15_000..=20_000).contains(&left.unwrap().parse::<u32>().unwrap()));
}

#[test]
fn gc_is_told_of_valid_attachments_under_both_names() {
    let mut library = Library::new(KEEP);
    let valid = json!([{ "containerID": "c", "ifname": "eth0" }]);
    library.config.set("cni.dev/valid-attachments", &valid).unwrap();
    library.run(Verb::Gc).unwrap();
    let input: serde_json::Value = serde_json::from_str(&library.read("input")).unwrap();
    assert_eq!(input["cni.dev/attachments"], valid);
}

#[test]
fn what_is_no_answer_is_an_error() {
    let failure = |body: &str| Library::new(body).add();
    let undecodable = "decode result of plugin \"fake\"";
    fails(
        failure(""),
        Code::DECODING,
        "decode result of plugin \"fake\"; no output",
    );
    fails(
        failure(r#"answer.output = text("nonsense");"#),
        Code::DECODING,
        undecodable,
    );
    fails(
        failure("answer.exit_code = 3;"),
        Code::UNKNOWN,
        "netplugin failed with no error message; plugin \"fake\": exit status: 3",
    );
    let sorry = r#"answer.messages = text("sorry\n"); answer.exit_code = 1;"#;
    fails(failure(sorry), Code::UNKNOWN, "netplugin failed: \"sorry\"");
    let oops = r#"answer.output = text("oops"); answer.exit_code = -1;"#;
    fails(failure(oops), Code::UNKNOWN, "no error object: \"oops\"");
}

#[test]
fn the_plugins_error_object_comes_through_unchanged() {
    let object = r#"{\"code\":999,\"msg\":\"Link not found\",\"details\":\"x: y\"}"#;
    let body = format!(
        r#"answer.output = text("{object}"); answer.messages = text("noise"); answer.exit_code = 1;"#
    );
    let expected = Error::new(Code(999), "Link not found").with_details("x: y");
    assert_eq!(Library::new(&body).add(), Err(expected));
}

#[test]
fn messages_are_passed_on_unless_they_are_the_error() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let mut library = Library::new(
        r#"answer.messages = text("hello\n"); answer.exit_code = input.length > 100;
        if (input.length > 200) answer.output = text("{\"code\":7,\"msg\":\"no\"}");"#,
    );
    library.dylib = made::dylib().with_stderr(move |text| sink.lock().unwrap().extend_from_slice(text));
    library.run(Verb::Del).unwrap();
    library.config.set("long", &"x".repeat(100)).unwrap();
    library.run(Verb::Del).unwrap_err();
    assert_eq!(*seen.lock().unwrap(), b"hello\n");
    library.config.set("long", &"x".repeat(200)).unwrap();
    assert_eq!(library.run(Verb::Del).unwrap_err().code, Code(7));
    assert_eq!(*seen.lock().unwrap(), b"hello\nhello\n");
}

#[test]
fn versions_are_asked_for() {
    let versions = r#"{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.4.0\",\"1.0.0\"]}"#;
    let library = Library::new(&format!(r#"{KEEP} answer.output = text("{versions}");"#));
    let info = library.version().unwrap();
    assert_eq!(info.supported_versions, [Version::V0_4_0, Version::V1_0_0]);
    assert_eq!(library.read("input"), r#"{"cniVersion":"1.1.0"}"#);
    assert!(library.read("environment").contains("CNI_COMMAND=VERSION\0"));
}

#[test]
fn output_is_bounded() {
    let zeros = "void *zeros = calloc(1, 20000000);";
    let endless = format!("{zeros} answer.output = bytes(zeros, 20000000); free(zeros);");
    fails(
        Library::new(&endless).add(),
        Code::IO,
        "plugin \"fake\" wrote more than 16 MiB",
    );
    let body = format!(
        r#"{zeros} answer.messages = bytes(zeros, 20000000); answer.output = text("{{}}"); free(zeros);"#
    );
    let mut loud = Library::new(&body);
    loud.dylib = made::dylib().with_stderr(|text| assert_eq!(text.len(), 1 << 20));
    loud.add().unwrap();
}

#[test]
fn each_answer_is_given_back() {
    let count = r#"char count[80]; sprintf(count, "{\"code\":100,\"msg\":\"%d\"}", not_freed);"#;
    let library = Library::new(&format!(
        "{count} answer.output = text(count); answer.exit_code = 1;"
    ));
    for _ in 0..50 {
        // The one that is being made.
        assert_eq!(library.run(Verb::Del), Err(Error::new(Code(100), "1")));
    }
}

/// Each call waits for another one, and for ten seconds at most.
const TWO: &str = "static _Atomic int most; if (inside > most) most = inside;
    for (int i = 0; i < 10000 && most < 2; i++) usleep(1000);
    answer.exit_code = most < 2;";

#[test]
fn a_library_is_called_by_several_threads_at_once() {
    let library = Library::new(TWO);
    thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| library.run(Verb::Del)));
        both.into_iter().for_each(|one| one.join().unwrap().unwrap());
    });
}

#[test]
fn a_call_that_leaves_the_network_namespace_leaves_no_other_there() {
    // Without root it stays, and so do the others.
    let library = Library::new(
        r#"char netns[64]; ssize_t length = readlink("/proc/thread-self/ns/net", netns, sizeof netns);
        keep(DIR "/netns", bytes(netns, length)); unshare(CLONE_NEWNET);"#,
    );
    let ours = fs::read_link("/proc/thread-self/ns/net").unwrap();
    for _ in 0..20 {
        library.run(Verb::Del).unwrap();
        assert_eq!(library.read("netns"), ours.to_str().unwrap());
    }
}

#[test]
fn a_value_cannot_bring_a_variable_along() {
    let mut library = Library::new(KEEP);
    library.netns = "/nowhere/ns\0CNI_NETNS_OVERRIDE=1";
    fails(
        library.add(),
        Code::IO,
        r#"run plugin "fake"; nul byte found in provided data"#,
    );
}

#[test]
fn a_thread_waits_a_moment_and_no_longer() {
    let library = Library::new(
        r#"char thread[20]; int length = snprintf(thread, sizeof thread, "%d", gettid());
        keep(DIR "/thread", bytes(thread, length));"#,
    );
    library.run(Verb::Del).unwrap();
    let thread = std::path::PathBuf::from("/proc/self/task").join(library.read("thread"));
    let started = Instant::now();
    while thread.exists() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "{thread:?} is still there"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_library_that_hangs_is_named_and_refused() {
    let mut library = Library::new("for (;;) pause();");
    library.deadline = Some(Duration::from_millis(300));
    let started = Instant::now();
    fails(
        library.run(Verb::Del),
        Code::TRY_AGAIN,
        "plugin \"fake\" did not end DEL in time; \"",
    );
    library.deadline = None;
    let refused = "plugin \"fake\" hangs in DEL, which did not end in time; \"";
    fails(library.add(), Code::TRY_AGAIN, refused);
    fails(
        library.run(Verb::Status),
        Code::UNAVAILABLE,
        &library.file().display().to_string(),
    );
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "nobody waited for it"
    );
    let mut status = Library::new("for (;;) pause();");
    status.deadline = Some(Duration::from_millis(100));
    fails(
        status.run(Verb::Status),
        Code::UNAVAILABLE,
        "did not end STATUS in time",
    );
}

#[test]
fn a_library_that_hangs_is_refused_by_any_other_path() {
    let mut library = Library::new("for (;;) pause();");
    let dir = library.dir.0.clone();
    symlink(".", dir.join("link")).unwrap();
    fs::create_dir(dir.join("hard")).unwrap();
    made::set_mode(&dir.join("hard"), 0o755);
    fs::hard_link(library.file(), dir.join("hard/fake.so")).unwrap();
    library.deadline = Some(Duration::from_millis(300));
    fails(library.run(Verb::Del), Code::TRY_AGAIN, "did not end DEL in time");
    library.deadline = Some(Duration::from_secs(60));
    for other in ["", "./hard/..", "link", "hard"] {
        library.dir.0 = dir.join(other);
        fails(library.add(), Code::TRY_AGAIN, "plugin \"fake\" hangs in DEL");
    }
    // Another that speaks to the same file.
    library.dylib = made::dylib();
    fails(library.add(), Code::TRY_AGAIN, "plugin \"fake\" hangs in DEL");
    library.dir.0 = dir;
}

/// Lets what waits for it go on, and waits until the library is used again.
fn is_used_again(mut library: Library) {
    fs::write(library.dir.0.join("go"), "").unwrap();
    library.deadline = Some(Duration::from_secs(60));
    let used = (0..1000).any(|_| {
        thread::sleep(Duration::from_millis(10));
        library.run(Verb::Del).is_ok()
    });
    assert!(used);
}

#[test]
fn a_library_that_was_only_late_is_used_again() {
    let mut library = Library::new(r#"while (access(DIR "/go", F_OK)) usleep(1000);"#);
    library.deadline = Some(Duration::from_millis(200));
    fails(library.run(Verb::Del), Code::TRY_AGAIN, "did not end DEL in time");
    is_used_again(library);
}

#[test]
fn loading_has_to_end_in_time_as_well() {
    let waits = r#"-DLOADING=while (access(DIR "/go", F_OK)) usleep(1000)"#;
    let mut library = Library::with_flags("", &[waits]);
    library.deadline = Some(Duration::from_millis(200));
    fails(library.run(Verb::Del), Code::TRY_AGAIN, "did not end DEL in time");
    is_used_again(library);
}

#[test]
fn a_library_without_time_is_not_called() {
    let mut library = Library::new(KEEP);
    library.deadline = Some(Duration::ZERO);
    fails(
        library.run(Verb::Del),
        Code::TRY_AGAIN,
        "no time was left for DEL of plugin \"fake\"",
    );
    assert!(!library.dir.0.join("input").exists());
}

#[test]
fn a_library_that_is_loaded_stays_as_it_is() {
    let library = Library::new(r#"keep(DIR "/which", text("first"));"#);
    library.run(Verb::Del).unwrap();
    library.compile(r#"keep(DIR "/which", text("second"));"#, &[]);
    fs::remove_file(library.dir.0.join("which")).unwrap();
    library.run(Verb::Del).unwrap();
    assert_eq!(library.read("which"), "first");
    fs::remove_file(library.file()).unwrap();
    library.run(Verb::Del).unwrap();
}
