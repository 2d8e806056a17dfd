//! `vxlan` on the kernel: nodes on a switch, each a namespace.

use std::net::UdpSocket;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use cni_core::spec::Success;
use cni_net::link::{Change, LinkKind, NewBridge, NewVeth};
use cni_net::neigh::Fdb;
use cni_net::netns::within;
use cni_net::{Addr, Addrs, At, Links, Mtu, Namespaces, Neighbours};
use serde_json::{Value, json};

use crate::fixture::{Conf, Node, Pod, fails, interfaces, ips};

/// The segment's interfaces on a node: names are hashes of the network's.
const PAIR: [&str; 2] = ["vb", "vx"];

/// Nodes with `eth0` at 192.0.2.1, 192.0.2.2 … and 2001:db8::1, 2001:db8::2 …, joined by a switch.
struct Fabric {
    nodes: Vec<Node>,
    _switch: Node,
}

impl Fabric {
    fn new(count: usize) -> Self {
        let switch = Node::new();
        let bridge = switch
            .net
            .ensure_bridge(&NewBridge::new("switch".parse().unwrap()))
            .unwrap();
        let nodes = (1..=count)
            .map(|number| {
                let node = Node::new();
                let there = switch.net.open(node.path()).unwrap();
                let port = format!("port{number}").parse().unwrap();
                let mut cable = NewVeth::new(&there, "eth0".parse().unwrap(), port);
                cable.master = Some(bridge.index);
                cable.mtu = Some(Mtu::try_from(1500).unwrap());
                switch.net.add_veth(&cable).unwrap();
                let addresses = [format!("192.0.2.{number}/24"), format!("2001:db8::{number}/64")];
                let addresses = addresses.map(|text| Addr::new(text.parse().unwrap()));
                node.net.add_addrs(At::Host, "eth0", &addresses).unwrap();
                for link in ["lo", "eth0"] {
                    node.net.set_link(At::Host, link, &Change::up()).unwrap();
                }
                node
            })
            .collect();
        Self {
            nodes,
            _switch: switch,
        }
    }
}

/// `keys` as a configuration of `vxlan` over three IPv4 peers, with an address.
fn conf(node: &Node, keys: Value) -> Conf {
    let mut conf = json!({
        "type": "vxlan", "vni": 7, "peers": ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
        "ipam": { "type": "static", "addresses": [{ "address": "10.7.0.99/24" }] }
    });
    conf.as_object_mut()
        .unwrap()
        .extend(keys.as_object().unwrap().clone());
    node.conf(conf)
}

/// The same with this address.
fn at(node: &Node, address: &str) -> Conf {
    conf(node, json!({ "runtimeConfig": { "ips": [address] } }))
}

/// The node's interfaces but the underlay's, hashes cut off.
#[track_caller]
fn has(node: &Node, expected: &[&str]) {
    let links = node.net.links(At::Host).unwrap();
    let names = links
        .iter()
        .map(|link| &*link.name)
        .filter(|name| !["lo", "eth0"].contains(name));
    let cut = |name: &str| {
        let kind = ["vb", "vx", "veth"]
            .into_iter()
            .find(|kind| name.starts_with(kind));
        kind.unwrap_or(name).to_owned()
    };
    let mut names: Vec<String> = names.map(cut).collect();
    names.sort();
    assert_eq!(names, expected, "on the node");
}

/// The name of the segment's interface with that prefix.
fn link(node: &Node, prefix: &str) -> cni_net::link::Link {
    let links = node.net.links(At::Host).unwrap();
    let mut found = links
        .into_iter()
        .filter(|link| link.name.starts_with(prefix) && link.alias.as_deref() == Some("plexus:blue"));
    let link = found.next().expect("a segment");
    assert!(found.next().is_none());
    link
}

