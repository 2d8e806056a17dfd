//! `bridge` on the kernel.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use cni_core::spec::{Mac, Success};
use cni_net::link::{Change, NewBridge, OperState};
use cni_net::netns::within;
use cni_net::nft::{Chain, Family};
use cni_net::{At, Links, Nft, Sysctl};
use cni_plugins::shared::masquerade;
use serde_json::{Value, json};

use crate::fixture::{Conf, Node, Pod, fails, interfaces, ips};

/// `keys` as a configuration of `bridge` with addresses of 10.9.0.0/24.
fn with_ipam(node: &Node, keys: Value) -> Conf {
    let mut conf = json!({
        "type": "bridge", "bridge": "br0",
        "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/24" }]] }
    });
    conf.as_object_mut()
        .unwrap()
        .extend(keys.as_object().unwrap().clone());
    node.conf(conf)
}

/// `keys` as a configuration of `bridge` without addresses.
fn layer_2(node: &Node, keys: Value) -> Conf {
    let mut conf = json!({ "type": "bridge", "bridge": "br0" });
    conf.as_object_mut()
        .unwrap()
        .extend(keys.as_object().unwrap().clone());
    node.conf(conf)
}

/// ADD, CHECK, DEL and DEL again; afterwards only the bridge is there.
#[track_caller]
fn round_trip(node: &Node, conf: &Conf, assert: impl FnOnce(&Pod, &Success)) {
    let pod = Pod::new(node, "c1");
    let success = node.add(&pod, conf).unwrap();
    interfaces(&success, &["br0", "veth", "eth0@pod"]);
    node.has(&["br0", "veth"]);
    pod.has(node, &["eth0"]);
    assert(&pod, &success);
    node.check(&pod, conf, &success).unwrap();
    node.del(&pod, conf, Some(&success)).unwrap();
    only_the_bridge(node, &pod);
    node.del(&pod, conf, Some(&success)).unwrap();
    node.del_at(&pod, conf, None, None).unwrap();
}

#[track_caller]
fn only_the_bridge(node: &Node, pod: &Pod) {
    node.has(&["br0"]);
    pod.has(node, &[]);
    node.reserved(&[]);
}

#[test]
fn an_ipv4_attachment_comes_and_goes() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "isDefaultGateway": true, "mtu": 1400 }));
    round_trip(&node, &conf, |pod, success| {
        ips(success, &["2 10.9.0.2/24 via 10.9.0.1"]);
        assert_eq!(pod.addresses(&node), ["10.9.0.2/24"]);
        assert_eq!(pod.routes(&node), ["0.0.0.0/0 via 10.9.0.1"]);
        assert_eq!(node.addresses("br0"), ["10.9.0.1/24"]);
        assert_eq!(node.sysctl("ipv4/ip_forward"), "1");
        let (host, container) = (node.host_end(), pod.link(&node));
        assert_eq!((host.mtu, container.mtu), (1400, 1400));
        assert_eq!(host.alias.as_deref(), Some("plexus:blue/c1/eth0"));
        assert_eq!((host.state, container.up), (OperState::Up, true));
        assert_eq!(
            container.mac.map(String::from).as_ref(),
            Some(&success.interfaces[2].mac)
        );
    });
}

#[test]
fn a_dual_stack_attachment_comes_and_goes() {
    let node = Node::new();
    let ranges = json!([[{ "subnet": "10.9.0.0/24" }], [{ "subnet": "fd09::/64" }]]);
    let ipam = json!({ "type": "host-local", "ranges": ranges });
    let conf = layer_2(&node, json!({ "isDefaultGateway": true, "ipam": ipam }));
    let started = std::time::Instant::now();
    round_trip(&node, &conf, |pod, success| {
        assert!(
            started.elapsed().as_millis() < 900,
            "duplicate-address detection was waited for"
        );
        ips(
            success,
            &["2 10.9.0.2/24 via 10.9.0.1", "2 fd09::2/64 via fd09::1"],
        );
        assert_eq!(pod.addresses(&node), ["10.9.0.2/24", "fd09::2/64"]);
        assert_eq!(pod.routes(&node), ["0.0.0.0/0 via 10.9.0.1", "::/0 via fd09::1"]);
        assert_eq!(node.addresses("br0"), ["10.9.0.1/24", "fd09::1/64"]);
        assert_eq!(node.sysctl("ipv6/conf/all/forwarding"), "1");
    });
}

