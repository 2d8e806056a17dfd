use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cni_core::spec::Mac;
use cni_net::link::{Change, LinkKind, MacvlanMode, NewBridge, NewMacvlan, OperState, POD_GROUP, Port};
use cni_net::{At, Links, NetError, Sysctl};

use crate::fixture::{Node, Place, veth};

#[test]
fn a_veth_is_born_in_place() {
    let (node, pod) = (Node::new(), Place::new());
    let bridge = node
        .kernel
        .ensure_bridge(&NewBridge::new("br0".parse().unwrap()))
        .unwrap();
    let mut new = veth(&pod, "eth0", "veth00000001");
    new.mac = Some("02:00:00:00:00:05".parse().unwrap());
    new.mtu = Some(1400.try_into().unwrap());
    new.master = Some(bridge.index);
    let mut port = Port::default();
    (port.hairpin, port.isolated) = (true, true);
    new.port = port;
    new.alias = Some("net of pod".to_owned());

    let (host, container) = node.kernel.add_veth(&new).unwrap();

    assert_eq!(
        (host.name.as_str(), container.name.as_str()),
        ("veth00000001", "eth0")
    );
    assert_eq!((&host.kind, &container.kind), (&LinkKind::Veth, &LinkKind::Veth));
    assert_eq!((host.mtu, container.mtu), (1400, 1400));
    assert_eq!((host.up, container.up), (true, false));
    assert_eq!((host.group, container.group), (0, POD_GROUP));
    assert_eq!((host.master, host.port), (Some(bridge.index), Some(port)));
    assert_eq!(host.alias.as_deref(), Some("net of pod"));
    assert_eq!(
        (container.mac, container.master, container.port),
        (new.mac, None, None)
    );
    assert_eq!(
        (host.parent, container.parent),
        (Some(container.index), Some(host.index))
    );
    assert_eq!(node.link("veth00000001"), Some(host));
    assert_eq!(node.link_in(&pod, "eth0"), Some(container));
    let key = |name| {
        node.kernel
            .sysctl(At::Host, &format!("ipv6/conf/{name}/accept_ra"))
            .unwrap()
    };
    assert_eq!(
        (key("veth00000001"), key("br0")),
        ("0".to_owned(), "0".to_owned())
    );
}

#[test]
fn the_host_end_comes_up_with_the_container_end() {
    let (node, pod) = (Node::new(), Place::new());
    node.veth(&pod, "eth0", "veth1");
    assert_ne!(node.link("veth1").unwrap().state, OperState::Up);
    node.kernel
        .set_link(At::Netns(&pod.netns), "eth0", &Change::up())
        .unwrap();
    // The kernel says so in its own time.
    let both_up = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(10));
        let ends = [node.link("veth1"), node.link_in(&pod, "eth0")];
        ends.iter().flatten().all(|end| end.state == OperState::Up)
    });
    assert!(both_up);
}

