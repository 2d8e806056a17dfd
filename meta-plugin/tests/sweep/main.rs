//! The fault sweep over attaching and detaching: a pod with three networks on a fake kernel, each call to the
//! kernel failing in turn, the plugins' own among them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod grouped;
mod machine;

use cni_net::fake::{Failing, FakeNet, Fault};
use machine::Machine;

/// Runs `case` with each call failing in turn, until there are no more of them.
fn each_call(fault: Fault, case: impl Fn(&Machine, &Failing<FakeNet>, usize)) {
    /// Far more than any verb needs.
    const ENOUGH: usize = 1000;
    for nth in 0..ENOUGH {
        let machine = Machine::new();
        let failing = Failing::new(machine.net.clone(), nth, fault);
        case(&machine, &failing, nth);
        if !failing.has_failed() {
            assert!(nth > 0, "the kernel was not asked for anything");
            return;
        }
    }
    panic!("there is no end of calls");
}

fn attaching(fault: Fault) {
    each_call(fault, |machine, failing, nth| {
        match machine.attach(failing) {
            // What can be done without, or was done another way: then the whole is there.
            Ok(_) => machine.check(&machine.net).unwrap(),
            Err(_) if fault == Fault::Refused => machine.is_clean(nth, "attach that failed"),
            Err(_) => {}
        }
        machine.detach(&machine.net).unwrap();
        machine.is_clean(nth, "detach");
        // Nothing stands in the way of the next one.
        machine.attach(&machine.net).unwrap();
        machine.check(&machine.net).unwrap();
        machine.detach(&machine.net).unwrap();
        machine.is_clean(nth, "attach and detach again");
    });
}

#[test]
fn an_attach_that_fails_anywhere_leaves_nothing() {
    attaching(Fault::Refused);
}

#[test]
fn an_attach_whose_answer_is_lost_anywhere_leaves_nothing_after_detach() {
    attaching(Fault::Lost);
}

#[test]
fn an_attach_that_fails_anywhere_is_made_good_by_the_next() {
    for fault in [Fault::Refused, Fault::Lost] {
        each_call(fault, |machine, failing, nth| {
            if machine.attach(failing).is_err() {
                machine.attach(&machine.net).unwrap();
            }
            machine.check(&machine.net).unwrap();
            machine.detach(&machine.net).unwrap();
            machine.is_clean(nth, "detach");
        });
    }
}

#[test]
fn a_detach_that_fails_anywhere_is_completed_by_the_next() {
    for (fault, there) in [
        (Fault::Refused, true),
        (Fault::Lost, true),
        (Fault::Refused, false),
    ] {
        each_call(fault, |machine, failing, nth| {
            machine.attach(&machine.net).unwrap();
            if !there {
                machine.net.del_netns(machine::POD);
            }
            if machine.detach(failing).is_ok() {
                // No runtime calls again then.
                machine.is_clean(nth, "detach that overcame a failure");
            }
            machine.detach(&machine.net).unwrap();
            machine.is_clean(nth, "detach after one that failed");
        });
    }
}

#[test]
fn a_check_that_fails_anywhere_changes_nothing() {
    each_call(Fault::Refused, |machine, failing, nth| {
        machine.attach(&machine.net).unwrap();
        let before = machine.state();
        let checked = machine.check(failing);
        assert_eq!(checked.is_err(), failing.has_failed(), "call {nth}: {checked:?}");
        assert_eq!(machine.state(), before, "after CHECK failed at call {nth}");
    });
}

#[test]
fn a_gc_that_fails_anywhere_is_completed_by_the_next() {
    for fault in [Fault::Refused, Fault::Lost] {
        each_call(fault, |machine, failing, nth| {
            machine.attach(&machine.net).unwrap();
            let before = machine.state();
            machine.gc(&machine.net, true).unwrap();
            assert_eq!(machine.state(), before, "after GC that keeps the pod");
            if machine.gc(failing, false).is_ok() {
                machine.is_clean(nth, "GC that overcame a failure");
            }
            machine.gc(&machine.net, false).unwrap();
            machine.is_clean(nth, "GC after one that failed");
        });
    }
}
