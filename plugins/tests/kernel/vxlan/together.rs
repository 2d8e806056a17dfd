//! Many at once.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{Fabric, at, conf, has, reaches};
use crate::fixture::Pod;

#[test]
fn twenty_at_once_share_one_segment() {
    let fabric = Fabric::new(1);
    let node = &fabric.nodes[0];
    let pods: Vec<Pod> = (0..20).map(|n| Pod::new(node, &format!("c{n}"))).collect();
    let conf = &conf(
        node,
        json!({ "ipam": { "type": "host-local", "subnet": "10.7.0.0/24" } }),
    );
    thread::scope(|scope| {
        for pod in &pods {
            scope.spawn(move || node.add(pod, conf).unwrap());
        }
    });
    let mut addresses: Vec<String> = pods.iter().flat_map(|pod| pod.addresses(node)).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 20, "{addresses:?}");
    let mut expected = vec!["veth"; 20];
    expected.insert(0, "vb");
    expected.push("vx");
    has(node, &expected);
    let last = pods[19].addresses(node).remove(0);
    reaches(&pods[0], &pods[19], last.trim_end_matches("/24"));
    thread::scope(|scope| {
        for pod in &pods {
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