#[track_caller]
fn floods_to(node: &Node, expected: &[&str]) {
    let entries = node.net.fdb(At::Host, &link(node, "vx").name).unwrap();
    let flood = entries.iter().filter(|entry| entry.mac.0 == [0; 6]);
    let mut found: Vec<String> = flood.filter_map(|entry| Some(entry.dst?.to_string())).collect();
    found.sort();
    assert_eq!(found, expected, "flood entries");
}

/// That a datagram from one container reaches the other, at these addresses.
#[track_caller]
fn reaches(from: &Pod, to: &Pod, address: &str) {
    let to = within(&to.netns, || UdpSocket::bind((address, 9)).unwrap()).unwrap();
    to.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let any = if address.contains(':') {
        "[::]:0"
    } else {
        "0.0.0.0:0"
    };
    let from = within(&from.netns, || UdpSocket::bind(any).unwrap()).unwrap();
    from.send_to(b"hello", (address, 9)).unwrap();
    let mut buffer = [0; 16];
    let (length, _) = to
        .recv_from(&mut buffer)
        .unwrap_or_else(|e| panic!("nothing came to {address}: {e}"));
    assert_eq!(&buffer[..length], b"hello");
}

#[test]
fn vx1_containers_of_one_network_on_three_nodes_reach_each_other() {
    let fabric = Fabric::new(3);
    for (peers, prefix) in [
        (["192.0.2.1", "192.0.2.2", "192.0.2.3"], ["10.7.0.", "fd07::"]),
        (
            ["2001:db8::1", "2001:db8::2", "2001:db8::3"],
            ["10.8.0.", "fd08::"],
        ),
    ] {
        let attach = |(at, node): (usize, &Node)| {
            let pod = Pod::new(node, &format!("c{at}"));
            let ips = [
                format!("{}{}/24", prefix[0], at + 1),
                format!("{}{}/64", prefix[1], at + 1),
            ];
            let conf = conf(node, json!({ "peers": peers, "runtimeConfig": { "ips": ips } }));
            let success = node.add(&pod, &conf).unwrap();
            node.check(&pod, &conf, &success).unwrap();
            (pod, conf, success)
        };
        let pods: Vec<(Pod, Conf, Success)> = fabric.nodes.iter().enumerate().map(attach).collect();
        for from in 0..3 {
            for to in (0..3).filter(|to| *to != from) {
                for prefix in prefix {
                    reaches(&pods[from].0, &pods[to].0, &format!("{prefix}{}", to + 1));
                }
            }
        }
        for (node, (pod, conf, success)) in fabric.nodes.iter().zip(&pods) {
            node.del(pod, conf, Some(success)).unwrap();
            has(node, &[]);
        }
    }
}

#[test]
fn the_first_container_makes_the_segment_and_the_last_removes_it() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    let (conf_one, conf_two) = (at(node, "10.7.0.1/24"), at(node, "10.7.0.2/24"));
    let first = node.add(&one, &conf_one).unwrap();
    let (bridge, device) = (link(node, "vb"), link(node, "vx"));
    interfaces(&first, &[&bridge.name, "veth", "eth0@pod"]);
    ips(&first, &["2 10.7.0.1/24"]);
    assert_eq!((bridge.mtu, device.mtu, one.link(node).mtu), (1450, 1450, 1450));
    assert_eq!(device.master, Some(bridge.index));
    let LinkKind::Vxlan { vni, port, local, .. } = device.kind else {
        panic!("{device:?}")
    };
    assert_eq!((vni, port, local), (7, 4789, Some("192.0.2.1".parse().unwrap())));
    floods_to(node, &["192.0.2.2", "192.0.2.3"]);

    let second = node.add(&two, &conf_two).unwrap();
    reaches(&one, &two, "10.7.0.2");
    node.del(&one, &conf_one, Some(&first)).unwrap();
    node.check(&two, &conf_two, &second).unwrap();
    has(node, &["vb", "veth", "vx"]);
    node.del_at(&two, &conf_two, None, None).unwrap();
    has(node, &[]);
    node.del_at(&two, &conf_two, None, None).unwrap();
    node.del(&two, &conf_two, Some(&second)).unwrap();
    assert!(
        !std::path::Path::new(conf_two.0["dataDir"].as_str().unwrap())
            .join("blue.lock")
            .exists()
    );
}

