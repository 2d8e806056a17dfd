//! What the host does for its containers: masquerade, MAC filter, forwarding.

use cni_core::spec::Mac;
use cni_net::link::{Change, NewBridge};
use cni_net::nft::{Chain, Family};
use cni_net::{At, Links, Nft, Sysctl};
use cni_plugins::shared::masquerade;
use serde_json::json;

use super::{layer_2, only_the_bridge, round_trip, with_ipam};
use crate::fixture::{Node, Pod, fails};

/// How many rules masquerade has for attachments.
fn masqueraded(node: &Node) -> usize {
    let checks = Chain::new(Family::Inet, "cni_plugins_masquerade", "masq_checks");
    node.net.rules(At::Host, &checks).unwrap().len()
}

#[test]
fn masquerade_comes_and_goes_with_the_attachment() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "isDefaultGateway": true, "ipMasq": true }));
    round_trip(&node, &conf, |_, _| assert_eq!(masqueraded(&node), 1));
    assert_eq!(masqueraded(&node), 0);

    let pod = Pod::new(&node, "c1");
    let success = node.add(&pod, &conf).unwrap();
    masquerade::remove(&node.net, &"blue".parse().unwrap(), &pod.attachment()).unwrap();
    fails(
        node.check(&pod, &conf, &success),
        163,
        "check masquerade of eth0 of c1",
    );
    node.del(&pod, &conf, Some(&success)).unwrap();

    node.add(&pod, &conf).unwrap();
    node.del_at(&pod, &conf, None, None).unwrap();
    assert_eq!(masqueraded(&node), 0);
    node.add(&pod, &conf).unwrap();
    node.gc(&conf, Some(&[])).unwrap();
    assert_eq!(masqueraded(&node), 0);
    only_the_bridge(&node, &pod);
}

#[test]
fn the_mac_filter_comes_and_goes_with_the_attachment() {
    let node = Node::new();
    let filters = || {
        let prerouting = Chain::new(Family::Bridge, "nat", "PREROUTING");
        node.net.rules(At::Host, &prerouting).unwrap().len()
    };
    let conf = with_ipam(&node, json!({ "isGateway": true, "macspoofchk": true }));
    round_trip(&node, &conf, |pod, _| {
        assert_eq!(filters(), 1);
        assert!(pod.reaches("10.9.0.1"), "the container's own address passes");
        let mut foreign = Change::default();
        foreign.mac = Some(Mac([2, 0, 0, 0, 0, 9]));
        let (at, own) = (At::Netns(&pod.netns), pod.link(&node).mac);
        node.net.set_link(at, "eth0", &foreign).unwrap();
        assert!(!pod.reaches("10.9.0.1"), "another does not");
        foreign.mac = own;
        node.net.set_link(at, "eth0", &foreign).unwrap();
    });
    assert_eq!(filters(), 0);

    let pods = ["c-1", "c-2"].map(|id| Pod::new(&node, id));
    for pod in &pods {
        node.add(pod, &conf).unwrap();
    }
    node.gc(&conf, Some(&[&pods[0]])).unwrap();
    assert_eq!(filters(), 1);
    node.del_at(&pods[0], &conf, None, None).unwrap();
    assert_eq!(filters(), 0);
}

#[test]
fn a_backend_that_is_not_there_is_refused_before_anything_is_made() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "ipMasq": true, "ipMasqBackend": "pf" }));
    fails(
        node.add(&Pod::new(&node, "c1"), &conf),
        7,
        "unknown ipmasq backend \"pf\"",
    );
    node.has(&[]);
}

#[test]
fn forwarding_keeps_the_hosts_own_router_advertisements() {
    let node = Node::new();
    let mut uplink = NewBridge::new("up0".parse().unwrap());
    uplink.mac = Some(Mac([2, 0, 0, 0, 0, 9]));
    node.net.ensure_bridge(&uplink).unwrap();
    let listens = ("ipv6/conf/up0/accept_ra".to_owned(), "1".to_owned());
    node.net.set_sysctls(At::Host, &[listens]).unwrap();
    let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": "fd09::/64" }]] });
    let conf = layer_2(&node, json!({ "isGateway": true, "ipam": ipam }));
    node.add(&Pod::new(&node, "c1"), &conf).unwrap();
    assert_eq!(node.sysctl("ipv6/conf/up0/accept_ra"), "2");
    assert_eq!(node.sysctl("ipv6/conf/all/forwarding"), "1");
    assert_eq!(node.sysctl("ipv6/conf/br0/accept_ra"), "0");
}
