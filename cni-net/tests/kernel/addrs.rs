use cni_net::{Addr, Addrs, At, NetError};

use crate::fixture::{Node, Place};

fn addr(text: &str) -> Addr {
    Addr::new(text.parse().unwrap())
}

/// The addresses of the pod's eth0 but for link-local ones.
fn shown(node: &Node, pod: &Place) -> Vec<Addr> {
    let addrs = node.kernel.addrs(At::Netns(&pod.netns), "eth0").unwrap();
    addrs
        .into_iter()
        .filter(|a| !a.address.to_string().starts_with("fe80"))
        .collect()
}

#[test]
fn addresses_of_both_families_are_usable_at_once() {
    let (node, pod) = (Node::new(), Place::new());
    node.veth(&pod, "eth0", "host0");
    let at = At::Netns(&pod.netns);
    let both = [addr("10.1.2.3/24"), addr("fd00::3/64")];
    node.kernel.add_addrs(at, "eth0", &both).unwrap();
    let found = shown(&node, &pod);
    let texts: Vec<String> = found.iter().map(|a| a.address.to_string()).collect();
    assert_eq!(texts, ["10.1.2.3/24", "fd00::3/64"]);
    assert!(found.iter().all(|a| !a.tentative && !a.dad_failed), "{found:?}");
    assert!(found[1].nodad);
    // The other namespace has none of them.
    assert_eq!(node.kernel.addrs(At::Host, "host0").unwrap(), []);
}

#[test]
fn an_address_is_added_once_and_deleted_as_often_as_one_likes() {
    let (node, pod) = (Node::new(), Place::new());
    node.veth(&pod, "eth0", "host0");
    let at = At::Netns(&pod.netns);
    for text in ["10.1.2.3/24", "fd00::3/64"] {
        let one = addr(text);
        node.kernel.add_addrs(at, "eth0", &[one]).unwrap();
        let again = node.kernel.add_addrs(at, "eth0", &[one]).unwrap_err();
        assert!(again.is_exists(), "{again:?}");
        assert_eq!(again.to_string(), format!("add address {text} to \"eth0\""));
        assert!(node.kernel.del_addr(at, "eth0", one.address).unwrap());
        assert!(!node.kernel.del_addr(at, "eth0", one.address).unwrap());
    }
    assert_eq!(shown(&node, &pod), []);
}

#[test]
fn a_missing_interface_is_named() {
    let node = Node::new();
    let outcomes = [
        node.kernel.addrs(At::Host, "nope").unwrap_err(),
        node.kernel
            .add_addrs(At::Host, "nope", &[addr("10.0.0.1/8")])
            .unwrap_err(),
    ];
    for error in outcomes {
        assert!(
            matches!(&error, NetError::LinkNotFound { name } if name == "nope"),
            "{error:?}"
        );
    }
    let address = "10.0.0.1/8".parse().unwrap();
    assert!(!node.kernel.del_addr(At::Host, "nope", address).unwrap());
}