#[test]
fn del_after_the_container_died_removes_the_segment() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let conf = at(node, "10.7.0.1/24");
    node.add(&pod, &conf).unwrap();
    node.net.del_link(At::Netns(&pod.netns), "eth0").unwrap();
    has(node, &PAIR);
    node.del(&pod, &conf, None).unwrap();
    has(node, &[]);
}

#[test]
fn an_attachment_without_addresses_is_layer_2_alone() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let conf = conf(
        node,
        json!({ "ipam": {}, "mtu": 1300, "runtimeConfig": { "mac": "02:00:00:00:00:09" } }),
    );
    let success = node.add(&pod, &conf).unwrap();
    ips(&success, &[]);
    let eth0 = pod.link(node);
    assert_eq!((eth0.mtu, eth0.up), (1300, true));
    assert_eq!(eth0.mac, Some("02:00:00:00:00:09".parse().unwrap()));
    node.check(&pod, &conf, &success).unwrap();
    node.del(&pod, &conf, Some(&success)).unwrap();
    has(node, &[]);
}

#[test]
fn vx5_the_mtu_is_what_the_underlay_leaves() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let mut smaller = Change::default();
    smaller.mtu = Some(Mtu::try_from(1400).unwrap());
    for (keys, expected) in [
        (json!({}), 1450),
        (json!({ "peers": ["2001:db8::2"] }), 1430),
        (json!({ "peers": null }), 1450),
        (json!({ "peers": null, "device": "eth0" }), 1450),
        (json!({ "peers": ["198.51.100.1"] }), 1450),
        (json!({ "mtu": 9000 }), 9000),
    ] {
        let conf = conf(node, keys);
        node.add(&pod, &conf).unwrap();
        assert_eq!(pod.link(node).mtu, expected, "{}", conf.0);
        node.del(&pod, &conf, None).unwrap();
    }
    node.net.set_link(At::Host, "eth0", &smaller).unwrap();
    let conf = conf(node, json!({ "peers": null, "device": "eth0" }));
    node.add(&pod, &conf).unwrap();
    assert_eq!(pod.link(node).mtu, 1350);
}

#[test]
fn vx6_a_vni_that_another_device_has_is_refused_by_its_name() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    node.add(&one, &at(node, "10.7.0.1/24")).unwrap();
    let device = link(node, "vx").name;
    let green = conf(node, json!({ "name": "green" }));
    let message = format!(
        "create vxlan device of network \"green\": VNI 7 on port 4789 is taken by device \"{device} (plexus:blue)\""
    );
    fails(node.add(&two, &green), 130, &message);
    fails(node.status(&green), 50, &message);
    has(node, &["vb", "veth", "vx"]);
    two.has(node, &[]);
    // On another port, or with another number, there is room.
    for keys in [
        json!({ "name": "green", "port": 4790 }),
        json!({ "name": "green", "vni": 8 }),
    ] {
        let green = conf(node, keys);
        node.status(&green).unwrap();
        node.add(&two, &green).unwrap();
        has(node, &["vb", "vb", "veth", "veth", "vx", "vx"]);
        node.del(&two, &green, None).unwrap();
    }
}

#[test]
fn vx7_a_port_that_a_program_has_is_refused() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let here = node.net.open(node.path()).unwrap();
    let socket = within(&here, || UdpSocket::bind("0.0.0.0:4789").unwrap()).unwrap();
    let conf = at(node, "10.7.0.1/24");
    let message = "create vxlan device of network \"blue\": UDP port 4789 is taken by another program";
    fails(node.add(&pod, &conf), 131, message);
    has(node, &[]);
    pod.has(node, &[]);
    fails(within(&here, || node.status(&conf)).unwrap(), 50, message);
    drop(socket);
    within(&here, || node.status(&conf)).unwrap().unwrap();
    node.add(&pod, &conf).unwrap();
}

