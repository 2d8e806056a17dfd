//! A process that is killed while it attaches, at every record of its journal and inside each.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use cni_core::spec::NetnsPath;
use cni_net::At;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::fixture::{Container, Ground, Machine};

/// The signal of a process that writes beyond its limit.
const SIGXFSZ: i32 = 25;

/// Attaches in a process of its own, which the kernel kills when a file grows beyond `limit` bytes. The
/// journal's records come before everything else that is written, so that is where it dies.
fn attach_until(limit: u64, ground: &Ground, pod: &Container) -> ExitStatus {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let dir = ground.dir.display();
    let orders = format!("{}\n{}\n{dir}\n{limit}\n", ground.host.path(), pod.path);
    child.stdin.take().unwrap().write_all(orders.as_bytes()).unwrap();
    child.wait().unwrap()
}

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
    machine.attach(&pod, &machine.three()).unwrap();
}

#[test]
fn f05_killed_at_any_record_of_add_a_del_leaves_nothing() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    assert!(attach_until(1 << 20, &ground, &pod).success());
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
        let status = attach_until(limit as u64, &ground, &pod);
        assert_eq!(status.signal(), Some(SIGXFSZ), "at {limit}: {status}");
        machine.detach(&pod).unwrap();
        assert!(machine.links(At::Netns(&pod.netns)).is_empty(), "at {limit}");
        machine.assert_clean();
    }
}
