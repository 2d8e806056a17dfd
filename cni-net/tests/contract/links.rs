use cni_core::spec::Mac;
use cni_net::link::{
    Change, LinkKind, MacvlanMode, NewBridge, NewMacvlan, NewVeth, OperState, POD_GROUP, Port,
};
use cni_net::{At, Links, Namespaces, NetError, Netns};

use crate::ground::{Ground, bridge, names, soon};

fn veth<'a>(pod: &'a Netns, container: &str, host: &str) -> NewVeth<'a> {
    NewVeth::new(pod, container.parse().unwrap(), host.parse().unwrap())
}

pub(crate) fn a_pair_is_as_asked_for(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    let bridge = bridge(net, "br0");
    let mut new = veth(&pod, "eth0", "veth1");
    new.mac = Some(Mac([2, 0, 0, 0, 0, 5]));
    new.mtu = Some(1400.try_into().unwrap());
    (new.master, new.alias) = (Some(bridge.index), Some("mine".to_owned()));
    new.port.isolated = true;
    let (host, container) = net.add_veth(&new).unwrap();
    assert_eq!((&host.kind, &container.kind), (&LinkKind::Veth, &LinkKind::Veth));
    assert_eq!((host.mtu, container.mtu, container.mac), (1400, 1400, new.mac));
    assert_eq!((host.up, container.up), (true, false));
    assert_eq!((host.txqlen, container.txqlen, bridge.txqlen), (0, 1000, 1000));
    assert_eq!((host.group, container.group), (0, POD_GROUP));
    assert_eq!((host.master, host.port), (Some(bridge.index), Some(new.port)));
    assert_eq!(
        (host.parent, container.parent),
        (Some(container.index), Some(host.index))
    );
    assert_eq!((host.alias.as_deref(), container.alias), (Some("mine"), None));
    assert!(host.mac.is_some() && host.mac != container.mac);
    assert_eq!(net.link(At::Host, "veth1").unwrap(), Some(host.clone()));
    assert_eq!(net.link_by_index(At::Host, host.index).unwrap(), Some(host));
    assert_eq!(names(net, At::Host), ["br0", "veth1"]);
}

pub(crate) fn a_taken_name_is_refused_and_nothing_is_made(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    net.add_veth(&veth(&pod, "eth0", "veth1")).unwrap();
    for (container, host) in [("eth0", "veth2"), ("net1", "veth1")] {
        let error = net.add_veth(&veth(&pod, container, host)).unwrap_err();
        assert!(error.is_exists(), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("create veth {host:?} with peer {container:?}")
        );
    }
    let mut long = veth(&pod, "net1", "veth2");
    long.alias = Some("a".repeat(256));
    let error = net.add_veth(&long).unwrap_err();
    assert!(matches!(error, NetError::Value { .. }), "{error:?}");
    assert_eq!(
        (names(net, At::Host), names(net, At::Netns(&pod))),
        (vec!["veth1".into()], vec!["eth0".into()])
    );
}

pub(crate) fn a_bad_master_is_refused(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    let (no_bridge, _) = net.add_veth(&veth(&pod, "eth0", "veth1")).unwrap();
    for (master, errno) in [(4711, 22), (no_bridge.index, 95)] {
        let mut new = veth(&pod, "net1", "veth2");
        new.master = Some(master);
        let error = net.add_veth(&new).unwrap_err();
        assert_eq!(error.errno(), Some(errno), "{error:?}");
    }
    assert_eq!(names(net, At::Host), ["veth1"]);
}

pub(crate) fn an_end_takes_the_other_along(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    for (at, name) in [(At::Host, "veth1"), (At::Netns(&pod), "eth0")] {
        net.add_veth(&veth(&pod, "eth0", "veth1")).unwrap();
        assert!(net.del_link(at, name).unwrap());
        assert!(!net.del_link(at, name).unwrap());
        assert!(names(net, At::Host).is_empty() && names(net, At::Netns(&pod)).is_empty());
    }
}

pub(crate) fn a_namespace_takes_its_links_along(ground: &impl Ground) {
    let (net, (pod, held)) = (ground.net(), ground.pod());
    net.add_veth(&veth(&pod, "eth0", "veth1")).unwrap();
    let (path, id) = (pod.path().clone(), pod.id().clone());
    assert_eq!(net.open(&path).unwrap().id(), pod.id());
    assert_ne!(net.host_id().unwrap(), *pod.id());
    drop((pod, held));
    soon(|| names(net, At::Host).is_empty());
    match net.open(&path) {
        // Another test's by now.
        Ok(other) => assert_ne!(*other.id(), id),
        Err(error) => assert!(matches!(error, NetError::NetnsGone { .. }), "{error:?}"),
    }
}

