//! Containers, seen from their node.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::node::Node;

/// The interfaces of every container, and the gateway of the first one's network.
const INTERFACES: [&str; 4] = ["eth0", "net1", "net2", "seg0"];
const GATEWAY: &str = "10.244.1.1";

/// A container that was started.
pub(crate) struct Container {
    /// What the runtime knows it by.
    pub(crate) name: String,
    /// What plugins know it by.
    pub(crate) id: String,
    /// Its first process.
    pub(crate) pid: u32,
}

impl Node {
    /// The addresses of each of the container's interfaces but `lo`, link-local ones aside.
    #[track_caller]
    pub(crate) fn addresses(&self, container: &Container) -> BTreeMap<String, Vec<String>> {
        let shown = self.run(&format!("nsenter -t {} -n ip -j address", container.pid));
        let links: Vec<Value> = serde_json::from_str(&shown).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of = |link: &Value| {
            let all = link["addr_info"].as_array().unwrap().iter();
            let global = all.filter(|address| address["scope"] == "global");
            (
                text(&link["ifname"]),
                global.map(|address| text(&address["local"])).collect(),
            )
        };
        links
            .iter()
            .filter(|link| link["ifname"] != "lo")
            .map(of)
            .collect()
    }

    /// Asserts that the container has an address on all four networks, and reaches its gateway and itself.
    #[track_caller]
    pub(crate) fn assert_attached(&self, container: &Container) -> BTreeMap<String, Vec<String>> {
        let addresses = self.addresses(container);
        assert_eq!(addresses.keys().collect::<Vec<_>>(), INTERFACES);
        assert!(addresses.values().all(|one| one.len() == 1), "{addresses:?}");
        for peer in ["127.0.0.1", "::1", GATEWAY] {
            self.ping(container, peer);
        }
        addresses
    }

    /// Asserts that each container reaches each other one on all four networks.
    #[track_caller]
    pub(crate) fn assert_connected(&self, containers: &[&Container]) {
        for from in containers {
            self.assert_attached(from);
            for to in containers.iter().filter(|to| to.id != from.id) {
                self.addresses(to)
                    .values()
                    .flatten()
                    .for_each(|address| self.ping(from, address));
            }
        }
    }

    #[track_caller]
    fn ping(&self, from: &Container, address: &str) {
        self.run(&format!(
            "nsenter -t {} -n /var/lib/rootfs/bin/ping -c 1 -w 10 {address}",
            from.pid
        ));
    }

    /// Kills the container's process and whatever of its runtime watches over it, at once.
    pub(crate) fn kill_with_its_watcher(&self, container: &Container) {
        let watcher = self.run(&format!("ps -o ppid= -p {}", container.pid));
        self.run(&format!("kill -9 {watcher} {}", container.pid));
    }

    /// Kills the container's process.
    pub(crate) fn kill_process(&self, container: &Container) {
        self.run(&format!("kill -9 {}", container.pid));
    }

    /// GC through libcni by a runtime that says which of its containers live.
    #[track_caller]
    pub(crate) fn gc(&self, living: &[&Container]) {
        let living: Vec<String> = living.iter().map(|one| format!("{}/eth0", one.id)).collect();
        let living = living.join(" ");
        self.run(&format!(
            "NETCONFPATH=/etc/cni/net.d CNI_PATH=/opt/cni/bin gc plexus {living}"
        ));
    }
}
