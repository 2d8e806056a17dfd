//! CHECK, GC, and changes of the configuration.

use cni_net::link::Change;
use cni_net::neigh::Fdb;
use cni_net::{At, Links, Neighbours};
use serde_json::json;

use super::{Fabric, PAIR, at, conf, floods_to, has, link};
use crate::fixture::{Pod, fails};

#[test]
fn peers_that_change_are_brought_up_to_date() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    node.add(&one, &at(node, "10.7.0.1/24")).unwrap();
    floods_to(node, &["192.0.2.2", "192.0.2.3"]);
    let moved = conf(node, json!({ "peers": ["192.0.2.3", "192.0.2.4"] }));
    node.add(&two, &moved).unwrap();
    floods_to(node, &["192.0.2.3", "192.0.2.4"]);
}

#[test]
fn check_finds_what_is_missing() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let conf = at(node, "10.7.0.1/24");
    let success = node.add(&pod, &conf).unwrap();
    let device = link(node, "vx").name;
    let entry = Fdb::flood("192.0.2.2".parse().unwrap());
    node.net.del_fdb(At::Host, &device, &entry).unwrap();
    fails(
        node.check(&pod, &conf, &success),
        163,
        &format!("check vxlan device \"{device}\": does not flood to 192.0.2.2"),
    );
    node.net.ensure_fdb(At::Host, &device, &[entry]).unwrap();
    node.check(&pod, &conf, &success).unwrap();
    node.net.set_link(At::Host, &device, &Change::down()).unwrap();
    fails(
        node.check(&pod, &conf, &success),
        163,
        &format!("check vxlan device \"{device}\": is down"),
    );
    node.net.del_link(At::Host, &device).unwrap();
    fails(
        node.check(&pod, &conf, &success),
        163,
        &format!("check vxlan device \"{device}\": is missing"),
    );
    // The next ADD mends it.
    node.add(&Pod::new(node, "c2"), &at(node, "10.7.0.2/24")).unwrap();
    node.check(&pod, &conf, &success).unwrap();
}

#[test]
fn gc_removes_dead_containers_ports_and_then_the_segment() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    let conf_one = at(node, "10.7.0.1/24");
    let first = node.add(&one, &conf_one).unwrap();
    node.add(&two, &at(node, "10.7.0.2/24")).unwrap();
    node.gc(&conf_one, None).unwrap();
    has(node, &["vb", "veth", "veth", "vx"]);
    node.gc(&conf_one, Some(&[&one])).unwrap();
    node.check(&one, &conf_one, &first).unwrap();
    has(node, &["vb", "veth", "vx"]);
    let linger = conf(node, json!({ "runtimeConfig": { "linger": 30 } }));
    node.gc(&linger, Some(&[])).unwrap();
    has(node, &PAIR);
    node.gc(&conf_one, Some(&[])).unwrap();
    has(node, &[]);
}
