//! What pods leave on a node, or do not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::node::Node;

/// What is kept on purpose: the bridge of the default network, its table without rules, and host-local's
/// memory of the last address.
const KEPT: &[&str] = &["link cni0", "file lock", "file last_reserved_ip.0"];

impl Node {
    /// Everything that a pod could have made, but for what stays on purpose: links, routes, firewall rules,
    /// and files where state is kept.
    pub(crate) fn look(&self) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        for link in self.json("ip -j link") {
            seen.insert(format!("link {}", link["ifname"].as_str().unwrap()));
        }
        // A namespace is its runtime's; what is in it is ours.
        for name in plexus_tests::host::files(self.path("/run/netns").to_str().unwrap()) {
            let links = self.json(&format!("nsenter --net=/run/netns/{name} ip -j link"));
            let links = links.iter().filter(|link| link["ifname"] != "lo");
            seen.extend(links.map(|link| format!("link {} in {name}", link["ifname"])));
        }
        for family in ["-4", "-6"] {
            let routes = self.json(&format!("ip -j {family} route show table all"));
            let ours = routes.into_iter().filter(|route| route["protocol"] != "kernel");
            seen.extend(ours.map(|route| format!("route {route}")));
        }
        let rules = self.run("nft list ruleset");
        let rules = rules.lines().filter(|line| line.contains("comment"));
        seen.extend(rules.map(|rule| format!("rule {}", rule.trim())));
        // A directory counts where each container has its own. containerd attaches the loopback itself.
        let files = self.run(
            "mkdir -p /var/lib/plexus/attachments /var/lib/cni /run/cni && find /var/lib/plexus/attachments /var/lib/cni \
             /run/cni -mindepth 1 ! -type d ! -name 'cni-loopback-*' -o -path '*/attachments/*'",
        );
        seen.extend(files.lines().map(|file| match file.rsplit_once('/') {
            Some((_, name @ ("lock" | "last_reserved_ip.0"))) => format!("file {name}"),
            _ => format!("file {file}"),
        }));
        seen.retain(|one| !KEPT.contains(&one.as_str()));
        seen
    }

    /// The containers of which Plexus has a journal.
    pub(crate) fn journals(&self) -> Vec<String> {
        let directory = self.path("/var/lib/plexus/attachments");
        plexus_tests::host::files(directory.to_str().unwrap())
    }

    fn json(&self, line: &str) -> Vec<Value> {
        serde_json::from_str(&self.run(line)).unwrap()
    }
}