#[test]
fn an_ipv6_attachment_waits_for_detection_when_asked_to() {
    let node = Node::new();
    let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": "fd09::/64" }]] });
    let conf = layer_2(
        &node,
        json!({ "isGateway": true, "enabledad": true, "ipam": ipam }),
    );
    round_trip(&node, &conf, |pod, success| {
        ips(success, &["2 fd09::2/64 via fd09::1"]);
        let at = At::Netns(&pod.netns);
        assert_eq!(node.net.sysctl(at, "ipv6/conf/eth0/accept_dad").unwrap(), "1");
        let addrs = cni_net::Addrs::addrs(&node.net, at, "eth0").unwrap();
        assert!(addrs.iter().all(|a| !a.tentative && !a.dad_failed));
    });
}

#[test]
fn a_layer_2_attachment_comes_and_goes_and_can_be_checked() {
    let node = Node::new();
    round_trip(&node, &layer_2(&node, json!({})), |pod, success| {
        ips(success, &[]);
        assert!(pod.link(&node).up);
    });
}

#[test]
fn the_containers_end_stays_down_when_asked_to() {
    let node = Node::new();
    let conf = layer_2(&node, json!({ "disableContainerInterface": true }));
    round_trip(&node, &conf, |pod, _| assert!(!pod.link(&node).up));
    let conf = with_ipam(&node, json!({ "disableContainerInterface": true }));
    let outcome = node.add(&Pod::new(&node, "c2"), &conf);
    fails(
        outcome,
        7,
        "cannot use IPAM when DisableContainerInterface flag is set",
    );
}

#[test]
fn port_flags_and_promiscuity_reach_the_kernel() {
    let node = Node::new();
    let conf = layer_2(&node, json!({ "hairpinMode": true, "portIsolation": true }));
    round_trip(&node, &conf, |_, _| {
        let port = node.host_end().port.unwrap();
        assert!(port.hairpin && port.isolated);
    });
    let conf = layer_2(&node, json!({ "promiscMode": true }));
    round_trip(&node, &conf, |_, _| {
        assert!(node.net.link(At::Host, "br0").unwrap().unwrap().promisc);
    });
    let conf = layer_2(&node, json!({ "promiscMode": true, "hairpinMode": true }));
    let outcome = node.add(&Pod::new(&node, "c2"), &conf);
    fails(
        outcome,
        7,
        "cannot set hairpin mode and promiscuous mode at the same time",
    );
}

#[test]
fn the_hardware_address_comes_from_the_place_that_weighs_most() {
    let node = Node::new();
    let mac = |keys: Value, args: &str| {
        let (pod, conf) = (Pod::new(&node, "c1"), layer_2(&node, keys));
        let success = node.add_with(&pod, &conf, args).unwrap();
        let mac = pod.link(&node).mac.map(String::from);
        node.del(&pod, &conf, Some(&success)).unwrap();
        assert_eq!(mac.as_ref(), Some(&success.interfaces[2].mac));
        mac.unwrap()
    };
    let args = "IgnoreUnknown=1;MAC=02:00:00:00:00:01";
    let cni = json!({ "cni": { "mac": "02:00:00:00:00:02" } });
    assert_eq!(mac(json!({}), args), "02:00:00:00:00:01");
    assert_eq!(mac(json!({ "args": cni }), args), "02:00:00:00:00:02");
    let runtime = json!({ "mac": "02:00:00:00:00:0C" });
    assert_eq!(
        mac(json!({ "args": cni, "runtimeConfig": runtime }), args),
        "02:00:00:00:00:0c"
    );
}

