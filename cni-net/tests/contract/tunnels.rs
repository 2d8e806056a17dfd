use cni_core::spec::Mac;
use cni_net::link::{LinkKind, NewVxlan, OperState};
use cni_net::neigh::Fdb;
use cni_net::{At, Links, Neighbours};

use crate::ground::{Ground, attached, bridge, names, soon};

fn vxlan(name: &str, vni: u32, port: u16) -> NewVxlan {
    NewVxlan::new(name.parse().unwrap(), vni.try_into().unwrap(), port)
}

pub(crate) fn a_vxlan_device_is_as_asked_for(ground: &impl Ground) {
    let net = ground.net();
    let bridge = bridge(net, "br0");
    let mut new = vxlan("vx1", 5001, 4789);
    (new.local, new.mtu) = (Some("192.0.2.1".parse().unwrap()), Some(1400.try_into().unwrap()));
    (new.mac, new.alias) = (Some(Mac([2, 0, 0, 0, 0, 1])), Some("blue".to_owned()));
    new.master = Some(bridge.index);
    new.port_flags.learning = false;
    let link = net.add_vxlan(&new).unwrap();
    let kind = LinkKind::Vxlan {
        vni: 5001,
        port: 4789,
        local: new.local,
        group: None,
        external: false,
    };
    assert_eq!(link.kind, kind);
    assert_eq!(
        (link.up, link.mtu, link.mac, link.parent),
        (true, 1400, new.mac, None)
    );
    assert_eq!(
        (link.master, link.port),
        (Some(bridge.index), Some(new.port_flags))
    );
    assert_eq!((link.alias.as_deref(), link.group), (Some("blue"), 0));
    soon(|| net.link(At::Host, "vx1").unwrap().unwrap().state == OperState::Unknown);
    assert!(net.del_link(At::Host, "vx1").unwrap());
    assert_eq!(names(net, At::Host), ["br0"]);
}

pub(crate) fn a_taken_vni_or_port_is_refused(ground: &impl Ground) {
    let net = ground.net();
    net.add_vxlan(&vxlan("vx1", 7, 4789)).unwrap();
    let mut others = [
        vxlan("vx2", 8, 4789),
        vxlan("vx3", 7, 4790),
        vxlan("vx4", 7, 4789),
    ];
    others[2].local = Some("fd00::1".parse().unwrap());
    for other in &others {
        net.add_vxlan(other).unwrap();
    }
    for taken in [vxlan("vx5", 7, 4789), vxlan("vx1", 9, 4789)] {
        let error = net.add_vxlan(&taken).unwrap_err();
        assert!(error.is_exists(), "{error:?}");
        let text = format!(
            "create vxlan {:?} with VNI {}",
            taken.name.as_str(),
            taken.vni.get()
        );
        assert_eq!(error.to_string(), text);
    }
    let _socket = ground.bind_udp(4999);
    let error = net.add_vxlan(&vxlan("vx5", 7, 4999)).unwrap_err();
    assert_eq!(error.errno(), Some(98), "{error:?}");
    for (change, errno) in [((Some(4711), None), 22), ((None, Some(4711)), 19)] {
        let mut new = vxlan("vx5", 99, 4789);
        (new.master, new.device) = change;
        let error = net.add_vxlan(&new).unwrap_err();
        assert_eq!(error.errno(), Some(errno), "{error:?}");
    }
    assert_eq!(names(net, At::Host), ["vx1", "vx2", "vx3", "vx4"]);
}

pub(crate) fn a_group_is_flooded_to(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(net, &pod, "up0", &[]);
    let device = net.link(At::Host, "up0").unwrap().unwrap().index;
    let mut new = vxlan("vx1", 7, 4789);
    new.group = Some("239.1.1.1".parse().unwrap());
    assert_eq!(net.add_vxlan(&new).unwrap_err().errno(), Some(22));
    new.device = Some(device);
    let link = net.add_vxlan(&new).unwrap();
    assert_eq!(link.parent, Some(device));
    assert_eq!(
        net.fdb(At::Host, "vx1").unwrap(),
        [Fdb::flood("239.1.1.1".parse().unwrap())]
    );
    net.del_link(At::Host, "up0").unwrap();
    soon(|| names(net, At::Host).is_empty());
}