#[test]
fn a_name_that_is_anothers_is_left_alone() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    let conf = at(node, "10.7.0.1/24");
    node.add(&pod, &conf).unwrap();
    let bridge = link(node, "vb");
    node.del(&pod, &conf, None).unwrap();
    let mut foreign = NewBridge::new(bridge.name.parse().unwrap());
    foreign.alias = Some("of the administrator".to_owned());
    node.net.ensure_bridge(&foreign).unwrap();
    fails(
        node.add(&pod, &conf),
        132,
        "create the segment of network \"blue\": the name ",
    );
    has(node, &["vb"]);
}

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
fn a_segment_cannot_change_its_number_under_its_containers() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    let conf_one = at(node, "10.7.0.1/24");
    node.add(&one, &conf_one).unwrap();
    let other = conf(node, json!({ "vni": 8 }));
    fails(
        node.add(&two, &other),
        133,
        "join the segment of network \"blue\"",
    );
    fails(node.status(&other), 50, "join the segment of network \"blue\"");
    node.check(
        &one,
        &conf_one,
        &node.add(&two, &at(node, "10.7.0.2/24")).unwrap(),
    )
    .unwrap_err();
    node.del(&two, &other, None).unwrap();
    // A lingering pair has no containers, and is made anew.
    let linger = conf(node, json!({ "runtimeConfig": { "linger": 30 } }));
    node.del(&one, &linger, None).unwrap();
    has(node, &PAIR);
    node.add(&two, &other).unwrap();
    assert!(matches!(link(node, "vx").kind, LinkKind::Vxlan { vni: 8, .. }));
}

#[test]
fn an_add_that_fails_late_leaves_nothing() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pod = Pod::new(node, "c1");
    // The gateway is the container's own address: known only after the IPAM plugin has answered.
    let keys = json!({ "isGateway": true, "runtimeConfig": { "ips": ["10.7.0.1/24"] } });
    fails(node.add(&pod, &conf(node, keys)), 7, "find a gateway");
    has(node, &[]);
    pod.has(node, &[]);
    let no_ipam = conf(node, json!({ "ipam": { "type": "host-local" } }));
    fails(node.add(&pod, &no_ipam), 7, "no IP ranges specified");
    has(node, &[]);
    // The container has an interface of that name already.
    let neighbour = node.conf(json!({ "type": "bridge", "bridge": "br0", "name": "red" }));
    node.add(&pod, &neighbour).unwrap();
    fails(
        node.add(&pod, &at(node, "10.7.0.1/24")),
        166,
        "container veth name",
    );
    has(node, &["br0", "veth"]);
    pod.has(node, &["eth0"]);
}

#[test]
fn a_failing_add_does_not_disturb_a_container_that_is_there() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let (one, two) = (Pod::new(node, "c1"), Pod::new(node, "c2"));
    let conf_one = at(node, "10.7.0.1/24");
    let first = node.add(&one, &conf_one).unwrap();
    fails(node.add(&one, &conf_one), 166, "container veth name");
    fails(
        node.add(&two, &conf(node, json!({ "ipam": { "type": "host-local" } }))),
        7,
        "no IP ranges",
    );
    node.check(&one, &conf_one, &first).unwrap();
}

