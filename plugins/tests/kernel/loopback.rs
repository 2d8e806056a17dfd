//! `loopback` on the kernel.

use cni_core::spec::Code;
use cni_net::link::{Change, Link};
use cni_net::{Addr, Addrs, At, Links};
use serde_json::json;

use crate::fixture::{Node, Pod, fails, interfaces, ips};

fn lo(node: &Node, pod: &Pod) -> Link {
    node.net.link(At::Netns(&pod.netns), "lo").unwrap().unwrap()
}

#[test]
fn lo_goes_up_and_down() {
    let node = Node::new();
    let (pod, conf) = (Pod::new(&node, "c1"), node.conf(json!({ "type": "loopback" })));
    for version in ["0.1.0", "0.2.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
        let conf = node.conf(json!({ "type": "loopback", "cniVersion": version }));
        let success = node.add(&pod, &conf).unwrap();
        if version >= "0.3.0" {
            interfaces(&success, &["lo@pod"]);
            ips(&success, &["0 127.0.0.1/8", "0 ::1/128"]);
        }
        assert!(lo(&node, &pod).up);
        if version >= "0.4.0" {
            node.check(&pod, &conf, &success).unwrap();
        }
        node.del(&pod, &conf, Some(&success)).unwrap();
        assert!(!lo(&node, &pod).up);
    }
    let none = cni_core::spec::Success::new();
    fails(
        node.check(&pod, &conf, &none),
        163,
        "check interface \"lo\": is down",
    );
    node.del_at(&pod, &conf, None, None).unwrap();
    node.del_at(&pod, &conf, None, Some("/run/netns/is-not-there".as_ref()))
        .unwrap();
}

#[test]
fn another_address_on_lo_is_refused_and_nothing_changed() {
    let node = Node::new();
    let (pod, conf) = (Pod::new(&node, "c1"), node.conf(json!({ "type": "loopback" })));
    let foreign = Addr::new("10.0.0.1/32".parse().unwrap());
    node.net
        .add_addrs(At::Netns(&pod.netns), "lo", &[foreign])
        .unwrap();
    fails(
        node.add(&pod, &conf),
        155,
        "loopback interface found with non-loopback address",
    );
    assert!(!lo(&node, &pod).up);
}

#[test]
fn the_hosts_lo_stays_up() {
    let node = Node::new();
    let (pod, conf) = (Pod::new(&node, "c1"), node.conf(json!({ "type": "loopback" })));
    node.net.set_link(At::Host, "lo", &Change::up()).unwrap();
    let outcome = node.del_at(&pod, &conf, None, Some(node.path().as_path()));
    // An executable is refused for naming its own namespace; the node is not the one of this process.
    assert!(outcome.is_ok() || outcome.is_err_and(|error| error.code == Code::INVALID_NETNS));
    assert!(node.net.link(At::Host, "lo").unwrap().unwrap().up);
}