pub(crate) fn carrier_needs_both_ends(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    let bridge = bridge(net, "br0");
    let mut new = veth(&pod, "eth0", "veth1");
    new.master = Some(bridge.index);
    net.add_veth(&new).unwrap();
    let state = |at, name| net.link(at, name).unwrap().unwrap().state;
    assert_ne!(state(At::Host, "veth1"), OperState::Up);
    assert_ne!(state(At::Host, "br0"), OperState::Up);
    let pod = At::Netns(&pod);
    net.set_link(pod, "eth0", &Change::up()).unwrap();
    soon(|| {
        [(At::Host, "veth1"), (At::Host, "br0"), (pod, "eth0")]
            .iter()
            .all(|(at, name)| state(*at, name) == OperState::Up)
    });
    net.set_link(pod, "eth0", &Change::down()).unwrap();
    soon(|| state(At::Host, "veth1") != OperState::Up && state(pod, "eth0") == OperState::Down);
    assert_eq!(net.link(At::Host, "lo").unwrap().unwrap().state, OperState::Down);
    net.set_link(At::Host, "lo", &Change::up()).unwrap();
    soon(|| state(At::Host, "lo") == OperState::Unknown);
}

pub(crate) fn a_bridge_is_made_once_and_taken_as_it_is(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    let made = bridge(net, "br0");
    assert!(made.up && made.kind == LinkKind::Bridge && made.mtu == 1500 && made.mac.is_some());
    net.set_link(At::Host, "br0", &Change::down()).unwrap();
    let mut other = NewBridge::new("br0".parse().unwrap());
    (other.mtu, other.mac) = (Some(1400.try_into().unwrap()), Some(Mac([2, 0, 0, 0, 0, 9])));
    let found = net.ensure_bridge(&other).unwrap();
    assert_eq!(
        (found.index, found.mtu, found.mac, found.up),
        (made.index, 1500, made.mac, true)
    );
    // One that was given no MTU follows its smallest port.
    let mut new = veth(&pod, "eth0", "veth1");
    (new.master, new.mtu) = (Some(made.index), Some(1400.try_into().unwrap()));
    net.add_veth(&new).unwrap();
    assert_eq!(net.link(At::Host, "br0").unwrap().unwrap().mtu, 1400);
    let mut fixed = NewBridge::new("br1".parse().unwrap());
    (fixed.mtu, fixed.alias) = (Some(1450.try_into().unwrap()), Some("ours".to_owned()));
    let fixed = net.ensure_bridge(&fixed).unwrap();
    assert_eq!((fixed.mtu, fixed.alias.as_deref()), (1450, Some("ours")));
    let error = net
        .ensure_bridge(&NewBridge::new("veth1".parse().unwrap()))
        .unwrap_err();
    assert!(matches!(error, NetError::WrongKind { .. }), "{error:?}");
}

pub(crate) fn a_bridge_that_goes_frees_its_ports(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    let mut new = veth(&pod, "eth0", "veth1");
    new.master = Some(bridge(net, "br0").index);
    net.add_veth(&new).unwrap();
    assert!(net.del_link(At::Host, "br0").unwrap());
    let host = net.link(At::Host, "veth1").unwrap().unwrap();
    assert_eq!((host.master, host.port, host.up), (None, None, true));
    let error = net.set_port(At::Host, "veth1", Port::default()).unwrap_err();
    assert_eq!(error.errno(), Some(95), "{error:?}");
}

pub(crate) fn a_macvlan_is_as_asked_for_and_goes_with_its_parent(ground: &impl Ground) {
    let (net, (pod, _held), (switch, _switch)) = (ground.net(), ground.pod(), ground.pod());
    let (parent, _) = net.add_veth(&veth(&switch, "port0", "up0")).unwrap();
    net.set_link(At::Netns(&switch), "port0", &Change::up()).unwrap();
    let mut new = NewMacvlan::new(&pod, "eth0".parse().unwrap(), At::Host, parent.index);
    (new.mode, new.mac) = (MacvlanMode::Private, Some(Mac([2, 0, 0, 0, 1, 1])));
    new.mtu = Some(1300.try_into().unwrap());
    let link = net.add_macvlan(&new).unwrap();
    assert_eq!(
        link.kind,
        LinkKind::Macvlan {
            mode: MacvlanMode::Private
        }
    );
    assert_eq!(
        (link.mac, link.mtu, link.up, link.group),
        (new.mac, 1300, false, POD_GROUP)
    );
    assert_eq!((link.parent, link.master), (Some(parent.index), None));
    assert!(net.add_macvlan(&new).unwrap_err().is_exists());
    new.name = "net1".parse().unwrap();
    (new.mtu, new.mac) = (None, None);
    assert_eq!(net.add_macvlan(&new).unwrap().mtu, 1500);
    let at = At::Netns(&pod);
    net.set_link(at, "eth0", &Change::up()).unwrap();
    soon(|| net.link(at, "eth0").unwrap().unwrap().state == OperState::Up);
    assert!(net.del_link(At::Host, "up0").unwrap());
    assert!(names(net, at).is_empty() && names(net, At::Netns(&switch)).is_empty());
}

