//! One process that attaches and detaches for hours, as a daemon does.

use std::fs;

use cni_net::At;

use crate::fixture::{Container, Ground, Machine};

/// How many pods come and go.
const PODS: usize = 5_000;

/// How many of them fill caches and pools.
const FIRST: usize = 250;

/// How much memory may have grown after that, in KiB: what an allocator keeps for itself varies.
const GROWTH: usize = 4096;

/// What this process holds.
#[derive(Debug)]
struct Held {
    descriptors: usize,
    threads: usize,
    /// In KiB.
    memory: usize,
}

impl Held {
    fn now() -> Self {
        let count = |directory: &str| fs::read_dir(directory).unwrap().count();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Self {
            descriptors: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
            memory: memory.unwrap().trim().parse().unwrap(),
        }
    }
}

#[test]
#[ignore = "it takes minutes, and counts what the whole process holds: tests/run soak runs it"]
fn thousands_of_pods_leave_process_and_kernel_as_they_were() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let links = machine.links(At::Host);
    let (mut before, mut after) = (None, None);
    for number in 0..=PODS {
        let pod = Container::new(&format!("c{number}"));
        machine.attach(&pod, &machine.three()).unwrap();
        machine.detach(&pod).unwrap();
        assert!(machine.links(At::Netns(&pod.netns)).is_empty(), "pod {number}");
        match number {
            FIRST => before = Some(Held::now()),
            PODS => after = Some(Held::now()),
            _ => {}
        }
        if number % 500 == FIRST {
            eprintln!("after {number} pods: {:?}", Held::now());
        }
    }
    machine.assert_clean();
    eprintln!("host before: {links:?}, after: {:?}", machine.links(At::Host));
    let (before, after) = (before.unwrap(), after.unwrap());
    eprintln!("{before:?}, then {after:?}");
    assert_eq!(
        (after.descriptors, after.threads),
        (before.descriptors, before.threads)
    );
    assert!(
        after.memory <= before.memory + GROWTH,
        "{before:?}, then {after:?}"
    );
}