#[test]
fn a_taken_name_on_either_end_leaves_nothing() {
    let (node, pod, other) = (Node::new(), Place::new(), Place::new());
    node.veth(&other, "eth0", "taken");
    let before = node.link("taken");

    let mut new = veth(&pod, "eth0", "taken");
    new.alias = Some("not theirs".to_owned());
    let error = node.kernel.add_veth(&new).unwrap_err();
    assert!(error.is_exists(), "{error:?}");
    assert_eq!(node.link("taken"), before);
    assert!(node.names_in(&pod).is_empty());

    let error = node.kernel.add_veth(&veth(&other, "eth0", "veth1")).unwrap_err();
    assert!(error.is_exists(), "{error:?}");
    assert_eq!(error.to_string(), r#"create veth "veth1" with peer "eth0""#);
    assert_eq!(node.names(), ["taken"]);
}

#[test]
fn a_name_may_be_taken_where_the_container_is_not() {
    let (node, pod) = (Node::new(), Place::new());
    node.veth(&pod, "eth0", "eth1");
    node.veth(&pod, "eth1", "eth0");
    assert_eq!(
        (node.names(), node.names_in(&pod)),
        (
            vec!["eth1".into(), "eth0".into()],
            vec!["eth0".to_owned(), "eth1".to_owned()]
        )
    );
}

#[test]
fn a_failure_after_the_creation_leaves_nothing() {
    let (node, pod) = (Node::new(), Place::new());
    let mut new = veth(&pod, "eth0", "veth1");
    new.alias = Some("a".repeat(256));
    let error = node.kernel.add_veth(&new).unwrap_err();
    assert!(
        matches!(error, NetError::Value { what: "alias", .. }),
        "{error:?}"
    );
    new.alias = None;
    new.master = Some(4711);
    node.kernel.add_veth(&new).unwrap_err();
    assert!(node.names().is_empty() && node.names_in(&pod).is_empty());
}

#[test]
fn twenty_callers_get_one_bridge() {
    let node = Node::new();
    let mut new = NewBridge::new("br0".parse().unwrap());
    new.mtu = Some(1450.try_into().unwrap());
    new.alias = Some("shared".to_owned());
    let indices: Vec<u32> = thread::scope(|scope| {
        let ensure = || scope.spawn(|| node.kernel.ensure_bridge(&new).unwrap().index);
        let callers: Vec<_> = (0..20).map(|_| ensure()).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let bridge = node.link("br0").unwrap();
    assert!(indices.iter().all(|index| *index == bridge.index), "{indices:?}");
    assert!(bridge.up && bridge.kind == LinkKind::Bridge && bridge.mtu == 1450);
    assert_eq!(bridge.alias.as_deref(), Some("shared"));
}

#[test]
fn twenty_processes_get_one_bridge() {
    // Kernels of their own, as plugins that run as processes have them: no socket puts them in a line.
    let node = Node::new();
    let new = NewBridge::new("br0".parse().unwrap());
    let ensure = || {
        let kernel = cni_net::netns::within(&node.place.netns, cni_net::Kernel::new).unwrap();
        kernel.ensure_bridge(&new).unwrap().index
    };
    let indices: Vec<u32> = thread::scope(|scope| {
        let callers: Vec<_> = (0..20).map(|_| scope.spawn(ensure)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert!(indices.windows(2).all(|pair| pair[0] == pair[1]), "{indices:?}");
}

#[test]
fn a_bridge_keeps_its_address() {
    let (node, pod) = (Node::new(), Place::new());
    let bridge = node
        .kernel
        .ensure_bridge(&NewBridge::new("br0".parse().unwrap()))
        .unwrap();
    let mac = bridge.mac.unwrap();
    assert_eq!(
        mac.0[0] & 3,
        2,
        "{mac} is not unicast and of local administration"
    );
    let mut new = veth(&pod, "eth0", "veth1");
    new.master = Some(bridge.index);
    node.kernel.add_veth(&new).unwrap();
    assert_eq!(node.link("br0").unwrap().mac, Some(mac));
    node.kernel.del_link(At::Host, "veth1").unwrap();
    assert_eq!(node.link("br0").unwrap().mac, Some(mac));

    let mut new = NewBridge::new("br1".parse().unwrap());
    new.mac = Some(Mac([2, 0, 0, 0, 0, 9]));
    assert_eq!(node.kernel.ensure_bridge(&new).unwrap().mac, new.mac);
}

#[test]
fn a_bridge_that_is_there_is_taken_and_set_up() {
    let node = Node::new();
    let mut new = NewBridge::new("br0".parse().unwrap());
    let made = node.kernel.ensure_bridge(&new).unwrap();
    node.kernel.set_link(At::Host, "br0", &Change::down()).unwrap();
    new.mtu = Some(1400.try_into().unwrap());
    let found = node.kernel.ensure_bridge(&new).unwrap();
    assert_eq!((found.index, found.mtu, found.up), (made.index, 1500, true));
}

#[test]
fn a_link_of_another_kind_is_no_bridge() {
    let (node, pod) = (Node::new(), Place::new());
    node.veth(&pod, "eth0", "br0");
    let error = node
        .kernel
        .ensure_bridge(&NewBridge::new("br0".parse().unwrap()))
        .unwrap_err();
    assert_eq!(error.to_string(), r#""br0" already exists but is not a bridge"#);
}

#[test]
fn a_macvlan_is_born_in_its_container() {
    let (node, pod, uplink) = (Node::new(), Place::new(), Place::new());
    let (parent, _) = node.veth(&uplink, "eth0", "uplink");
    let modes = [MacvlanMode::Bridge, MacvlanMode::Private, MacvlanMode::Vepa];
    for (number, mode) in modes.into_iter().enumerate() {
        let name = format!("net{number}");
        let mut new = NewMacvlan::new(&pod.netns, name.parse().unwrap(), At::Host, parent.index);
        new.mode = mode;
        new.mac = Some(Mac([2, 0, 0, 0, 1, number as u8]));
        new.mtu = Some(1300.try_into().unwrap());
        new.bcqueuelen = Some(2000);
        let link = node.kernel.add_macvlan(&new).unwrap();
        assert_eq!(link.kind, LinkKind::Macvlan { mode });
        assert_eq!(
            (link.mac, link.mtu, link.up, link.group),
            (new.mac, 1300, false, POD_GROUP)
        );
        assert_eq!(link.parent, Some(parent.index));
        assert_eq!(node.link_in(&pod, &name), Some(link));
        assert!(node.kernel.add_macvlan(&new).unwrap_err().is_exists());
    }
    assert_eq!(node.names(), ["uplink"]);
}

#[test]
fn a_macvlan_may_have_a_name_that_is_taken_on_the_host() {
    let (node, pod, uplink) = (Node::new(), Place::new(), Place::new());
    let (parent, _) = node.veth(&uplink, "eth0", "eth0");
    let new = NewMacvlan::new(&pod.netns, "eth0".parse().unwrap(), At::Host, parent.index);
    let link = node.kernel.add_macvlan(&new).unwrap();
    assert_eq!((link.name.as_str(), link.group), ("eth0", POD_GROUP));
    assert_eq!(
        node.link("eth0"),
        Some(
            node.kernel
                .link_by_index(At::Host, parent.index)
                .unwrap()
                .unwrap()
        )
    );
}

#[test]
fn a_macvlan_may_take_over_a_parent_in_its_container() {
    let (node, pod) = (Node::new(), Place::new());
    let (_, parent) = node.veth(&pod, "eth0", "veth1");
    let mut new = NewMacvlan::new(
        &pod.netns,
        "net1".parse().unwrap(),
        At::Netns(&pod.netns),
        parent.index,
    );
    new.mode = MacvlanMode::Passthru;
    let link = node.kernel.add_macvlan(&new).unwrap();
    assert_eq!(
        link.kind,
        LinkKind::Macvlan {
            mode: MacvlanMode::Passthru
        }
    );
    assert_eq!((link.parent, link.mac), (Some(parent.index), parent.mac));
}

#[test]
fn a_pods_links_go_in_one_request_and_foreign_ones_stay() {
    let (node, pod, other) = (Node::new(), Place::new(), Place::new());
    let (uplink, _) = node.veth(&other, "eth0", "uplink");
    node.veth(&pod, "eth0", "veth1");
    node.veth(&pod, "net1", "veth2");
    let new = NewMacvlan::new(&pod.netns, "net2".parse().unwrap(), At::Host, uplink.index);
    node.kernel.add_macvlan(&new).unwrap();
    // A pair made from the other pod: its host end, foreign to this pod, bears the group of pods.
    let foreign = veth(&node.place, "foreign", "inpod");
    within_pod(&pod, |kernel| kernel.add_veth(&foreign).unwrap());
    assert_eq!(node.link("foreign").unwrap().group, POD_GROUP);

    node.kernel.del_pod_links(&pod.netns).unwrap();

    assert_eq!(node.names_in(&pod), ["inpod"]);
    assert_eq!(node.names(), ["uplink", "foreign"]);
    assert_eq!(node.names_in(&other), ["eth0"]);
    node.kernel.del_pod_links(&pod.netns).unwrap();
}

fn within_pod<T: Send>(pod: &Place, f: impl FnOnce(cni_net::Kernel) -> T + Send) -> T {
    cni_net::netns::within(&pod.netns, || f(cni_net::Kernel::new())).unwrap()
}

#[test]
fn a_link_that_is_not_there_is_none() {
    let node = Node::new();
    let names = [
        "absent",
        "",
        "no\0name",
        "an-alternative-name-that-nobody-has",
        &"x".repeat(200),
    ];
    for name in names {
        assert_eq!(node.link(name), None, "{name:?}");
        assert!(!node.kernel.del_link(At::Host, name).unwrap(), "{name:?}");
        let error = node.kernel.set_link(At::Host, name, &Change::up()).unwrap_err();
        assert!(matches!(error, NetError::LinkNotFound { .. }), "{error:?}");
        let error = node.kernel.set_port(At::Host, name, Port::default()).unwrap_err();
        assert!(matches!(error, NetError::LinkNotFound { .. }), "{error:?}");
    }
    for index in [0, 4711, u32::MAX] {
        assert_eq!(
            node.kernel.link_by_index(At::Host, index).unwrap(),
            None,
            "{index}"
        );
    }
}

#[test]
fn del_twice_succeeds() {
    let (node, pod) = (Node::new(), Place::new());
    node.veth(&pod, "eth0", "veth1");
    assert!(node.kernel.del_link(At::Netns(&pod.netns), "eth0").unwrap());
    assert!(!node.kernel.del_link(At::Netns(&pod.netns), "eth0").unwrap());
    assert!(node.names().is_empty());
}

#[test]
fn what_is_changed_is_changed_and_the_rest_stays() {
    let (node, pod) = (Node::new(), Place::new());
    let (before, _) = node.veth(&pod, "eth0", "veth1");
    let mut change = Change::default();
    (change.promisc, change.allmulti, change.txqlen) = (Some(true), Some(true), Some(17));
    change.mtu = Some(1280.try_into().unwrap());
    change.mac = Some(Mac([2, 0, 0, 0, 0, 7]));
    change.alias = Some("changed".to_owned());
    node.kernel.set_link(At::Host, "veth1", &change).unwrap();
    let after = node.link("veth1").unwrap();
    assert_eq!((after.up, after.promisc, after.mtu), (true, true, 1280));
    assert_eq!((after.allmulti, after.txqlen, before.txqlen), (true, 17, 0));
    assert_eq!((after.mac, after.alias.as_deref()), (change.mac, Some("changed")));
    assert_eq!(
        (after.index, after.group, after.parent),
        (before.index, before.group, before.parent)
    );
}

#[test]
fn port_flags_are_all_written() {
    let (node, pod) = (Node::new(), Place::new());
    let bridge = node
        .kernel
        .ensure_bridge(&NewBridge::new("br0".parse().unwrap()))
        .unwrap();
    let mut new = veth(&pod, "eth0", "veth1");
    new.master = Some(bridge.index);
    let (host, _) = node.kernel.add_veth(&new).unwrap();
    assert_eq!(host.port, Some(Port::default()));
    let mut port = Port::default();
    (port.learning, port.neigh_suppress) = (false, true);
    for port in [port, Port::default()] {
        node.kernel.set_port(At::Host, "veth1", port).unwrap();
        assert_eq!(node.link("veth1").unwrap().port, Some(port));
    }
    let error = node.kernel.set_port(At::Host, "br0", port).unwrap_err();
    assert!(matches!(error, NetError::Request { .. }), "{error:?}");
}

#[test]
fn a_list_is_whole_while_others_change_it() {
    let (node, pod) = (Node::new(), Place::new());
    for number in 0..50 {
        node.veth(&pod, &format!("eth{number}"), &format!("veth{number}"));
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let churn = scope.spawn(|| {
            let other = Place::new();
            let kernel = cni_net::netns::within(&node.place.netns, cni_net::Kernel::new).unwrap();
            while !done.load(Ordering::Relaxed) {
                kernel.add_veth(&veth(&other, "eth0", "churn")).unwrap();
                kernel.del_link(At::Host, "churn").unwrap();
            }
        });
        let count = |_| {
            node.names()
                .iter()
                .filter(|name| name.starts_with("veth"))
                .count()
        };
        let counts: Vec<usize> = (0..200).map(count).collect();
        done.store(true, Ordering::Relaxed);
        churn.join().unwrap();
        assert!(counts.iter().all(|count| *count == 50), "{counts:?}");
    });
}
