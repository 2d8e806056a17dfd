//! CHECK, GC and STATUS.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use cni_core::spec::{Code, Error, NetnsPath, ValidAttachment, Version};
use cni_net::link::Change;
use cni_net::{At, Links};
use plexus::{attach, check, gc, status};

use crate::fixture::{Container, Ground, Machine, plan};

fn valid(pods: &[&Container]) -> gc::Request {
    let of = |pod: &&Container| {
        let id = pod.id();
        ValidAttachment {
            container: id.container,
            ifname: id.ifname,
        }
    };
    gc::Request::new(Some(pods.iter().map(of).collect()))
}

#[test]
fn g03_check_looks_at_every_network() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let run = || check::run(&machine.node, &pod.id(), Some(&pod.path));
    assert_eq!(run().unwrap_err().code, Code::UNKNOWN_CONTAINER);
    machine.attach(&pod, &machine.three()).unwrap();
    run().unwrap();
    for (ifname, network) in [("eth0", "cluster"), ("net1", "lab"), ("net2", "six")] {
        assert!(machine.kernel.del_link(At::Netns(&pod.netns), ifname).unwrap());
        let error = run().unwrap_err();
        assert!(
            error.to_string().contains(&format!("network {network:?}: ")),
            "{error}"
        );
    }
    machine.detach(&pod).unwrap();
    assert_eq!(run().unwrap_err().code, Code::UNKNOWN_CONTAINER);
    machine.assert_clean();
}

#[test]
fn check_of_a_namespace_that_is_gone_names_what_was_attached_there() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let second = machine.three().attachments.swap_remove(1);
    machine.attach(&pod, &plan([second])).unwrap();
    let id = pod.id();
    drop(pod);
    let error = check::run(&machine.node, &id, None).unwrap_err();
    let msg = "check net1 of c1: the network namespace of its ADD is gone";
    assert_eq!(error, Error::new(Code::INVALID_NETNS, msg));
}

#[test]
fn check_looks_for_the_interface_of_a_network_whose_version_has_no_check() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    let mut plan = machine.three();
    plan.attachments[1].list.version = Version::V0_3_1;
    machine.attach(&pod, &plan).unwrap();
    let run = || check::run(&machine.node, &pod.id(), Some(&pod.path));
    run().unwrap();
    machine.kernel.del_link(At::Netns(&pod.netns), "net1").unwrap();
    let error = run().unwrap_err();
    assert!(error.msg.contains(r#"interface "net1": is missing"#), "{error}");
    machine.detach(&pod).unwrap();
    machine.assert_clean();
}

#[test]
fn check_takes_another_path_to_the_namespace_of_add() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pod = Container::new("c1");
    machine.attach(&pod, &machine.three()).unwrap();
    let held = std::fs::File::open(pod.path.as_path()).unwrap();
    let path = format!("/proc/{}/fd/{}", std::process::id(), held.as_raw_fd());
    check::run(&machine.node, &pod.id(), Some(&NetnsPath::new(path))).unwrap();
    machine.detach(&pod).unwrap();
    machine.assert_clean();
}

#[test]
fn check_in_another_namespace_fails() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let (pod, other) = (Container::new("c1"), Container::new("c2"));
    machine.attach(&pod, &machine.three()).unwrap();
    drop(pod);
    let id = Container::new("c1").id();
    let error = check::run(&machine.node, &id, Some(&other.path)).unwrap_err();
    assert_eq!(error.code, Code::INVALID_NETNS);
}

#[test]
fn g01_gc_removes_what_is_not_valid_and_keeps_secondary_networks_of_what_is() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let (kept, stale) = (Container::new("c1"), Container::new("c2"));
    for pod in [&kept, &stale] {
        machine.attach(pod, &machine.three()).unwrap();
    }
    // An address that no journal knows of, as a lost state directory leaves it.
    std::fs::write(ground.dir.join("ipam/lab/10.11.0.77"), "lost\r\neth0").unwrap();
    gc::run(&machine.node, &gc::Request::new(None)).unwrap();
    assert_eq!(machine.addresses().len(), 7, "without a set nothing is deleted");
    gc::run(&machine.node, &valid(&[&kept])).unwrap();
    assert_eq!(machine.addresses().len(), 3);
    assert_eq!(machine.links(At::Netns(&kept.netns)).len(), 3);
    assert!(machine.links(At::Netns(&stale.netns)).is_empty());
    check::run(&machine.node, &kept.id(), Some(&kept.path)).unwrap();
    gc::run(&machine.node, &valid(&[])).unwrap();
    machine.assert_clean();
}

#[test]
fn gc_leaves_calls_by_hand_and_of_other_networks_of_the_runtime() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let pods = ["c1", "c2", "c3"].map(Container::new);
    for (pod, network) in pods.iter().zip([Some("one"), Some("two"), None]) {
        let mut request = attach::Request::new(pod.id(), pod.path.clone());
        request.network = network.map(|name| name.parse().unwrap());
        attach::run(&machine.node, &request, &machine.three()).unwrap();
    }
    let mut nothing_valid = valid(&[]);
    nothing_valid.network = Some("one".parse().unwrap());
    gc::run(&machine.node, &nothing_valid).unwrap();
    let links = pods
        .each_ref()
        .map(|pod| machine.links(At::Netns(&pod.netns)).len());
    assert_eq!(links, [0, 3, 3]);
    assert_eq!(machine.addresses().len(), 6);
    for pod in &pods {
        machine.detach(pod).unwrap();
    }
    machine.assert_clean();
}

#[test]
fn g02_status_answers_in_time_and_names_the_plugin_that_does_not() {
    let ground = Ground::new();
    let machine = Machine::on(&ground);
    let list = |kind: &str| machine.scripted(&[kind]).attachments.remove(0).list;
    status::run(&machine.node, &list("quick"), &[]).unwrap();
    machine.scripted.fail("STATUS quick");
    assert_eq!(
        status::run(&machine.node, &list("quick"), &[]).unwrap_err().code,
        Code(123)
    );
    let start = Instant::now();
    let error = status::run(&machine.node, &list("hanging"), &[]).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(error.code, Code::UNAVAILABLE);
    let named = r#"status of plugin "hanging": no answer within"#;
    assert!(error.msg.starts_with(named), "{error}");
    machine.kernel.set_link(At::Host, "up0", &Change::up()).unwrap();
}
