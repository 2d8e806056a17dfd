use cni_core::spec::Mac;
use cni_net::link::{Change, NewVxlan};
use cni_net::neigh::Fdb;
use cni_net::{At, Links, Neighbours, NetError};

use crate::ground::{Ground, Net, attached, bridge};

const MAC: Mac = Mac([2, 0, 0, 0, 0, 9]);

#[track_caller]
fn holds(net: &impl Net, expected: &[Fdb]) {
    let sorted = |mut entries: Vec<Fdb>| {
        entries.sort_by_key(|entry| (entry.mac, entry.dst));
        entries
    };
    assert_eq!(
        sorted(net.fdb(At::Host, "vx1").unwrap()),
        sorted(expected.to_vec())
    );
}

pub(crate) fn the_forwarding_database_is_kept(ground: &impl Ground) {
    let net = ground.net();
    let mut new = NewVxlan::new("vx1".parse().unwrap(), 7.try_into().unwrap(), 4789);
    new.master = Some(bridge(net, "br0").index);
    net.add_vxlan(&new).unwrap();
    let ip = |text: &str| text.parse().unwrap();
    let flood = [Fdb::flood(ip("192.0.2.1")), Fdb::flood(ip("192.0.2.2"))];
    let (remote, port) = (Fdb::remote(MAC, ip("192.0.2.1")), Fdb::port(MAC));
    for _ in 0..2 {
        net.ensure_fdb(At::Host, "vx1", &[flood[0], flood[1], remote, port])
            .unwrap();
        holds(net, &[flood[0], flood[1], remote, port]);
    }
    let moved = Fdb::remote(MAC, ip("192.0.2.2"));
    net.ensure_fdb(At::Host, "vx1", &[moved]).unwrap();
    holds(net, &[flood[0], flood[1], moved, port]);
    assert!(net.del_fdb(At::Host, "vx1", &flood[0]).unwrap());
    holds(net, &[flood[1], moved, port]);
    for (entry, left) in [(flood[1], vec![moved, port]), (moved, vec![port]), (port, vec![])] {
        assert!(net.del_fdb(At::Host, "vx1", &entry).unwrap());
        assert!(!net.del_fdb(At::Host, "vx1", &entry).unwrap());
        holds(net, &left);
    }
    assert!(!net.del_fdb(At::Host, "nope", &port).unwrap());
    let error = net.ensure_fdb(At::Host, "br0", &[port]).unwrap_err();
    assert_eq!(error.errno(), Some(95), "{error:?}");
    for error in [
        net.fdb(At::Host, "nope").unwrap_err(),
        net.ensure_fdb(At::Host, "nope", &[port]).unwrap_err(),
    ] {
        assert!(matches!(error, NetError::LinkNotFound { .. }), "{error:?}");
    }
}

pub(crate) fn neighbours_are_kept_until_the_link_goes_down(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(net, &pod, "veth1", &["10.1.2.3/24"]);
    let at = At::Netns(&pod);
    let address = "10.1.2.9".parse().unwrap();
    for mac in [Mac([2, 0, 0, 0, 0, 8]), MAC] {
        net.ensure_neighbour(at, "eth0", address, mac).unwrap();
    }
    assert_eq!(net.neighbours(at, "eth0").unwrap(), [(address, MAC)]);
    assert!(net.del_neighbour(at, "eth0", address).unwrap());
    assert!(!net.del_neighbour(at, "eth0", address).unwrap());
    assert!(!net.del_neighbour(at, "nope", address).unwrap());
    net.ensure_neighbour(at, "eth0", address, MAC).unwrap();
    net.set_link(at, "eth0", &Change::down()).unwrap();
    assert_eq!(net.neighbours(at, "eth0").unwrap(), []);
}