#[test]
fn keys_for_vlans_are_refused_by_name_and_value() {
    let node = Node::new();
    let refused = |keys: Value, message: &str| {
        fails(
            node.add(&Pod::new(&node, "c1"), &layer_2(&node, keys)),
            2,
            message,
        );
        node.has(&[]);
    };
    refused(json!({ "vlan": 100 }), "key \"vlan\" with value 100");
    refused(
        json!({ "vlanTrunk": [{ "id": 7 }] }),
        "key \"vlanTrunk\" with value [{\"id\":7}]",
    );
    refused(
        json!({ "preserveDefaultVlan": true }),
        "key \"preserveDefaultVlan\" with value true",
    );
    let harmless = json!({ "vlan": 0, "preserveDefaultVlan": false });
    node.add(&Pod::new(&node, "c1"), &layer_2(&node, harmless))
        .unwrap();
}

#[test]
fn results_before_0_3_0_need_an_address_and_nothing_is_made_without() {
    let node = Node::new();
    let conf = layer_2(&node, json!({ "cniVersion": "0.2.0" }));
    fails(
        node.add(&Pod::new(&node, "c1"), &conf),
        7,
        "attach without addresses",
    );
    node.has(&[]);
}

#[test]
fn a_bad_namespace_is_refused_before_anything_is_made() {
    let node = Node::new();
    let pod = Pod::new(&node, "c1");
    let conf = with_ipam(&node, json!({}));
    fails(node.add(&pod.elsewhere("/dev/null"), &conf), 8, "");
    fails(node.add(&pod.elsewhere("/run/netns/is-not-there"), &conf), 8, "");
    node.has(&[]);
    node.reserved(&[]);
}

#[test]
fn a_second_add_fails_and_leaves_the_first_as_it_is() {
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "isGateway": true }));
    let pod = Pod::new(&node, "c1");
    let first = node.add(&pod, &conf).unwrap();
    fails(
        node.add(&pod, &conf),
        166,
        "container veth name (\"eth0\") already exists",
    );
    // The same attachment in another namespace: its host end shows that it is there.
    let elsewhere = Pod::new(&node, "c1");
    fails(
        node.add(&elsewhere, &conf),
        7,
        "interface \"eth0\" of container \"c1\" is already attached",
    );
    node.check(&pod, &conf, &first).unwrap();
    node.reserved(&["10.9.0.2"]);
    node.del(&pod, &conf, Some(&first)).unwrap();
    only_the_bridge(&node, &pod);
}

#[test]
fn an_add_that_fails_leaves_nothing_but_the_bridge() {
    let node = Node::new();
    let pod = Pod::new(&node, "c1");
    // Two addresses: the second is the gateway's, which is never given out; one pod, and it is full.
    let full = json!({ "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/30" }]] });
    let conf = with_ipam(&node, json!({ "isGateway": true, "ipam": full }));
    let first = Pod::new(&node, "first");
    let success = node.add(&first, &conf).unwrap();
    fails(node.add(&pod, &conf), 140, "failed to allocate for range 0");
    node.has(&["br0", "veth"]);
    pod.has(&node, &[]);
    node.reserved(&["10.9.0.2"]);
    node.del(&first, &conf, Some(&success)).unwrap();

    // After IPAM: the bridge has another network's gateway.
    let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": "10.8.0.0/24" }]] });
    let other = with_ipam(&node, json!({ "isGateway": true, "ipam": ipam }));
    fails(
        node.add(&pod, &other),
        167,
        "\"br0\" already has an IP address different from 10.8.0.1/24",
    );
    only_the_bridge(&node, &pod);

    // After addresses and gateways: a route that the kernel refuses.
    let routes = json!([{ "dst": "192.168.0.0/16", "gw": "172.16.0.1" }]);
    let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/30" }]], "routes": routes });
    let unreachable = with_ipam(&node, json!({ "isGateway": true, "ipam": ipam }));
    fails(node.add(&pod, &unreachable), 100, "");
    only_the_bridge(&node, &pod);

    // Somebody else's interface of that name.
    let mut eth0 = NewBridge::new("eth0".parse().unwrap());
    eth0.mac = Some(Mac([2, 0, 0, 0, 0, 9]));
    pod.in_it().ensure_bridge(&eth0).unwrap();
    fails(
        node.add(&pod, &conf),
        166,
        "container veth name (\"eth0\") already exists",
    );
    node.has(&["br0"]);
    pod.has(&node, &["eth0"]);
    node.reserved(&[]);
}