pub(crate) fn a_macvlan_is_refused_what_its_parent_cannot(ground: &impl Ground) {
    let (net, (pod, _held), (switch, _switch)) = (ground.net(), ground.pod(), ground.pod());
    let (parent, _) = net.add_veth(&veth(&switch, "port0", "up0")).unwrap();
    let mut port = veth(&switch, "port1", "up1");
    port.master = Some(bridge(net, "br0").index);
    let (port, _) = net.add_veth(&port).unwrap();
    let new = |name: &str, parent| NewMacvlan::new(&pod, name.parse().unwrap(), At::Host, parent);
    let refused = |new: &NewMacvlan<'_>, errno| {
        let error = net.add_macvlan(new).unwrap_err();
        assert_eq!(error.errno(), Some(errno), "{error:?}");
    };
    refused(&new("net1", 4711), 19);
    refused(&new("net1", port.index), 16);
    let mut large = new("net1", parent.index);
    large.mtu = Some(1501.try_into().unwrap());
    refused(&large, 22);
    let twin = Some(Mac([2, 0, 0, 0, 1, 1]));
    for name in ["net1", "net2"] {
        let mut new = new(name, parent.index);
        new.mac = twin;
        net.add_macvlan(&new).unwrap();
    }
    net.set_link(At::Netns(&pod), "net1", &Change::up()).unwrap();
    let error = net.set_link(At::Netns(&pod), "net2", &Change::up()).unwrap_err();
    assert_eq!(error.errno(), Some(98), "{error:?}");
    let mut alone = new("net3", parent.index);
    alone.mode = MacvlanMode::Passthru;
    refused(&alone, 22);
    assert_eq!(names(net, At::Netns(&pod)), ["net1", "net2"]);
}

pub(crate) fn changes_are_made_and_the_rest_stays(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    let (before, _) = net.add_veth(&veth(&pod, "eth0", "veth1")).unwrap();
    let mut change = Change::default();
    (change.promisc, change.group) = (Some(true), Some(7));
    (change.allmulti, change.txqlen) = (Some(true), Some(17));
    change.mtu = Some(1280.try_into().unwrap());
    change.mac = Some(Mac([2, 0, 0, 0, 0, 7]));
    change.alias = Some("changed".to_owned());
    net.set_link(At::Host, "veth1", &change).unwrap();
    let after = net.link(At::Host, "veth1").unwrap().unwrap();
    assert_eq!(
        (after.up, after.promisc, after.mtu, after.group),
        (true, true, 1280, 7)
    );
    assert_eq!((after.mac, after.alias.as_deref()), (change.mac, Some("changed")));
    assert_eq!((after.index, after.parent), (before.index, before.parent));
    assert_eq!((after.allmulti, after.txqlen), (true, 17));
    let mut bad = Change::default();
    bad.mac = Some(Mac([1, 0, 0, 0, 0, 7]));
    let error = net.set_link(At::Host, "veth1", &bad).unwrap_err();
    assert_eq!(error.errno(), Some(99), "{error:?}");
    assert_eq!(net.link(At::Host, "veth1").unwrap(), Some(after));
}

pub(crate) fn what_is_not_there_is_none(ground: &impl Ground) {
    let net = ground.net();
    assert_eq!(net.link(At::Host, "nope").unwrap(), None);
    assert_eq!(net.link_by_index(At::Host, 4711).unwrap(), None);
    assert!(!net.del_link(At::Host, "nope").unwrap());
    let errors = [
        net.set_link(At::Host, "nope", &Change::up()).unwrap_err(),
        net.set_port(At::Host, "nope", Port::default()).unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(&error, NetError::LinkNotFound { name } if name == "nope"),
            "{error:?}"
        );
    }
    let error = net.del_link(At::Host, "lo").unwrap_err();
    assert_eq!(error.errno(), Some(95), "{error:?}");
}

pub(crate) fn the_pods_links_go_in_one_request(ground: &impl Ground) {
    let (net, (pod, _held), (other, _other)) = (ground.net(), ground.pod(), ground.pod());
    net.add_veth(&veth(&pod, "eth0", "veth1")).unwrap();
    net.add_veth(&veth(&pod, "net1", "veth2")).unwrap();
    net.add_veth(&veth(&other, "eth0", "veth3")).unwrap();
    for _ in 0..2 {
        net.del_pod_links(&pod).unwrap();
        assert_eq!(
            (names(net, At::Host), names(net, At::Netns(&pod))),
            (vec!["veth3".into()], vec![])
        );
    }
}
