//! What there is, in words.

use std::fmt;

use super::FakeNet;
use super::world::{Iface, Space};

/// `RTPROT_KERNEL`.
const KERNEL: u8 = 2;

impl FakeNet {
    /// What there is on the whole machine, a line each, in order: `PATH/LINK[@MASTER]`, where `PATH` is `host`
    /// or the namespace's path; then for each link its addresses, entries of its forwarding database and
    /// neighbours; routes that the kernel did not make; nftables; kernel parameters with another value than
    /// usual, but for `accept_ra` 0. Names of ours that are hashes are cut to `veth…`, `vb…`, `vx…`. Loopback is shown when it is up.
    pub fn state(&self) -> Vec<String> {
        let world = self.world();
        let mut lines = Vec::new();
        for (cookie, space) in &world.spaces {
            let host = *cookie == self.host;
            let place = if host { "host" } else { &space.path };
            space.show(place, &mut lines);
        }
        lines.sort();
        lines
    }
}

impl fmt::Display for FakeNet {
    /// [`FakeNet::state`] in lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.state().join("\n"))
    }
}

impl Space {
    fn show(&self, place: &str, lines: &mut Vec<String>) {
        for iface in self.links.values() {
            self.show_link(place, iface, lines);
        }
        for entry in self
            .routes
            .iter()
            .filter(|entry| entry.route.protocol != Some(KERNEL))
        {
            let mut route = entry.route.clone();
            route.dev = self.links.get(&entry.oif).map(|iface| short(&iface.link.name));
            lines.push(format!("{place} route {route}"));
        }
        for ((family, table), content) in &self.tables {
            lines.push(format!("{place} nft {family} {table}"));
            for (chain, content) in &content.chains {
                lines.push(format!("{place} nft {family} {table} {chain}"));
                let rules = content.rules.iter();
                lines.extend(
                    rules.map(|r| format!("{place} nft {family} {table} {chain} rule {:?}", r.comment)),
                );
            }
        }
        // Every link of ours is born with that.
        let shown = |key: &str, value: &str| !(key.ends_with("/accept_ra") && value == "0");
        for (key, value) in self.sysctls.iter().filter(|(key, value)| shown(key, value)) {
            let key: Vec<String> = key.split('/').map(short).collect();
            lines.push(format!("{place} sysctl {}={value}", key.join("/")));
        }
    }

    fn show_link(&self, place: &str, iface: &Iface, lines: &mut Vec<String>) {
        let link = &iface.link;
        if link.name == "lo" && !link.up && iface.addrs.is_empty() {
            return;
        }
        let name = format!("{place}/{}", short(&link.name));
        let master = link.master.and_then(|master| self.links.get(&master));
        let master = master.map(|master| format!("@{}", short(&master.link.name)));
        let down = if link.name == "lo" && !link.up {
            " down"
        } else {
            ""
        };
        lines.push(format!("{name}{}{down}", master.unwrap_or_default()));
        lines.extend(
            iface
                .addrs
                .iter()
                .map(|addr| format!("{name} addr {}", addr.address)),
        );
        lines.extend(iface.fdb.iter().map(|entry| format!("{name} fdb {entry}")));
        lines.extend(
            iface
                .neighbours
                .iter()
                .map(|(ip, mac)| format!("{name} neigh {ip} {mac}")),
        );
    }
}

/// A name that ends in a hash, without that.
fn short(name: &str) -> String {
    for (prefix, digits) in [("veth", 8), ("vb", 12), ("vx", 12)] {
        let hash = name.strip_prefix(prefix);
        if hash.is_some_and(|h| h.len() == digits && h.bytes().all(|b| b.is_ascii_hexdigit())) {
            return format!("{prefix}…");
        }
    }
    name.to_owned()
}
