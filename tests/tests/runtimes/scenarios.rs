//! What every runtime has to live through.

use std::collections::BTreeSet;
use std::process::Child;
use std::time::Duration;

use crate::containers::Container;
use crate::node::{Node, said, until};

/// A runtime, on a node of its own.
pub(crate) trait Runtime {
    /// Puts it on the node.
    fn install(node: &Node);

    /// Starts what has to run before containers can.
    fn start(node: &Node);

    /// A line of shell that starts a container.
    fn line(name: &str) -> String;

    /// What the line printed, as a container.
    fn container(node: &Node, name: &str, printed: &str) -> Container;

    /// Removes a container, whatever has become of it.
    fn remove(node: &Node, container: &Container);

    /// Removes all containers that it still knows of after it was killed.
    fn clean_up(node: &Node);

    /// The name of the program that attaches containers: that which the line starts, or a daemon.
    const PROGRAM: &str;

    /// A node with the runtime started.
    fn node() -> Node {
        let node = Node::new();
        Self::install(&node);
        Self::start(&node);
        node
    }

    /// Starts a container.
    #[track_caller]
    fn run(node: &Node, name: &str) -> Container {
        Self::container(node, name, &node.run(&Self::line(name)))
    }
}

/// Containers with four networks reach each other; removed, they leave nothing.
pub(crate) fn life<R: Runtime>() {
    let node = R::node();
    let before = node.look();
    let containers = ["a", "b"].map(|name| R::run(&node, name));
    node.assert_connected(&containers.each_ref());
    assert_ne!(node.look(), before);
    containers
        .iter()
        .for_each(|container| R::remove(&node, container));
    assert_eq!(node.look(), before);
}

/// A container's process is killed.
pub(crate) fn death<R: Runtime>() {
    let (node, living, before) = with_one::<R>();
    let dead = R::run(&node, "dead");
    node.kill_process(&dead);
    R::remove(&node, &dead);
    finish::<R>(&node, living, &before);
}

/// The runtime is killed between ADD and DEL, with all that watches over a container, and the container.
pub(crate) fn crash<R: Runtime>(kill: impl FnOnce(&Node)) {
    let (node, living, before) = with_one::<R>();
    let dead = R::run(&node, "dead");
    kill(&node);
    node.kill_with_its_watcher(&dead);
    R::start(&node);
    R::remove(&node, &dead);
    finish::<R>(&node, living, &before);
}

/// The node is switched off and on: the namespaces are gone, the state stays.
pub(crate) fn reboot<R: Runtime>() {
    let mut node = R::node();
    let before = node.look();
    let gone = ["a", "b"].map(|name| R::run(&node, name));
    node.reboot();
    let kept = node.look();
    assert!(
        gone.iter()
            .all(|container| kept.iter().any(|one| one.contains(&container.id))),
        "{kept:?}"
    );
    R::start(&node);
    let living = R::run(&node, "living");
    // One the runtime removes before GC, and one it does not remember until then.
    R::remove(&node, &gone[0]);
    node.gc(&[&living]);
    let left = node.look();
    let dead = |one: &&String| gone.iter().any(|container| one.contains(&container.id));
    assert_eq!(left.iter().find(dead), None, "of {left:?}");
    R::remove(&node, &gone[1]);
    assert_eq!(node.look(), left);
    node.assert_attached(&living);
    R::remove(&node, &living);
    assert_eq!(node.look(), before);
}

/// The runtime is killed while its ADD runs, or soon after.
pub(crate) fn killed_while_starting<R: Runtime>() {
    let node = R::node();
    let before = node.look();
    for milliseconds in [0, 5, 10, 20, 40, 80] {
        let mut starting = begin::<R>(&node, milliseconds);
        node.kill(R::PROGRAM);
        starting.wait().unwrap();
        // What the runtime had begun goes on without it; GC is for when no ADD runs.
        let idle = || (!node.output("pgrep -x plexus").status.success()).then_some(());
        until("plexus ends", idle, String::new);
        R::start(&node);
        R::clean_up(&node);
        node.gc(&[]);
        assert_eq!(node.look(), before, "killed after {milliseconds} ms");
    }
}

/// The node is switched off while an ADD runs, or soon after.
pub(crate) fn power_cut<R: Runtime>() {
    let mut node = R::node();
    let before = node.look();
    for milliseconds in [0, 10, 40] {
        let mut starting = begin::<R>(&node, milliseconds);
        node.reboot();
        starting.wait().unwrap();
        R::start(&node);
        R::clean_up(&node);
        node.gc(&[]);
        assert_eq!(node.look(), before, "switched off after {milliseconds} ms");
    }
}

/// Starts a container, and waits until its ADD has begun and some time more.
fn begin<R: Runtime>(node: &Node, milliseconds: u64) -> Child {
    let starting = node.begin(&R::line("dead"));
    let begun = || (!node.journals().is_empty()).then_some(());
    until("ADD begins", begun, String::new);
    std::thread::sleep(Duration::from_millis(milliseconds));
    starting
}

/// After a crash a container of the same name is started: no GC is needed for what came before it.
pub(crate) fn again<R: Runtime>(kill: impl FnOnce(&Node)) {
    let node = R::node();
    let before = node.look();
    let dead = R::run(&node, "dead");
    kill(&node);
    node.kill_with_its_watcher(&dead);
    R::start(&node);
    R::remove(&node, &dead);
    let again = R::run(&node, "dead");
    node.assert_attached(&again);
    R::remove(&node, &again);
    assert_eq!(node.look(), before);
}

/// Many containers are started at once, and removed at once.
pub(crate) fn many<R: Runtime>() {
    let node = R::node();
    let before = node.look();
    let names: Vec<String> = (0..8).map(|number| format!("many{number}")).collect();
    let started = names.iter().map(|name| node.begin(&R::line(name)));
    let started: Vec<Child> = started.collect();
    let printed = started.into_iter().map(finished);
    let containers = names.iter().zip(printed.collect::<Vec<_>>());
    let containers: Vec<Container> = containers
        .map(|(name, printed)| R::container(&node, name, &printed))
        .collect();
    let mut addresses = BTreeSet::new();
    for container in &containers {
        addresses.extend(node.assert_attached(container).into_values().flatten());
    }
    assert_eq!(addresses.len(), 4 * containers.len(), "{addresses:?}");
    node.assert_connected(&[&containers[0], &containers[7]]);
    std::thread::scope(|scope| {
        for container in &containers {
            scope.spawn(|| R::remove(&node, container));
        }
    });
    assert_eq!(node.look(), before);
}

#[track_caller]
fn finished(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn with_one<R: Runtime>() -> (Node, Container, [BTreeSet<String>; 2]) {
    let node = R::node();
    let empty = node.look();
    let living = R::run(&node, "living");
    let one = node.look();
    (node, living, [empty, one])
}

/// Of the dead container nothing is left but what GC removes, and of the living one all.
fn finish<R: Runtime>(node: &Node, living: Container, [empty, one]: &[BTreeSet<String>; 2]) {
    node.gc(&[&living]);
    assert_eq!(node.look(), *one);
    node.assert_attached(&living);
    R::remove(node, &living);
    assert_eq!(node.look(), *empty);
}
