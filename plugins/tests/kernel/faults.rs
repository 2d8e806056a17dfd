//! A sample of the fault sweep on the real kernel: what the fake promises holds there as well.

use cni_net::fake::{Failing, Fault};
use cni_net::nft::{Chain, Family};
use cni_net::{At, Kernel, Nft};
use serde_json::{Value, json};

use crate::fixture::{Node, Pod};

/// ADD with each call to the kernel failing in turn, until there are no more of them; what it failed with is
/// undone at once, and after a lost answer by DEL. The host has `leaves` then and nothing else.
fn swept(keys: Value, leaves: &[&str]) {
    for fault in [Fault::Refused, Fault::Lost] {
        let mut node = Node::new();
        let conf = node.conf(keys.clone());
        for nth in 0.. {
            let pod = Pod::new(&node, "c1");
            let failing = Failing::new(node.net.clone(), nth, fault);
            node.plugins = Box::new(cni_plugins::table(&failing));
            let added = node.add(&pod, &conf);
            node.plugins = Box::new(cni_plugins::table(&node.net));
            match &added {
                Ok(success) => node.check(&pod, &conf, success).unwrap(),
                // Before the bridge was made for the first time it is not there.
                Err(_) if fault == Fault::Refused && nth > 3 => nothing_is_left(&node, &pod, leaves),
                Err(_) => {}
            }
            node.del(&pod, &conf, added.as_ref().ok()).unwrap();
            let again = node.add(&pod, &conf).unwrap();
            node.check(&pod, &conf, &again).unwrap();
            node.del(&pod, &conf, Some(&again)).unwrap();
            nothing_is_left(&node, &pod, leaves);
            if !failing.has_failed() {
                break;
            }
        }
    }
}

#[track_caller]
fn nothing_is_left(node: &Node, pod: &Pod, leaves: &[&str]) {
    node.has(leaves);
    pod.has(node, &[]);
    node.reserved(&[]);
    assert_eq!(rules(&node.net), [""; 0], "rules");
}

/// The comments of the rules that belong to an attachment.
fn rules(net: &Kernel) -> Vec<String> {
    let masquerade = Chain::new(Family::Inet, "cni_plugins_masquerade", "masq_checks");
    let filter = Chain::new(Family::Bridge, "nat", "PREROUTING");
    let rules = [masquerade, filter].map(|chain| net.rules(At::Host, &chain).unwrap());
    rules.into_iter().flatten().map(|rule| rule.comment).collect()
}

#[test]
fn an_add_of_bridge_that_fails_anywhere_leaves_the_bridge_alone() {
    let ranges = json!([[{ "subnet": "10.9.0.0/24" }], [{ "subnet": "fd09::/64" }]]);
    let keys = json!({
        "type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipMasq": true, "macspoofchk": true,
        "ipam": { "type": "host-local", "ranges": ranges }
    });
    swept(keys, &["br0"]);
}

#[test]
fn an_add_of_vxlan_that_fails_anywhere_leaves_nothing() {
    let keys = json!({
        "type": "vxlan", "vni": 7, "peers": ["192.0.2.2"], "isDefaultGateway": true, "ipMasq": true,
        "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/24" }]] }
    });
    swept(keys, &[]);
}
