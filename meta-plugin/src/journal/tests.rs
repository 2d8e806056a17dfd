use std::time::{Duration, Instant};

use cni_core::invoke::Choice;
use cni_core::spec::{Code, Error};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

/// A journal as version 0.1.0 writes it: every kind of record.
const GOLDEN: &[u8] = include_bytes!("../../tests/golden/journal-1");

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("plexus-journal-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(50)
}

fn lock(state: &StateDir) -> Locked {
    state.lock(&"c1".parse().unwrap(), soon()).unwrap()
}

fn call() -> Call {
    let planned = ["eth0", "net1"].map(|ifname| Planned {
        network: format!("default/{ifname}"),
        ifname: ifname.parse().unwrap(),
    });
    Call {
        journal: VERSION,
        container: "c1".parse().unwrap(),
        ifname: "eth0".parse().unwrap(),
        network: Some("pods".parse().unwrap()),
        netns: "/run/netns/c1".into(),
        boot: "b".to_owned(),
        cookie: 7,
        args: "K8S_POD_NAME=p".to_owned(),
        path: vec!["/opt/cni/bin".into()],
        planned: planned.to_vec(),
    }
}

fn intended(at: u32, ifname: &str) -> Record {
    Record::Intended(Intended {
        at,
        network: format!("default/{ifname}"),
        ifname: ifname.parse().unwrap(),
        list: "{\n  \"name\": \"n\" }".to_owned(),
        capability_args: r#"{"ips":["10.1.0.2/24"]}"#.to_owned(),
        args: String::new(),
        default: at == 0,
        chosen: [("bridge", Choice::Builtin), ("other", Choice::External)]
            .map(|(kind, choice)| (kind.parse().unwrap(), choice))
            .into(),
    })
}

fn routes() -> Record {
    let route = |dev: &str| RouteRecord {
        dst: "0.0.0.0/0".parse().unwrap(),
        gw: "10.1.0.1".parse().ok(),
        dev: Some(dev.to_owned()),
        src: None,
        priority: None,
        scope: Some(0),
        mtu: None,
        advmss: None,
        protocol: Some(3),
        onlink: false,
    };
    let (removed, added) = (vec![route("eth0")], vec![route("net1")]);
    Record::Routes(RouteChange {
        at: 1,
        removed,
        added,
    })
}

