//! A node that nobody else is on.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use cni_core::spec::NetnsPath;
use cni_net::netns::{Anonymous, within};
use cni_net::{Kernel, Namespaces, Netns};
use plexus_tests::installed::Installed;
use plexus_tests::pod::Pod;
use serde_json::{Value, json};

/// A host namespace and an installation, with definitions that use everything that can be left behind.
pub(crate) struct Node {
    pub(crate) installed: Installed,
    host: Netns,
    _held: Anonymous,
}

/// The networks of [`Node::new`] that are attached beside the default one.
pub(crate) const NETWORKS: &str = "spoof,segment,lan";

impl Node {
    /// A bridge with masquerading for both families, a bridge with a filter, a vxlan segment and a macvlan.
    pub(crate) fn new() -> Self {
        let held = Anonymous::new().expect("these tests need root");
        let host = Kernel::new().open(held.path()).unwrap();
        let installed = Installed::new();
        let node = Self {
            installed,
            host,
            _held: held,
        };
        node.ip("link add up0 type bridge");
        let mask = |subnets: &[&str]| {
            let ranges: Vec<Value> = subnets.iter().map(|subnet| json!([{"subnet": subnet}])).collect();
            json!({"type": "host-local", "dataDir": node.installed.path("ipam"), "ranges": ranges})
        };
        let gateway = json!({"type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipMasq": true,
            "ipMasqBackend": "nftables", "ipam": mask(&["10.1.0.0/16", "fd00:1::/64"])});
        let spoof =
            json!({"type": "bridge", "bridge": "br1", "macspoofchk": true, "ipam": mask(&["10.2.0.0/16"])});
        let segment = json!({"type": "vxlan", "vni": 7, "mtu": 1400, "peers": [], "dataDir": node.installed.path("vx"),
            "ipam": mask(&["10.3.0.0/16"])});
        let lan = json!({"type": "macvlan", "master": "up0", "ipam": mask(&["10.4.0.0/16"])});
        for (name, plugin) in [
            ("cluster", gateway),
            ("spoof", spoof),
            ("segment", segment),
            ("lan", lan),
        ] {
            node.nad(name, &json!({"cniVersion": "1.0.0", "plugins": [plugin]}));
        }
        node
    }

    /// Writes a definition.
    pub(crate) fn nad(&self, name: &str, config: &Value) {
        let nad = json!({"kind": "NetworkAttachmentDefinition", "metadata": {"name": name},
            "spec": {"config": config.to_string()}});
        self.installed.nads(&format!("{name}.json"), &nad.to_string());
    }

    /// Runs `ip` on the host.
    #[track_caller]
    pub(crate) fn ip(&self, arguments: &str) {
        let mut command = Command::new("ip");
        command.args(arguments.split(' '));
        assert!(self.output(command).status.success(), "ip {arguments}");
    }

    /// `plexus attach` of the default network and `networks` to `pod`, still to be run.
    pub(crate) fn attach(&self, container: &str, pod: &Pod, networks: &str) -> Command {
        self.attach_at(container, pod.path(), networks)
    }

    /// The same for the namespace at `path`.
    pub(crate) fn attach_at(&self, container: &str, path: &str, networks: &str) -> Command {
        let nads = self.installed.path("nads").display().to_string();
        let all = [
            "attach",
            "--container-id",
            container,
            "--netns",
            path,
            "--nads",
            &nads,
            "--cluster-network",
            "default/cluster",
            "--networks",
            networks,
        ];
        self.installed.command(&all)
    }

    /// `plexus detach` of everything, still to be run.
    pub(crate) fn detach(&self, container: &str) -> Command {
        self.installed.command(&["detach", "--container-id", container])
    }

    /// The runtime's call of `verb` for `pod`, through the shim and still to be run; nothing is valid at GC.
    pub(crate) fn call(&self, verb: &str, pod: &Pod) -> Command {
        let installed = &self.installed;
        let mut entry = installed.entry(&json!({"clusterNetwork": "default/cluster", "networks": NETWORKS}));
        entry["cniVersion"] = json!("1.1.0");
        entry["name"] = json!("pods");
        if verb == "GC" {
            entry["cni.dev/valid-attachments"] = json!([]);
        }
        let config = installed.path(&format!("{verb}.json"));
        std::fs::write(&config, entry.to_string()).unwrap();
        let mut command = installed.shim_command();
        command.env("CNI_COMMAND", verb);
        if verb != "GC" {
            let pod = [
                ("CNI_CONTAINERID", "c1"),
                ("CNI_IFNAME", "eth0"),
                ("CNI_NETNS", pod.path()),
            ];
            command.envs(pod);
        }
        command.stdin(std::fs::File::open(config).unwrap());
        command
    }

