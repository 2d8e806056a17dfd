//! What it costs to call a plugin, without what the plugin does.

use std::path::Path;
use std::time::Instant;

use cni_core::invoke::{Call, Dylib, Exec, Invoke, Verb};

use super::calls::{builtin, libraries, programs, with_call};
use super::median;

/// Calls that are timed together: one is too short for the clock.
const BATCH: u32 = 200;

/// Prints what a call costs in the same process, and what an executable costs beside one that does nothing.
pub(crate) fn report() {
    println!(
        "\n{:<44} {:>9} {:>9}",
        "a call, without the plugin's work", "ADD", "DEL"
    );
    let libraries = libraries();
    in_process("linked in", &builtin(), libraries.path());
    in_process("in a shared library", &Dylib::new(), libraries.path());
    executed();
}

fn in_process(what: &str, invoke: &dyn Invoke, directory: &Path) {
    let add = median((0..50).map(|_| each(directory, |call| drop(invoke.add(call).unwrap()))));
    let del = median((0..50).map(|_| each(directory, |call| invoke.run(Verb::Del, call).unwrap())));
    println!("{what:<44} {:>6.1} µs {:>6.1} µs", add * 1e6, del * 1e6);
}

/// Seconds that one of many calls takes.
fn each(directory: &Path, one: impl Fn(&Call<'_>)) -> f64 {
    with_call("noop", directory, |call| {
        let start = Instant::now();
        (0..BATCH).for_each(|_| one(call));
        start.elapsed().as_secs_f64() / f64::from(BATCH)
    })
}

/// A program that is the skeleton alone beside one that is nothing, both static, in turn.
fn executed() {
    let exec = Exec::new();
    let (mut noop, mut empty) = (Vec::new(), Vec::new());
    for round in 0..=200 {
        let pair = (del(&exec, "noop"), del(&exec, "empty"));
        if round > 0 {
            noop.push(pair.0);
            empty.push(pair.1);
        }
    }
    let ratio = median(noop.iter().zip(&empty).map(|(noop, empty)| noop / empty));
    for (what, times) in [
        ("executed", noop),
        ("executed, a program that does nothing", empty),
    ] {
        println!("{what:<44} {:>9} {:>6.0} µs", "", median(times.into_iter()) * 1e6);
    }
    println!("{:<44} {:>9} {ratio:>6.2} ×", "ratio", "");
}

/// Seconds that DEL of the executable takes; it has no result, so that a program that does nothing succeeds.
fn del(exec: &Exec, plugin: &str) -> f64 {
    with_call(plugin, &programs(), |call| {
        let start = Instant::now();
        exec.run(Verb::Del, call).unwrap();
        start.elapsed().as_secs_f64()
    })
}
