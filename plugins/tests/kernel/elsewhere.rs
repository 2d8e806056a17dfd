//! One container id in two namespaces. No runtime may do that; if one does, nobody shares an address.

use cni_core::spec::Success;
use cni_net::Links;
use cni_net::link::NewBridge;
use serde_json::json;

use crate::fixture::{Conf, Node, Pod};

/// Runs `test` for each plugin: on a node where a container is attached in `there`, and refused `here`.
fn each(test: impl Fn(&Node, &Conf, (&Pod, Success), &Pod)) {
    let mains = [
        json!({ "type": "bridge", "bridge": "br0" }),
        json!({ "type": "macvlan", "master": "up0" }),
        json!({ "type": "vxlan", "vni": 7 }),
    ];
    for mut main in mains {
        main["ipam"] = json!({ "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/24" }]] });
        let node = Node::new();
        let up0 = NewBridge::new("up0".parse().unwrap());
        node.net.ensure_bridge(&up0).unwrap();
        let conf = node.conf(main);
        let [there, here] = [(); 2].map(|()| Pod::new(&node, "c1"));
        let result = node.add(&there, &conf).unwrap();
        node.add(&here, &conf).unwrap_err();
        here.has(&node, &[]);
        test(&node, &conf, (&there, result), &here);
    }
}

#[test]
fn an_add_that_is_refused_leaves_the_other_interface_its_address() {
    each(|node, conf, (there, result), _| {
        node.check(there, conf, &result).unwrap();
        node.reserved(&["10.9.0.2"]);
    });
}

#[test]
fn a_del_that_frees_the_address_takes_the_interface_that_has_it() {
    // The result of the ADD that succeeded is what runtimes keep of the attachment.
    each(|node, conf, (there, result), here| {
        node.del(here, conf, Some(&result)).unwrap();
        there.has(node, &[]);
        node.reserved(&[]);
    });
}