    /// Runs a command on the host.
    pub(crate) fn output(&self, mut command: Command) -> Output {
        within(&self.host, move || command.output().unwrap()).unwrap()
    }

    /// Runs a command on the host, which must succeed.
    #[track_caller]
    pub(crate) fn done(&self, command: Command) {
        let output = self.output(command);
        assert!(output.status.success(), "{output:?}");
    }

    /// Runs a command on the host, which must fail; what it says.
    #[track_caller]
    pub(crate) fn refused(&self, command: Command) -> String {
        let output = self.output(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(!said.contains("panicked"), "{said}");
        said
    }

    /// Starts a command on the host.
    pub(crate) fn spawn(&self, mut command: Command) -> Child {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        within(&self.host, move || command.spawn().unwrap()).unwrap()
    }

    /// Asserts that there is nothing that a pod could have left.
    #[track_caller]
    pub(crate) fn assert_clean(&self, pods: &[&Pod]) {
        for pod in pods {
            assert_eq!(pod.links(), ["lo"]);
        }
        let host = within(&self.host, Kernel::new).unwrap();
        let links = cni_net::Links::links(&host, cni_net::At::Host)
            .unwrap()
            .into_iter();
        let mut links: Vec<String> = links.map(|link| link.name).collect();
        links.retain(|name| !["lo", "up0", "br0", "br1"].contains(&name.as_str()));
        assert_eq!(links, Vec::<String>::new(), "on the host");
        assert_eq!(self.installed.journals(), Vec::<String>::new());
        assert_eq!(self.reserved(), Vec::<String>::new());
        let mut nft = Command::new("nft");
        nft.args(["list", "ruleset"]);
        let rules = String::from_utf8(self.output(nft).stdout).unwrap();
        assert!(!rules.contains("comment"), "{rules}");
    }

    /// What the administrator sees of the host: interfaces, addresses, routes, rules and files.
    pub(crate) fn look(&self) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        for line in [
            "ip -o -4 addr",
            "ip -o -6 addr show scope global",
            "ip -o link",
            "ip route",
            "ip -6 route",
            "ip rule",
            "ip -6 rule",
            "nft list ruleset",
        ] {
            let mut words = line.split(' ');
            let mut command = Command::new(words.next().unwrap());
            command.args(words);
            let text = String::from_utf8(self.output(command).stdout).unwrap();
            // Numbers grow, and the kernel is a moment late in saying who has a carrier.
            let name = |line: &str| {
                line.split(['\\', '<'])
                    .next()
                    .unwrap_or_default()
                    .replace(" linkdown", "")
            };
            let lines = text.lines().filter(|line| !line.starts_with("fe80:"));
            seen.extend(lines.map(|text| format!("{line}: {}", name(text))));
        }
        for part in ["ipam", "state", "tuning", "vx"] {
            files(&self.installed.path(part), &mut seen);
        }
        seen
    }

    /// The addresses that host-local holds, of all networks.
    pub(crate) fn reserved(&self) -> Vec<String> {
        let networks = std::fs::read_dir(self.installed.path("ipam"))
            .into_iter()
            .flatten();
        let directories = networks.map(|network| network.unwrap().path());
        let files = directories.flat_map(|dir| plexus_tests::host::files(dir.to_str().unwrap()));
        files
            .filter(|name| name.parse::<std::net::IpAddr>().is_ok())
            .collect()
    }

    /// The namespace of the host, as a path.
    pub(crate) fn host(&self) -> &NetnsPath {
        self.host.path()
    }
}

/// The files below `dir`, and the directories.
fn files(dir: &Path, seen: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        seen.insert(path.display().to_string());
        files(&path, seen);
    }
}

/// Moments between zero and `most` microseconds: the same in every run, or those of `PLEXUS_SEED`.
pub(crate) struct Moments {
    state: u64,
    most: u64,
}

impl Moments {
    #[expect(clippy::print_stderr, reason = "shown when the test fails")]
    pub(crate) fn up_to(most: u64) -> Self {
        let state = setting("PLEXUS_SEED").unwrap_or(1);
        eprintln!("PLEXUS_SEED={state}");
        Self { state, most }
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> std::time::Duration {
        // Knuth's generator; its upper bits are the better ones.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        std::time::Duration::from_micros((self.state >> 33) % self.most)
    }
}

/// How many rounds a test of chance has: `PLEXUS_ROUNDS`, or a number for every day.
pub(crate) fn rounds(usual: u32) -> u32 {
    setting("PLEXUS_ROUNDS").unwrap_or(usual)
}

/// Of the places of a sweep over the whole program every so manieth is tried: with `PLEXUS_ROUNDS` all of them.
pub(crate) fn stride() -> usize {
    setting::<u32>("PLEXUS_ROUNDS").map_or(3, |_| 1)
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever wants more than every day says so here"
)]
fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}