/// Every kind of record, in the order of a call that fails at its third attachment.
fn records() -> Vec<Record> {
    let done = |at, result: &str| Record::Done {
        at,
        result: result.to_owned(),
    };
    let error = Error::new(Code(100), "x").with_details("y");
    let failure = Failure {
        at: 1,
        time: 1000,
        error: error.clone(),
    };
    vec![
        Record::Call(call()),
        intended(0, "eth0"),
        done(0, "{}"),
        intended(1, "net1"),
        done(1, r#"{"ips":[]}"#),
        routes(),
        Record::Finished,
        Record::Failed { error },
        Record::Deleting { at: 1 },
        Record::DelFailed(failure),
        Record::Stuck { time: 1600 },
        Record::Deleting { at: 0 },
        Record::Deleted { at: 0 },
    ]
}

fn replay(bytes: &[u8]) -> State {
    State::replay(Path::new("j"), bytes).unwrap().0
}

fn bytes() -> Vec<u8> {
    let line = |record: &Record| frame::encode(record).unwrap();
    records().iter().flat_map(line).collect()
}

#[test]
fn version_1_is_written_and_read_as_it_was_released() {
    assert_eq!(bytes(), GOLDEN);
    let state = replay(GOLDEN);
    assert_eq!(state.call, Some(call()));
    assert_eq!(state.entries.keys().copied().collect::<Vec<_>>(), [1]);
    let entry = &state.entries[&1];
    assert_eq!(entry.result.as_deref(), Some(r#"{"ips":[]}"#));
    assert_eq!(entry.routes.len(), 1);
    let deletion = entry.deletion.as_ref().unwrap();
    assert_eq!((deletion.failures, deletion.since), (1, Some(1000)));
    assert_eq!(
        (state.stuck, state.finished, state.damaged),
        (Some(1600), true, 0)
    );
    assert!(state.failed.is_some() && !state.is_attached());
}

#[test]
fn cut_at_any_byte_it_says_what_the_whole_records_before_say() {
    let whole = bytes();
    let ends: Vec<usize> = frame::lines(&whole).map(|(end, _)| end).collect();
    for cut in 0..=whole.len() {
        let (state, intact) = State::replay(Path::new("j"), &whole[..cut]).unwrap();
        let kept = ends.iter().rfind(|end| **end <= cut).copied().unwrap_or(0);
        assert_eq!(state, replay(&whole[..kept]), "cut at {cut}");
        assert_eq!((state.damaged, intact), (0, kept), "cut at {cut}");
    }
}

#[test]
fn a_damaged_middle_is_counted_and_the_rest_is_used() {
    let whole = bytes();
    let ends: Vec<usize> = frame::lines(&whole).map(|(end, _)| end).collect();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        let state = replay(&damaged);
        // A line end that is damaged takes the line behind it along.
        let in_last = at >= ends[ends.len() - 2] - 1;
        assert_eq!(state.damaged == 0, in_last, "flipped at {at}");
        assert!(!state.is_attached());
        // An attachment is forgotten only when the record of its own ADD is the damaged one.
        let in_add = (ends[2] - 1..ends[3]).contains(&at);
        assert!(in_add || state.entries.contains_key(&1), "flipped at {at}");
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let mut newer = frame::encode(&serde_json::json!({"journal": 2, "record": "call", "new": []})).unwrap();
    newer.extend(bytes());
    let error = State::replay(Path::new("/s/j"), &newer).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"journal "/s/j" has version 2, and this program reads up to 1"#
    );
    assert_eq!(Error::from(error).code, Code(181));
}

#[test]
fn a_torn_tail_is_cut_off_before_anything_is_appended() {
    let root = scratch("tail");
    let state = StateDir::new(&root);
    let dir = lock(&state);
    let mut journal = Journal::create(&dir, call()).unwrap();
    journal.append(intended(0, "eth0")).unwrap();
    journal.sync(&dir).unwrap();
    let path = journal.path().to_owned();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    let mut journal = Journal::open(&dir, &call().ifname).unwrap().unwrap();
    assert!(journal.state().entries.is_empty());
    journal.append(intended(0, "net1")).unwrap();
    let again = look(&path).unwrap().unwrap();
    assert_eq!((again.damaged, again.entries.len()), (0, 1));
    assert_eq!(again, *journal.state());
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn what_is_no_journal_is_passed_over_and_never_followed() {
    let root = scratch("foreign");
    let state = StateDir::new(&root);
    let dir = lock(&state);
    let treasure = root.join("treasure");
    std::fs::write(&treasure, "not ours").unwrap();
    std::os::unix::fs::symlink(&treasure, dir.path().join("link0")).unwrap();
    std::fs::create_dir(dir.path().join("dir0")).unwrap();
    std::fs::write(root.join("attachments/README"), "").unwrap();
    mknodat(CWD, dir.path().join("fifo0"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert_eq!(state.calls().unwrap(), []);
    assert_eq!(dir.calls().unwrap(), []);
    for name in ["link0", "dir0", "fifo0"] {
        assert!(Journal::open(&dir, &name.parse().unwrap()).is_err(), "{name}");
    }
    assert!(state.lock_known(&"README".parse().unwrap(), soon()).is_err());
    assert_eq!(std::fs::read(&treasure).unwrap(), b"not ours");
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn nobody_else_can_look_inside() {
    use std::os::unix::fs::PermissionsExt;
    let root = scratch("mode");
    let dir = lock(&StateDir::new(&root));
    let journal = Journal::create(&dir, call()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (
            mode(&root.join("attachments")),
            mode(dir.path()),
            mode(journal.path())
        ),
        (0o700, 0o700, 0o600)
    );
    assert!(Journal::create(&dir, call()).is_err(), "a call has one journal");
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_container_has_one_lock_and_waiting_for_it_ends() {
    let root = scratch("lock");
    let state = StateDir::new(&root);
    let id = "c1".parse().unwrap();
    assert!(state.lock_known(&id, soon()).unwrap().is_none());
    let held = lock(&state);
    let error = state.lock(&id, soon()).unwrap_err();
    assert_eq!(Error::from(error).code, Code::TRY_AGAIN);
    held.remove_if_empty().unwrap();
    assert_eq!(state.containers().unwrap(), []);
    lock(&state).remove_if_empty().unwrap();
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_lock_is_never_held_on_a_directory_that_was_removed() {
    let root = scratch("inode");
    let state = StateDir::new(&root);
    let holders = std::sync::atomic::AtomicU32::new(0);
    let take = || {
        for _ in 0..200 {
            let deadline = Instant::now() + Duration::from_secs(20);
            let held = state.lock(&"c1".parse().unwrap(), deadline).unwrap();
            assert_eq!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
            assert!(held.path().is_dir());
            assert_eq!(holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst), 1);
            held.remove_if_empty().unwrap();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(take);
        }
    });
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn calls_are_listed_sorted_and_foreign_names_passed_over() {
    let root = scratch("list");
    let state = StateDir::new(&root);
    for (container, ifname) in [("c2", "eth1"), ("c2", "eth0"), ("c1", "eth0")] {
        let dir = state.lock(&container.parse().unwrap(), soon()).unwrap();
        let ifname = ifname.parse().unwrap();
        drop(Journal::create(&dir, Call { ifname, ..call() }).unwrap());
    }
    std::fs::create_dir(root.join("attachments/.hidden")).unwrap();
    let calls = state.calls().unwrap();
    let names: Vec<_> = calls.iter().map(|(c, i, _)| format!("{c} {i}")).collect();
    assert_eq!(names, ["c1 eth0", "c2 eth0", "c2 eth1"]);
    std::fs::remove_dir_all(root).unwrap();
}
