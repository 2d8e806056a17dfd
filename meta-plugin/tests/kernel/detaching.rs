//! DEL, from the journal alone.

use cni_core::spec::{Code, NetnsPath};
use cni_net::link::NewVeth;
use cni_net::{At, Links};
use plexus::detach;
use serde_json::json;

use crate::fixture::{Container, Ground, Machine, attachment, plan};

#[test]
fn f03_del_twice_and_del_without_add_succeed() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    machine.detach(&pod).unwrap();
    machine.attach(&pod, &machine.three()).unwrap();
    machine.detach(&pod).unwrap();
    machine.detach(&pod).unwrap();
    machine.assert_clean();
}

#[test]
fn f02_one_failing_del_keeps_no_other_from_running_and_the_next_try_does_the_rest() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    machine.attach(&pod, &machine.scripted(&["a", "b", "c"])).unwrap();
    machine.scripted.calls();
    machine.scripted.fail("DEL b");
    let error = machine.detach(&pod).unwrap_err();
    assert_eq!(error.code, Code(123));
    assert!(error.msg.starts_with(r#"network "b": "#), "{error}");
    assert_eq!(machine.scripted.verbs(), ["DEL c", "DEL b", "DEL a"]);
    machine.scripted.recover();
    machine.detach(&pod).unwrap();
    assert_eq!(machine.scripted.verbs(), ["DEL b"]);
    machine.assert_clean();
}

#[test]
fn f04_del_gets_what_add_got() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let plugin = json!({ "type": "a", "capabilities": { "ips": true }, "huge": 12345678901234567890123_f64, "key": "as it was" });
    let mut only = attachment("eth0", machine.list("n", plugin));
    only.capability_args.set("ips", &["10.1.0.2/24"]).unwrap();
    machine.attach(&pod, &plan([only])).unwrap();
    machine.detach(&pod).unwrap();
    let calls = machine.scripted.calls();
    assert_eq!(calls[1], calls[0].replace("ADD", "DEL") + " prev");
    assert!(
        calls[1].contains(r#""runtimeConfig":{"ips":["10.1.0.2/24"]}"#),
        "{}",
        calls[1]
    );
    machine.assert_clean();
}

#[test]
fn without_a_namespace_and_in_a_vanished_one_everything_else_goes() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    for path in [None, Some(NetnsPath::new("")), Some(NetnsPath::new("/nowhere"))] {
        let pod = Container::new("c1");
        machine.attach(&pod, &machine.three()).unwrap();
        let mut request = detach::Request::new(pod.id().container);
        request.netns = path;
        drop(pod);
        detach::run(&machine.node, &request).unwrap();
        machine.assert_clean();
    }
}

#[test]
fn in_a_namespace_that_took_the_path_over_nothing_is_touched() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let (pod, other) = (Container::new("c1"), Container::new("c2"));
    machine.attach(&pod, &machine.three()).unwrap();
    let foreign = NewVeth::new(&other.netns, "eth0".parse().unwrap(), "up1".parse().unwrap());
    machine.kernel.add_veth(&foreign).unwrap();
    let mut request = detach::Request::new(pod.id().container);
    request.netns = Some(other.path.clone());
    detach::run(&machine.node, &request).unwrap();
    assert_eq!(machine.links(At::Netns(&other.netns)).len(), 1);
    assert!(
        machine.links(At::Netns(&pod.netns)).is_empty(),
        "found by the path of ADD"
    );
    machine.kernel.del_link(At::Host, "up1").unwrap();
    machine.assert_clean();
}

#[test]
fn after_ten_failures_del_succeeds_and_the_next_one_still_tries() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    machine.attach(&pod, &machine.scripted(&["a"])).unwrap();
    machine.scripted.fail("DEL a");
    let told = (0..12).map(|_| machine.detach(&pod).is_err());
    assert_eq!(told.filter(|told| *told).count(), 9);
    let journal = machine.node.state.calls().unwrap().remove(0).2;
    let size = || std::fs::metadata(&journal).unwrap().len();
    let before = size();
    machine.detach(&pod).unwrap();
    assert_eq!(size(), before, "it does not grow with each try");
    machine.scripted.recover();
    machine.detach(&pod).unwrap();
    machine.assert_clean();
}

#[test]
fn all_calls_of_a_container_go_when_none_is_named() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    machine.attach(&pod, &machine.scripted(&["a"])).unwrap();
    let mut second = plexus::attach::Request::new(pod.id(), pod.path.clone());
    second.id.ifname = "eth1".parse().unwrap();
    plexus::attach::run(&machine.node, &second, &machine.scripted(&["b"])).unwrap();
    detach::run(&machine.node, &detach::Request::new(pod.id().container)).unwrap();
    assert_eq!(machine.scripted.verbs(), ["ADD a", "ADD b", "DEL b", "DEL a"]);
    machine.assert_clean();
}

#[test]
fn with_the_first_record_damaged_the_others_are_enough_for_our_own_plugins() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    machine.attach(&pod, &machine.three()).unwrap();
    let path = machine.node.state.calls().unwrap().remove(0).2;
    let mut journal = std::fs::read(&path).unwrap();
    journal[30] ^= 1;
    std::fs::write(&path, journal).unwrap();
    machine.detach(&pod).unwrap();
    assert_eq!(machine.links(At::Netns(&pod.netns)), [].into());
    machine.assert_clean();
}
