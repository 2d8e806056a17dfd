//! Processes that end at any moment.

use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use plexus_tests::pod::Pod;
use serde_json::json;

use crate::node::{Moments, NETWORKS, Node, rounds};
use crate::traced::Machine;

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    // It may have ended already.
    drop(Command::new("kill").args(["-s", name, &pid]).output().unwrap());
}

#[test]
fn f05_killed_attaching_at_any_moment_a_detach_leaves_nothing() {
    let node = Node::new();
    let mut moments = Moments::up_to(40_000);
    for (round, name) in (0..rounds(60)).zip(["KILL", "INT", "TERM"].into_iter().cycle()) {
        let pod = Pod::new();
        let mut child = node.spawn(node.attach("c1", &pod, NETWORKS));
        thread::sleep(moments.next());
        signal(&child, name);
        let finished = child.wait().unwrap().success();
        if round % 2 == 0 && !finished {
            // Whatever is left is in nobody's way.
            let again = node.output(node.attach("c1", &pod, NETWORKS));
            assert_eq!(pod.links().len(), 5, "round {round}: {again:?}");
        }
        node.done(node.detach("c1"));
        node.assert_clean(&[&pod]);
    }
}

#[test]
fn f05_killed_detaching_at_any_moment_the_next_detach_leaves_nothing() {
    let node = Node::new();
    let mut moments = Moments::up_to(60_000);
    for round in 0..rounds(40) {
        let pod = Pod::new();
        node.done(node.attach("c1", &pod, NETWORKS));
        let mut child = node.spawn(node.detach("c1"));
        thread::sleep(moments.next());
        signal(&child, "KILL");
        child.wait().unwrap();
        if round % 3 == 0 {
            let path = pod.path().to_owned();
            drop(pod);
            let mut detach = node.detach("c1");
            detach.args(["--netns", &path]);
            node.done(detach);
            node.assert_clean(&[]);
        } else {
            node.done(node.detach("c1"));
            node.assert_clean(&[&pod]);
        }
    }
}

#[test]
fn a_pod_that_vanishes_at_any_moment_of_attach_or_detach_leaves_nothing() {
    let node = Node::new();
    let mut moments = Moments::up_to(40_000);
    for round in 0..rounds(40) {
        // It has a name, since the number of a descriptor would be another test's pod at once.
        let name = format!("vanishing-{}", std::process::id());
        node.ip(&format!("netns add {name}"));
        let path = format!("/run/netns/{name}");
        let attach = node.attach_at("c1", &path, NETWORKS);
        let mut child = if round % 2 == 0 {
            node.spawn(attach)
        } else {
            node.done(attach);
            node.spawn(node.detach("c1"))
        };
        thread::sleep(moments.next());
        node.ip(&format!("netns del {name}"));
        child.wait().unwrap();
        let mut detach = node.detach("c1");
        detach.args(["--netns", &path]);
        node.done(detach);
        node.assert_clean(&[]);
    }
}

#[test]
fn f05_killed_at_random_moments_a_del_or_gc_leaves_what_there_was_before() {
    let machine = Machine::new();
    let Machine { node, pod, .. } = &machine;
    let started = Instant::now();
    machine.done("ADD");
    let mut moments = Moments::up_to(started.elapsed().as_micros() as u64);
    machine.done("DEL");
    let orders = ["ADD", "DEL", "GC"].into_iter().cycle();
    let mut in_the_middle = 0;
    for (round, verb) in (0..rounds(50)).zip(orders) {
        if verb != "ADD" {
            machine.done("ADD");
        }
        let mut child = node.spawn(node.call(verb, pod));
        thread::sleep(moments.next());
        signal(&child, "KILL");
        in_the_middle += u32::from(!child.wait().unwrap().success());
        if round % 4 == 0 {
            // Whatever is left, and whether it is killed itself, it is in nobody's way.
            let mut again = node.spawn(node.call("ADD", pod));
            thread::sleep(moments.next());
            signal(&again, "KILL");
            again.wait().unwrap();
        }
        machine.done(if round % 2 == 0 { "DEL" } else { "GC" });
        machine.assert_clean(&format!("round {round}, {verb}"));
    }
    eprintln!("{in_the_middle} were killed before their end");
    assert!(in_the_middle > 0);
}

#[test]
fn a_del_does_not_overtake_a_plugin_whose_caller_was_killed() {
    let node = Node::new();
    let (began, made) = (node.installed.path("began"), node.installed.path("made"));
    let script = format!(
        "#!/bin/sh\ncase $CNI_COMMAND in\nADD) touch {b}; sleep 0.5; touch {m}; echo '{{}}' ;;\nDEL) rm -f {m} ;;\nesac\n",
        b = began.display(),
        m = made.display(),
    );
    node.installed.plugin("slow", script.as_bytes());
    node.nad("slow", &json!({"cniVersion": "1.0.0", "type": "slow"}));
    let pod = Pod::new();
    let mut child = node.spawn(node.attach("c1", &pod, "slow"));
    let deadline = Instant::now() + Duration::from_secs(5);
    while !began.exists() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    node.done(node.detach("c1"));
    thread::sleep(Duration::from_millis(700));
    assert!(!made.exists(), "its ADD ended after its DEL");
    node.assert_clean(&[&pod]);
}

#[test]
fn what_a_plugin_leaves_running_does_not_keep_the_container_locked() {
    let node = Node::new();
    node.installed
        .plugin("daemon", b"#!/bin/sh\nsetsid sleep 30 &\necho '{}'\n");
    node.nad("daemon", &json!({"cniVersion": "1.0.0", "type": "daemon"}));
    let pod = Pod::new();
    node.done(node.attach("c1", &pod, "daemon"));
    let started = Instant::now();
    node.done(node.detach("c1"));
    assert!(started.elapsed() < Duration::from_secs(5));
    node.assert_clean(&[&pod]);
}