#[test]
fn force_address_replaces_the_bridges_address() {
    let node = Node::new();
    let with = |subnet: &str, force: bool| {
        let ipam = json!({ "type": "host-local", "ranges": [[{ "subnet": subnet }]] });
        with_ipam(
            &node,
            json!({ "isGateway": true, "forceAddress": force, "ipam": ipam }),
        )
    };
    node.add(&Pod::new(&node, "c1"), &with("10.9.0.0/24", false))
        .unwrap();
    assert_eq!(node.addresses("br0"), ["10.9.0.1/24"]);
    node.add(&Pod::new(&node, "c2"), &with("10.8.0.0/24", true))
        .unwrap();
    assert_eq!(node.addresses("br0"), ["10.8.0.1/24"]);
}

#[test]
fn a_default_route_without_next_hop_gets_the_gateway() {
    let node = Node::new();
    let ipam = json!({
        "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/24" }]],
        "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "10.0.0.0/8", "mtu": 1300, "advmss": 1200 },
                   { "dst": "10.7.0.0/16", "table": 100 }, { "dst": "10.6.0.0/16", "scope": 253 }]
    });
    let conf = with_ipam(&node, json!({ "isDefaultGateway": true, "ipam": ipam }));
    round_trip(&node, &conf, |pod, success| {
        assert_eq!(success.routes.len(), 4);
        let expected = [
            "0.0.0.0/0 via 10.9.0.1",
            "10.0.0.0/8 via 10.9.0.1 mtu 1300 advmss 1200",
            "10.6.0.0/16",
            "10.7.0.0/16 via 10.9.0.1 table 100",
        ];
        assert_eq!(pod.routes(&node), expected);
    });
}

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
        assert!(reaches_gateway(pod), "the container's own address passes");
        let mut foreign = Change::default();
        foreign.mac = Some(Mac([2, 0, 0, 0, 0, 9]));
        let (at, own) = (At::Netns(&pod.netns), pod.link(&node).mac);
        node.net.set_link(at, "eth0", &foreign).unwrap();
        assert!(!reaches_gateway(pod), "another does not");
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

/// Whether the gateway 10.9.0.1 answers the container: it refuses a connection, which is an answer.
fn reaches_gateway(pod: &Pod) -> bool {
    let connect = || TcpStream::connect_timeout(&([10, 9, 0, 1], 9).into(), Duration::from_millis(300));
    let outcome = within(&pod.netns, connect).unwrap();
    outcome.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
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

#[test]
fn twenty_adds_at_once_make_one_bridge_and_give_twenty_addresses() {
    const PODS: usize = 20;
    let node = Node::new();
    let conf = with_ipam(&node, json!({ "isDefaultGateway": true }));
    let pods: Vec<Pod> = (0..PODS).map(|n| Pod::new(&node, &format!("c{n}"))).collect();
    let start = Barrier::new(PODS);
    let mut results: Vec<Success> = Vec::new();
    thread::scope(|scope| {
        let add = |pod| {
            let (node, conf, start) = (&node, &conf, &start);
            scope.spawn(move || {
                start.wait();
                node.add(pod, conf).unwrap()
            })
        };
        let threads: Vec<_> = pods.iter().map(add).collect();
        results = threads.into_iter().map(|t| t.join().unwrap()).collect();
    });
    let mut addresses: Vec<String> = results.iter().map(|r| r.ips[0].address.to_string()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), PODS);
    assert_eq!(node.addresses("br0"), ["10.9.0.1/24"]);
    let bridge = node.net.link(At::Host, "br0").unwrap().unwrap();
    let mac = bridge.mac.map(String::from);
    assert!(results.iter().all(|r| Some(&r.interfaces[0].mac) == mac.as_ref()));
    for (pod, result) in pods.iter().zip(&results) {
        node.check(pod, &conf, result).unwrap();
        node.del(pod, &conf, Some(result)).unwrap();
    }
    only_the_bridge(&node, &pods[0]);
}
