//! A call to which the system refuses something, at each place in turn: the disk is full, broken or read-only, there
//! are no more files or no memory.

use std::process::Output;

use serde_json::Value;

use crate::node::stride;
use crate::traced::Machine;

/// System calls, as `strace` names them on every architecture, and what each is refused with.
const REFUSALS: [(&str, &str); 12] = [
    ("openat", "EMFILE"),
    ("read", "EIO"),
    ("write", "ENOSPC"),
    ("fsync", "EIO"),
    ("fdatasync", "EIO"),
    ("flock", "ENOLCK"),
    ("sendto", "ENOBUFS"),
    ("?/^mkdir(at)?$", "EROFS"),
    ("?/^link(at)?$", "ENOSPC"),
    ("?/^rename(at2?)?$", "ENOSPC"),
    ("?/^unlink(at)?$", "EROFS"),
    ("?/^rmdir$", "EROFS"),
];

/// Codes that say whose fault it is: input and output, the namespace, the kernel, vxlan's files, host-local's,
/// tuning's, a definition that cannot be read, the journal.
const CODES: [u64; 8] = [5, 8, 100, 134, 143, 156, 170, 180];

/// Refuses `verb` each of its system calls, on the machine as `before` leaves it. A failure says what it is, what
/// succeeded needs nobody after it, and in the end one of `next` leaves nothing.
fn refused(before: impl Fn(&Machine), verb: &str, next: &[&str]) {
    let machine = Machine::new();
    let mut next = next.iter().cycle();
    for (first, (calls, error)) in (0..).zip(REFUSALS) {
        for nth in (1 + first % stride()..).step_by(stride()) {
            before(&machine);
            let when = format!("{verb}, refused {calls} {nth}");
            let Some(output) = machine.injected(verb, calls, nth, &format!("error={error}")) else {
                machine.done("DEL");
                break;
            };
            match (verb, output.status.success()) {
                ("ADD", true) => machine.done("CHECK"),
                (_, true) => machine.assert_clean(&when),
                (_, false) => says_why(&output, &when),
            }
            machine.done(next.next().unwrap());
            machine.assert_clean(&when);
        }
    }
}

/// Asserts that the answer is an error of the right kind.
fn says_why(output: &Output, when: &str) {
    /// The dynamic linker could not even start the program.
    const NOT_STARTED: Option<i32> = Some(127);
    let unsaid = String::from_utf8_lossy(&output.stderr).contains("write answer");
    if output.status.code() == NOT_STARTED || unsaid {
        return;
    }
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let known = answer["code"].as_u64().is_some_and(|code| CODES.contains(&code));
    assert!(known, "{when}: {output:?}");
}

#[test]
fn refused_anything_an_add_says_so_and_a_del_or_gc_leaves_nothing() {
    refused(|_| {}, "ADD", &["DEL", "GC"]);
}

#[test]
fn refused_anything_a_del_says_so_and_the_next_del_or_gc_leaves_nothing() {
    refused(|machine| machine.done("ADD"), "DEL", &["DEL", "GC"]);
}

#[test]
fn refused_anything_a_gc_says_so_and_the_next_gc_or_del_leaves_nothing() {
    refused(|machine| machine.done("ADD"), "GC", &["GC", "DEL"]);
}
