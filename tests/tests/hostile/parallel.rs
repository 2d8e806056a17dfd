//! Many at once.

use std::collections::BTreeSet;
use std::thread;

use plexus_tests::pod::Pod;

use crate::node::{NETWORKS, Node, rounds};

#[test]
fn twenty_pods_with_four_networks_each_come_and_go_at_once() {
    let node = Node::new();
    let pods: Vec<(String, Pod)> = (0..20).map(|n| (format!("c{n}"), Pod::new())).collect();
    thread::scope(|scope| {
        for (id, pod) in &pods {
            scope.spawn(|| node.done(node.attach(id, pod, NETWORKS)));
        }
    });
    for (_, pod) in &pods {
        assert_eq!(pod.links(), ["lo", "eth0", "net1", "net2", "net3"]);
    }
    let addresses = node.reserved();
    let distinct: BTreeSet<&String> = addresses.iter().collect();
    assert_eq!((addresses.len(), distinct.len()), (100, 100));
    thread::scope(|scope| {
        for (id, _) in &pods {
            scope.spawn(|| node.done(node.detach(id)));
        }
    });
    node.assert_clean(&pods.iter().map(|(_, pod)| pod).collect::<Vec<_>>());
}

#[test]
fn attach_and_detach_of_one_container_at_once_leave_all_or_nothing() {
    let node = Node::new();
    for _ in 0..rounds(10) {
        let pod = Pod::new();
        thread::scope(|scope| {
            scope.spawn(|| node.done(node.attach("c1", &pod, NETWORKS)));
            for _ in 0..3 {
                scope.spawn(|| node.done(node.detach("c1")));
            }
        });
        let links = pod.links().len();
        assert!(links == 1 || links == 5, "{links} links");
        node.done(node.detach("c1"));
        node.assert_clean(&[&pod]);
    }
}

#[test]
fn two_calls_of_one_container_are_told_apart_by_their_interface() {
    let node = Node::new();
    let pod = Pod::new();
    let call = |ifname: &str, networks: &str| {
        let mut attach = node.attach("c1", &pod, networks);
        attach.args(["--ifname", ifname]);
        node.done(attach);
    };
    thread::scope(|scope| {
        scope.spawn(|| call("eth0", "lan@a1,segment@a2"));
        scope.spawn(|| call("eth1", "lan@b1,segment@b2"));
    });
    assert_eq!(pod.links().len(), 7);
    let mut detach = node.detach("c1");
    detach.args(["--ifname", "eth0"]);
    node.done(detach);
    let mut check = node.installed.command(&["check", "--container-id", "c1"]);
    check.args(["--ifname", "eth1"]);
    node.done(check);
    assert_eq!(node.reserved().len(), 4, "two for eth1, one for b1 and b2 each");
    let left: BTreeSet<String> = pod.links().into_iter().collect();
    assert_eq!(
        left.iter().map(String::as_str).collect::<Vec<_>>(),
        ["b1", "b2", "eth1", "lo"]
    );
    node.done(node.detach("c1"));
    node.assert_clean(&[&pod]);
}
