//! ADD, and what it does when it cannot.

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use cni_core::spec::Code;
use cni_net::link::NewVeth;
use cni_net::netns::within;
use cni_net::{At, Links};
use serde_json::json;

use crate::fixture::{Container, Ground, Machine, attachment, plan};

#[test]
fn three_networks_are_made_in_order_and_taken_away_whole() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let attached = machine.attach(&pod, &machine.three()).unwrap();
    let made: Vec<_> = attached
        .iter()
        .map(|a| (a.ifname.as_str(), a.result.ips.len()))
        .collect();
    assert_eq!(made, [("eth0", 1), ("net1", 1), ("net2", 1)]);
    let status: Vec<_> = attached.iter().flat_map(|a| a.status()).collect();
    assert_eq!(status.iter().filter(|entry| entry.default).count(), 1);
    let links = machine.links(At::Netns(&pod.netns));
    assert_eq!(links.into_iter().collect::<Vec<_>>(), ["eth0", "net1", "net2"]);
    machine.detach(&pod).unwrap();
    assert!(machine.links(At::Netns(&pod.netns)).is_empty());
    machine.assert_clean();
}

#[test]
fn when_the_time_for_the_whole_pod_is_over_nothing_more_is_made() {
    let ground = Ground::new();
    let mut machine = Machine::on(&ground);
    let pod = Container::new("c1");
    machine.node.deadlines.add = Duration::ZERO;
    let error = machine.attach(&pod, &machine.three()).unwrap_err();
    assert_eq!(error.code, Code::TRY_AGAIN);
    assert!(
        error.msg.contains("attach: the time for the whole pod is over"),
        "{error}"
    );
    assert!(machine.links(At::Netns(&pod.netns)).is_empty());
    machine.assert_clean();
}

#[test]
fn pn_4_a_pod_reaches_itself_over_its_loopback() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let reaches = |address: &'static str| {
        within(&pod.netns, move || {
            let socket = UdpSocket::bind((address, 9)).unwrap();
            socket.send_to(b"x", (address, 9)).is_ok()
        })
    };
    assert!(!reaches("127.0.0.1").unwrap());
    machine.attach(&pod, &machine.three()).unwrap();
    for address in ["127.0.0.1", "::1"] {
        assert!(reaches(address).unwrap(), "{address}");
    }
    machine.detach(&pod).unwrap();
    machine.assert_clean();
}

#[test]
fn f01_a_failing_network_undoes_those_before_it_and_keeps_its_code() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let mut networks = machine.three().attachments;
    networks.truncate(1);
    networks.push(attachment("net1", machine.list("bad", json!({ "type": "bad" }))));
    networks.push(attachment(
        "net2",
        machine.list("late", json!({ "type": "late" })),
    ));
    machine.scripted.fail("ADD bad");
    let error = machine.attach(&pod, &plan(networks)).unwrap_err();
    assert_eq!(error.code, Code(123));
    assert!(error.msg.starts_with(r#"network "bad": "#), "{error}");
    assert_eq!(machine.scripted.verbs(), ["ADD bad", "DEL bad"]);
    assert!(machine.links(At::Netns(&pod.netns)).is_empty());
    machine.assert_clean();
}

#[test]
fn an_add_whose_undoing_fails_is_undone_by_the_next_del() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    for what in ["ADD b", "DEL a"] {
        machine.scripted.fail(what);
    }
    machine.attach(&pod, &machine.scripted(&["a", "b"])).unwrap_err();
    assert_eq!(machine.scripted.verbs(), ["ADD a", "ADD b", "DEL b", "DEL a"]);
    machine.scripted.recover();
    machine.detach(&pod).unwrap();
    assert_eq!(machine.scripted.verbs(), ["DEL a"]);
    machine.assert_clean();
}

#[test]
fn a_second_add_in_the_same_namespace_is_refused_and_changes_nothing() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    machine.attach(&pod, &machine.three()).unwrap();
    let error = machine.attach(&pod, &machine.three()).unwrap_err();
    assert_eq!(error.code, Code::INVALID_CONFIG);
    assert!(error.msg.starts_with("already attached"), "{error}");
    assert_eq!(machine.links(At::Netns(&pod.netns)).len(), 3);
    machine.detach(&pod).unwrap();
    machine.assert_clean();
}

#[test]
fn an_add_in_another_namespace_deletes_what_the_first_one_made() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let (old, new) = (Container::new("c1"), Container::new("c1"));
    machine.attach(&old, &machine.three()).unwrap();
    machine.attach(&new, &machine.three()).unwrap();
    assert_eq!(machine.links(At::Netns(&new.netns)).len(), 3);
    assert!(machine.links(At::Netns(&old.netns)).is_empty());
    assert_eq!(machine.addresses().len(), 3);
    machine.detach(&new).unwrap();
    machine.assert_clean();
}

#[test]
fn an_interface_that_is_there_already_is_refused_and_left_alone() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let foreign = NewVeth::new(&pod.netns, "net1".parse().unwrap(), "up1".parse().unwrap());
    machine.kernel.add_veth(&foreign).unwrap();
    let error = machine.attach(&pod, &machine.three()).unwrap_err();
    assert_eq!(error.code, Code::INVALID_CONFIG);
    assert!(
        error
            .msg
            .starts_with(r#"network "lab": interface "net1" already exists"#),
        "{error}"
    );
    let links = machine.links(At::Netns(&pod.netns));
    assert_eq!(links.into_iter().collect::<Vec<_>>(), ["net1"]);
    assert!(machine.kernel.del_link(At::Host, "up1").unwrap());
    machine.assert_clean();
}

#[test]
fn the_hosts_own_namespace_is_refused() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let host = Container::at("c1", ground.host.path().clone());
    let error = machine.attach(&host, &machine.three()).unwrap_err();
    assert_eq!(error.code, Code::INVALID_NETNS);
    machine.assert_clean();
}

#[test]
fn of_two_adds_at_once_one_attaches_and_the_other_finds_it_done() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let add = || machine.attach(&pod, &machine.three()).map_err(|error| error.code);
    let (one, two) = thread::scope(|scope| {
        let (one, two) = (scope.spawn(add), scope.spawn(add));
        (one.join().unwrap(), two.join().unwrap())
    });
    assert!(one.is_ok() != two.is_ok());
    assert_eq!(one.and(two).unwrap_err(), Code::INVALID_CONFIG);
    machine.detach(&pod).unwrap();
    machine.assert_clean();
}

#[test]
fn an_add_and_a_del_at_once_leave_all_or_nothing() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    for _ in 0..5 {
        let pod = Container::new("c1");
        thread::scope(|scope| {
            scope.spawn(|| machine.attach(&pod, &machine.three()).unwrap());
            scope.spawn(|| machine.detach(&pod).unwrap());
        });
        let links = machine.links(At::Netns(&pod.netns)).len();
        assert!(links == 0 || links == 3, "{links} links");
        machine.detach(&pod).unwrap();
        machine.assert_clean();
    }
}
