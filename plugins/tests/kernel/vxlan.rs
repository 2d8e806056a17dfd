//! `vxlan` on the kernel: nodes on a switch, each a namespace.

mod refused;
mod segment;
mod together;
mod upkeep;

use std::net::UdpSocket;
use std::time::Duration;

use cni_net::link::{Change, NewBridge, NewVeth};
use cni_net::netns::within;
use cni_net::{Addr, Addrs, At, Links, Mtu, Namespaces, Neighbours};
use serde_json::{Value, json};

use crate::fixture::{Conf, Node, Pod};

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