#[test]
fn a_gateway_has_the_same_addresses_on_every_node() {
    let fabric = Fabric::new(2);
    let macs: Vec<_> = fabric
        .nodes
        .iter()
        .enumerate()
        .map(|(at, node)| {
            let pod = Pod::new(node, "c1");
            let ips = [format!("10.7.0.{}/24", at + 2), format!("fd07::{}/64", at + 2)];
            let keys = json!({ "isDefaultGateway": true, "ipMasq": true, "runtimeConfig": { "ips": ips } });
            let conf = conf(node, keys);
            let success = node.add(&pod, &conf).unwrap();
            let bridge = link(node, "vb");
            assert_eq!(node.addresses(&bridge.name), ["10.7.0.1/24", "fd07::1/64"]);
            assert_eq!(pod.routes(node), ["0.0.0.0/0 via 10.7.0.1", "::/0 via fd07::1"]);
            node.check(&pod, &conf, &success).unwrap();
            bridge.mac.unwrap()
        })
        .collect();
    assert_eq!(macs[0], macs[1]);
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

#[test]
fn vx12_a_multicast_group_stands_for_all_nodes() {
    let fabric = Fabric::new(2);
    let keys = |at: usize| {
        json!({ "peers": null, "group": "239.1.1.7", "device": "eth0",
                "runtimeConfig": { "ips": [format!("10.7.0.{at}/24")] } })
    };
    let pods: Vec<Pod> = (1..=2)
        .map(|at| {
            let node = &fabric.nodes[at - 1];
            let (pod, conf) = (Pod::new(node, "c1"), conf(node, keys(at)));
            let success = node.add(&pod, &conf).unwrap();
            node.check(&pod, &conf, &success).unwrap();
            pod
        })
        .collect();
    // Twice, so that the list of peers is brought up to date while the group's own entry is there.
    fabric.nodes[0]
        .add(
            &Pod::new(&fabric.nodes[0], "c2"),
            &conf(&fabric.nodes[0], keys(9)),
        )
        .unwrap();
    reaches(&pods[0], &pods[1], "10.7.0.2");
    let absent = conf(
        &fabric.nodes[0],
        json!({ "name": "green", "vni": 9, "group": "239.1.1.7", "device": "nope" }),
    );
    fails(
        fabric.nodes[0].status(&absent),
        50,
        "find underlay device \"nope\": Link not found",
    );
}

#[test]
fn twenty_at_once_share_one_segment() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pods: Vec<Pod> = (0..20).map(|n| Pod::new(node, &format!("c{n}"))).collect();
    let confs: Vec<Conf> = (0..20)
        .map(|n| at(node, &format!("10.7.0.{}/24", n + 1)))
        .collect();
    thread::scope(|scope| {
        for (pod, conf) in pods.iter().zip(&confs) {
            scope.spawn(move || node.add(pod, conf).unwrap());
        }
    });
    let mut expected = vec!["veth"; 20];
    expected.insert(0, "vb");
    expected.push("vx");
    has(node, &expected);
    reaches(&pods[0], &pods[19], "10.7.0.20");
    thread::scope(|scope| {
        for (pod, conf) in pods.iter().zip(&confs) {
            scope.spawn(move || node.del(pod, conf, None).unwrap());
        }
    });
    has(node, &[]);
}

#[test]
fn vx4_the_last_one_out_and_the_next_one_in_do_not_meet() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    for round in 0..20 {
        let (old, new) = (Pod::new(node, "old"), Pod::new(node, "new"));
        let (conf_old, conf_new) = (at(node, "10.7.0.1/24"), at(node, "10.7.0.2/24"));
        node.add(&old, &conf_old).unwrap();
        let start = Barrier::new(2);
        let success = thread::scope(|scope| {
            let joining = scope.spawn(|| {
                start.wait();
                // Spread over the other's steps, of which deleting the veth pair is the longest.
                thread::sleep(Duration::from_millis(round * 2));
                node.add(&new, &conf_new).unwrap()
            });
            start.wait();
            node.del(&old, &conf_old, None).unwrap();
            joining.join().unwrap()
        });
        node.check(&new, &conf_new, &success).unwrap();
        has(node, &["vb", "veth", "vx"]);
        node.del(&new, &conf_new, None).unwrap();
        has(node, &[]);
    }
}
