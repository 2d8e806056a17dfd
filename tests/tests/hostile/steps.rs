//! A call that is killed at each of its steps in turn: at what changes the kernel's network or a file.

use crate::node::stride;
use crate::traced::Machine;

/// The system calls that change something, as `strace` names them on every architecture.
const CHANGES: [&str; 9] = [
    "sendto",
    "write",
    "fsync",
    "fdatasync",
    "?/^mkdir(at)?$",
    "?/^link(at)?$",
    "?/^rename(at2?)?$",
    "?/^unlink(at)?$",
    "?/^rmdir$",
];

/// Kills `verb` before each of its steps, on the machine as `before` leaves it; then one of `next` in turn, and a
/// DEL if that was an ADD, leaves nothing.
fn killed(before: impl Fn(&Machine), verb: &str, next: &[&str]) {
    let machine = Machine::new();
    let mut next = next.iter().cycle();
    let mut steps = 0;
    for (first, calls) in (0..).zip(CHANGES) {
        for nth in (1 + first % stride()..).step_by(stride()) {
            before(&machine);
            let output = machine.injected(verb, calls, nth, "signal=KILL");
            let after = next.next().unwrap();
            if *after == "ADD" {
                // It may have been killed between its last record and its end: then this is the second.
                machine.node.output(machine.node.call("ADD", &machine.pod));
                assert_eq!(machine.pod.links().len(), 5, "{calls} {nth}");
                machine.done("DEL");
            } else {
                machine.done(after);
            }
            machine.assert_clean(&format!("{verb} was killed at {calls} {nth}, and {after} came"));
            if output.is_none() {
                break;
            }
            steps += 1;
        }
    }
    assert!(steps * stride() > 40, "{verb} was killed {steps} times");
}

#[test]
fn f05_killed_at_any_step_of_add_a_del_a_gc_or_the_next_add_leaves_nothing() {
    killed(|_| {}, "ADD", &["DEL", "GC", "ADD"]);
}

#[test]
fn f05_killed_at_any_step_of_an_add_after_a_killed_one_a_del_or_gc_leaves_nothing() {
    let killed_once = |machine: &Machine| {
        drop(
            machine
                .injected("ADD", "?/^rename(at2?)?$", 4, "signal=KILL")
                .unwrap(),
        )
    };
    killed(killed_once, "ADD", &["DEL", "GC"]);
}

#[test]
fn f05_killed_at_any_step_of_del_the_next_del_or_gc_leaves_nothing() {
    killed(|machine| machine.done("ADD"), "DEL", &["DEL", "GC"]);
}

#[test]
fn f05_killed_at_any_step_of_gc_the_next_gc_or_del_leaves_nothing() {
    killed(|machine| machine.done("ADD"), "GC", &["GC", "DEL"]);
}
