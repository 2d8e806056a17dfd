//! DEL, CHECK, GC and STATUS.

use std::path::Path;

use cni_net::link::Change;
use cni_net::{At, Links};
use cni_plugins::shared::mark::birth_group;
use serde_json::json;

use super::{layer_2, only_the_bridge, with_ipam};
use crate::fixture::{Conf, Node, Pod, fails};

#[test]
fn del_without_the_namespace_removes_everything_on_the_host() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "isGateway": true }));
    for at in [None, Some(Path::new("/run/netns/is-not-there"))] {
        let pod = Pod::new(&node, "c1");
        node.add(&pod, &conf).unwrap();
        node.del_at(&pod, &conf, None, at).unwrap();
        only_the_bridge(&node, &pod);
    }
}

#[test]
fn del_leaves_a_foreign_namespace_at_the_same_path_alone() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({}));
    let pod = Pod::new(&node, "c1");
    let success = node.add(&pod, &conf).unwrap();
    let (other, other_conf) = (Pod::new(&node, "c2"), with_ipam(&node, json!({})));
    let theirs = node.add(&other, &other_conf).unwrap();
    node.del_at(&pod, &conf, Some(&success), Some(other.path().as_path()))
        .unwrap();
    node.check(&other, &other_conf, &theirs).unwrap();
    pod.has(&node, &[]);
    node.reserved(&["10.9.0.3"]);
    node.del_at(&pod, &conf, Some(&success), Some(other.path().as_path()))
        .unwrap();
    node.check(&other, &other_conf, &theirs).unwrap();
}

#[test]
fn del_after_the_pods_links_went_in_one_request_frees_the_address() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({}));
    let pod = Pod::new(&node, "c1");
    let success = node.add(&pod, &conf).unwrap();
    node.net.del_pod_links(&pod.netns).unwrap();
    node.del(&pod, &conf, Some(&success)).unwrap();
    only_the_bridge(&node, &pod);
}

#[test]
fn check_finds_what_is_missing() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "isDefaultGateway": true }));
    let pod = Pod::new(&node, "c1");
    let success = node.add(&pod, &conf).unwrap();
    let at = At::Netns(&pod.netns);
    let mut shouted = success.clone();
    shouted.interfaces[2].mac = shouted.interfaces[2].mac.to_uppercase();
    node.check(&pod, &conf, &shouted).unwrap();

    let host_end = node.host_end().name;
    node.net.set_link(At::Host, "br0", &Change::down()).unwrap();
    node.check(&pod, &conf, &success).unwrap();
    cni_net::Addrs::del_addr(&node.net, at, "eth0", "10.9.0.2/24".parse().unwrap()).unwrap();
    fails(
        node.check(&pod, &conf, &success),
        163,
        "check address 10.9.0.2/24: is missing",
    );
    node.net.set_link(at, "eth0", &Change::down()).unwrap();
    fails(
        node.check(&pod, &conf, &success),
        163,
        "check interface \"eth0\": is down",
    );
    node.net.del_link(At::Host, &host_end).unwrap();
    fails(
        node.check(&pod, &conf, &success),
        163,
        "check interface \"eth0\": is missing",
    );
    node.net.del_link(At::Host, "br0").unwrap();
    fails(
        node.check(&pod, &conf, &success),
        163,
        "check interface \"br0\": is missing",
    );
}

#[test]
fn gc_deletes_what_is_not_valid_and_nothing_when_not_told() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({}));
    let pods = ["c1", "c2"].map(|id| Pod::new(&node, id));
    for pod in &pods {
        node.add(pod, &conf).unwrap();
    }
    let mut red = with_ipam(&node, json!({}));
    red.0["name"] = "red".into();
    let other = Pod::new(&node, "c3");
    let theirs = node.add(&other, &red).unwrap();

    node.gc(&conf, None).unwrap();
    node.has(&["br0", "veth", "veth", "veth"]);
    node.gc(&conf, Some(&[&pods[0]])).unwrap();
    node.has(&["br0", "veth", "veth"]);
    node.reserved(&["10.9.0.2"]);
    node.gc(&conf, Some(&[])).unwrap();
    node.reserved(&[]);
    node.check(&other, &red, &theirs).unwrap();
}

#[test]
fn status_is_the_ipam_plugins() {
    let node = Node::new();
    node.status(&layer_2(&node, json!({}))).unwrap();
    let full = json!({ "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/30" }]] });
    let conf = with_ipam(&node, json!({ "ipam": full }));
    node.status(&conf).unwrap();
    node.add(&Pod::new(&node, "c1"), &conf).unwrap();
    fails(node.status(&conf), 50, "");
}

#[test]
fn del_and_gc_remove_a_pair_that_was_not_given_its_alias_any_more() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({}));
    let pod = Pod::new(&node, "c1");
    let mut killed = Change::default();
    let group = birth_group(&"blue".parse().unwrap());
    (killed.alias, killed.group) = (Some(String::new()), Some(group));
    for by_gc in [false, true] {
        node.add(&pod, &conf).unwrap();
        let name = node.host_end().name;
        node.net.set_link(At::Host, &name, &killed).unwrap();
        if by_gc {
            // As long as the attachment is valid it may be in the making; another network may have the bridge, too.
            node.gc(&conf, Some(&[&pod])).unwrap();
            node.gc(
                &Conf(json!({ "name": "red", "cniVersion": "1.1.0", "type": "bridge", "bridge": "br0" })),
                Some(&[]),
            )
            .unwrap();
            pod.has(&node, &["eth0"]);
            node.gc(&conf, Some(&[])).unwrap();
        } else {
            node.del_at(&pod, &conf, None, None).unwrap();
        }
        only_the_bridge(&node, &pod);
    }
}

#[test]
fn del_removes_what_the_reference_plugin_made_if_the_result_tells_of_it() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({}));
    // Chained plugins and the container change the one end's address, and udev the other's.
    for (inner, outer) in [(false, false), (true, false), (false, true), (true, true)] {
        let pod = Pod::new(&node, "c1");
        let success = node.add(&pod, &conf).unwrap();
        node.check(&pod, &conf, &success).unwrap();
        let mut foreign = Change::default();
        // As the reference makes it: without any mark.
        foreign.alias = Some(String::new());
        foreign.mac = outer.then(|| "02:00:00:00:00:01".parse().unwrap());
        let host_end = node.host_end().name;
        node.net.set_link(At::Host, &host_end, &foreign).unwrap();
        let mut tuned = Change::default();
        tuned.mac = inner.then(|| "02:00:00:00:00:02".parse().unwrap());
        node.net.set_link(At::Netns(&pod.netns), "eth0", &tuned).unwrap();
        node.del(&pod, &conf, None).unwrap();
        pod.has(&node, &["eth0"]);
        node.del(&pod, &conf, Some(&success)).unwrap();
        only_the_bridge(&node, &pod);
    }
}
