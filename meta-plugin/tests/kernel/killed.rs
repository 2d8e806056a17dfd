//! A process that is killed while it attaches, at every record of its journal and inside each.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use cni_core::spec::NetnsPath;
use cni_net::At;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::fixture::{Container, Ground, Machine};

/// The signal of a process that writes beyond its limit.
const SIGXFSZ: i32 = 25;

/// A process that attaches. The kernel kills it when a file grows beyond `limit` bytes: the journal's records
/// come before everything else that is written, so that is where it dies.
fn attaching(limit: u64, ground: &Ground, pod: &Container) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let dir = ground.dir.display();
    let orders = format!("{}\n{}\n{dir}\n{limit}\n", ground.host.path(), pod.path);
    child.stdin.take().unwrap().write_all(orders.as_bytes()).unwrap();
    child
}

/// Far above what the journal holds.
const NO_LIMIT: u64 = 1 << 20;

#[test]
#[ignore = "the process that f05 kills: f05 runs it"]
fn child() {
    let mut orders = String::new();
    std::io::stdin().read_to_string(&mut orders).unwrap();
    let orders: Vec<&str> = orders.lines().collect();
    let machine = Machine::at(&NetnsPath::new(orders[0]), &PathBuf::from(orders[2]));
    let pod = Container::at("c1", NetnsPath::new(orders[1]));
    let limit = |bytes| Rlimit {
        current: Some(bytes),
        maximum: None,
    };
    setrlimit(Resource::Core, limit(0)).unwrap();
    setrlimit(Resource::Fsize, limit(orders[3].parse().unwrap())).unwrap();
    eprintln!("go");
    machine.attach(&pod, &machine.three()).unwrap();
}

#[test]
fn f05_killed_at_any_record_of_add_a_del_leaves_nothing() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    assert!(attaching(NO_LIMIT, &ground, &pod).wait().unwrap().success());
    let path = machine.node.state.calls().unwrap().remove(0).2;
    let journal = std::fs::read(path).unwrap();
    machine.detach(&pod).unwrap();
    machine.assert_clean();
    let ends: Vec<usize> = (0..journal.len())
        .filter(|at| journal[*at] == b'\n')
        .map(|at| at + 1)
        .collect();
    assert_eq!(ends.len(), 8, "the call, two records for each network, finished");
    // Before the first byte of each record, and in its middle.
    let middles = ends.iter().map(|end| end - 9);
    for limit in ends.iter().copied().take(ends.len() - 1).chain(middles) {
        let status = attaching(limit as u64, &ground, &pod).wait().unwrap();
        assert_eq!(status.signal(), Some(SIGXFSZ), "at {limit}: {status}");
        let error = plexus::check::run(&machine.node, &pod.id(), Some(&pod.path)).unwrap_err();
        let partly = error.code.0 == 182 && error.msg.contains("only a part of it is attached");
        assert!(partly || error.code.0 == 3, "at {limit}: {error}");
        machine.detach(&pod).unwrap();
        assert!(machine.links(At::Netns(&pod.netns)).is_empty(), "at {limit}");
        machine.assert_clean();
    }
}

#[test]
fn f05_killed_at_any_moment_of_add_a_del_or_the_next_add_leaves_nothing() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    for moment in 0..40 {
        let mut child = attaching(NO_LIMIT, &ground, &pod);
        let said_go = child.stderr.as_mut().unwrap().read(&mut [0]).unwrap();
        assert_eq!(said_go, 1);
        thread::sleep(Duration::from_micros(500 * moment));
        child.kill().unwrap();
        let finished = child.wait().unwrap().success();
        if moment % 2 == 0 && !finished {
            // It may have been killed between its last record and its end.
            if let Err(error) = machine.attach(&pod, &machine.three()) {
                assert!(error.msg.starts_with("already attached"), "at {moment}: {error}");
            }
        }
        machine.detach(&pod).unwrap();
        assert_eq!(machine.links(At::Netns(&pod.netns)), [].into(), "at {moment}");
        machine.assert_clean();
    }
}
