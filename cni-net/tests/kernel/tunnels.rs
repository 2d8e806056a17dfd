use std::net::IpAddr;

use cni_core::spec::Mac;
use cni_net::link::{LinkKind, NewBridge, NewVxlan, Port};
use cni_net::{At, Links, Sysctl};

use crate::fixture::{Node, Place};

fn vxlan(name: &str, vni: u32, port: u16) -> NewVxlan {
    NewVxlan::new(name.parse().unwrap(), vni.try_into().unwrap(), port)
}

#[test]
fn a_vxlan_device_is_born_up_and_in_its_bridge() {
    let node = Node::new();
    let bridge = node
        .kernel
        .ensure_bridge(&NewBridge::new("vb1".parse().unwrap()))
        .unwrap();
    let mut new = vxlan("vx1", 5001, 4789);
    new.local = Some("192.0.2.1".parse().unwrap());
    new.mtu = Some(1400.try_into().unwrap());
    new.mac = Some(Mac([2, 0, 0, 0, 0, 1]));
    new.master = Some(bridge.index);
    let mut port = Port::default();
    (port.learning, port.neigh_suppress) = (false, true);
    new.port_flags = port;
    new.alias = Some("blue".to_owned());

    let link = node.kernel.add_vxlan(&new).unwrap();

    let kind = LinkKind::Vxlan {
        vni: 5001,
        port: 4789,
        local: new.local,
        group: None,
        external: false,
    };
    assert_eq!(link.kind, kind);
    assert_eq!((link.up, link.mtu, link.mac), (true, 1400, new.mac));
    assert_eq!((link.master, link.port), (Some(bridge.index), Some(port)));
    assert_eq!((link.parent, link.alias.as_deref()), (None, Some("blue")));
    let accept_ra = node.kernel.sysctl(At::Host, "ipv6/conf/vx1/accept_ra").unwrap();
    assert_eq!(accept_ra, "0");
}

#[test]
fn a_group_goes_out_by_its_device() {
    let (node, other) = (Node::new(), Place::new());
    let (uplink, _) = node.veth(&other, "eth0", "uplink");
    for (name, vni, group) in [("vx4", 4, "239.1.1.1"), ("vx6", 6, "ff05::100")] {
        let mut new = vxlan(name, vni, 4789);
        new.group = Some(group.parse::<IpAddr>().unwrap());
        new.device = Some(uplink.index);
        let link = node.kernel.add_vxlan(&new).unwrap();
        let LinkKind::Vxlan { group, .. } = link.kind else {
            panic!("{link:?}")
        };
        assert_eq!((group, link.parent), (new.group, Some(uplink.index)));
    }
}

#[test]
fn a_taken_vni_leaves_nothing() {
    let node = Node::new();
    node.kernel.add_vxlan(&vxlan("vx1", 7, 4789)).unwrap();
    let error = node.kernel.add_vxlan(&vxlan("vx2", 7, 4789)).unwrap_err();
    assert!(error.is_exists(), "{error:?}");
    assert_eq!(error.to_string(), r#"create vxlan "vx2" with VNI 7"#);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("VNI already exists"), "{cause}");
    assert_eq!(node.names(), ["vx1"]);
}

#[test]
fn a_taken_port_leaves_nothing() {
    let node = Node::new();
    let _taken = cni_net::netns::within(&node.place.netns, || {
        std::net::UdpSocket::bind("0.0.0.0:4789").unwrap()
    });
    let error = node.kernel.add_vxlan(&vxlan("vx1", 7, 4789)).unwrap_err();
    assert_eq!(error.errno(), Some(98), "{error:?}");
    assert!(node.names().is_empty());
}
