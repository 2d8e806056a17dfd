//! A node and its pods, each a namespace that only this process knows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cni_core::invoke::Resolver;
use cni_core::spec::{AttachmentId, ConfList, Error, NetnsPath};
use cni_net::link::{Change, NewVeth};
use cni_net::netns::{Anonymous, within};
use cni_net::{At, Kernel, Links, Namespaces, Netns};
use plexus::attach::{self, Attached};
use plexus::detach;
use plexus::journal::StateDir;
use plexus::node::Node;
use plexus::npwg::Pod;
use plexus::plan::{Attachment, NetworkRef, Plan};
use serde_json::{Value, json};

use crate::scripted::Scripted;

/// The namespaces and the directory of a [`Machine`].
pub(crate) struct Ground {
    pub(crate) host: Anonymous,
    switch: Anonymous,
    pub(crate) dir: PathBuf,
}

impl Ground {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("plexus-kernel-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let host = Anonymous::new().expect("these tests need root");
        let switch = Anonymous::new().unwrap();
        Self { host, switch, dir }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A node with our plugins linked in, and [`Scripted`] for all others.
pub(crate) struct Machine {
    pub(crate) node: Node,
    pub(crate) kernel: Kernel,
    pub(crate) scripted: Scripted,
    dir: PathBuf,
}

impl Machine {
    /// The node whose namespace is at `host` and whose files are in `dir`.
    pub(crate) fn at(host: &NetnsPath, dir: &Path) -> Self {
        let host = Kernel::new().open(host).unwrap();
        let kernel = within(&host, Kernel::new).unwrap();
        let scripted = Scripted::default();
        let resolver = Resolver::new(cni_plugins::table(&kernel)).with_exec(scripted.clone());
        let state = StateDir::new(dir.join("state"));
        Self {
            node: Node::new(state, kernel.clone(), resolver),
            kernel,
            scripted,
            dir: dir.to_owned(),
        }
    }

    /// A node with an uplink, `up0`, for macvlan.
    pub(crate) fn on(ground: &Ground) -> Self {
        let machine = Self::at(ground.host.path(), &ground.dir);
        let switch = machine.kernel.open(ground.switch.path()).unwrap();
        let uplink = NewVeth::new(&switch, "port0".parse().unwrap(), "up0".parse().unwrap());
        machine.kernel.add_veth(&uplink).unwrap();
        let up = Change::up();
        machine.kernel.set_link(At::Netns(&switch), "port0", &up).unwrap();
        machine
    }

    /// The list of one plugin; host-local keeps its files in this node's own directory.
    pub(crate) fn list(&self, name: &str, mut plugin: Value) -> ConfList {
        if let Some(ipam) = plugin.get_mut("ipam") {
            ipam["type"] = json!("host-local");
            ipam["dataDir"] = json!(self.dir.join("ipam"));
        }
        let list = json!({ "cniVersion": "1.1.0", "name": name, "plugins": [plugin] });
        ConfList::from_bytes(list.to_string().as_bytes()).unwrap()
    }

    /// The default network on a bridge, a macvlan, and a bridge with IPv6.
    pub(crate) fn three(&self) -> Plan {
        let ipam = |subnet: &str| json!({ "ranges": [[{ "subnet": subnet }]] });
        let eth0 = json!({ "type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipam": ipam("10.10.0.0/24") });
        let net1 = json!({ "type": "macvlan", "master": "up0", "ipam": ipam("10.11.0.0/24") });
        let net2 = json!({ "type": "bridge", "bridge": "br2", "ipam": ipam("fd00:12::/64") });
        plan([
            attachment("eth0", self.list("cluster", eth0)),
            attachment("net1", self.list("lab", net1)),
            attachment("net2", self.list("six", net2)),
        ])
    }

    /// Scripted networks, named like their plugins: `eth0`, `net1` and so on.
    pub(crate) fn scripted(&self, types: &[&str]) -> Plan {
        let ifname = |at| {
            if at == 0 {
                "eth0".to_owned()
            } else {
                format!("net{at}")
            }
        };
        let numbered = types.iter().enumerate();
        plan(numbered.map(|(at, kind)| attachment(&ifname(at), self.list(kind, json!({ "type": kind })))))
    }

    pub(crate) fn attach(&self, pod: &Container, plan: &Plan) -> Result<Vec<Attached>, Error> {
        let request = attach::Request::new(pod.id(), pod.path.clone());
        attach::run(&self.node, &request, plan)
    }

    pub(crate) fn detach(&self, pod: &Container) -> Result<(), Error> {
        let mut request = detach::Request::new(pod.id().container);
        request.ifname = Some(pod.id().ifname);
        request.netns = Some(pod.path.clone());
        detach::run(&self.node, &request)
    }

    /// The names of the links in `at` but loopback.
    pub(crate) fn links(&self, at: At<'_>) -> BTreeSet<String> {
        let names = self.kernel.links(at).unwrap().into_iter().map(|link| link.name);
        names.filter(|name| name != "lo").collect()
    }

    /// Asserts that nothing of any pod is left: no veth, no address file, no journal.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        let mut links = self.links(At::Host);
        links.retain(|name| !["br0", "br2", "up0"].contains(&name.as_str()));
        assert_eq!(links, BTreeSet::new(), "links on the host");
        assert_eq!(self.addresses(), Vec::<String>::new(), "addresses");
        assert_eq!(self.node.state.containers().unwrap(), [], "journals");
    }

    /// The addresses that host-local holds.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let Ok(networks) = std::fs::read_dir(self.dir.join("ipam")) else {
            return Vec::new();
        };
        let files = networks.flat_map(|network| std::fs::read_dir(network.unwrap().path()).unwrap());
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names
            .filter(|name| name != "lock" && !name.starts_with("last_reserved_ip"))
            .collect();
        names.sort();
        names
    }
}

/// A container: its namespace and its id.
pub(crate) struct Container {
    name: String,
    pub(crate) path: NetnsPath,
    pub(crate) netns: Netns,
    _held: Option<Anonymous>,
}

impl Container {
    pub(crate) fn new(name: &str) -> Self {
        let held = Anonymous::new().unwrap();
        let mut container = Self::at(name, held.path().clone());
        container._held = Some(held);
        container
    }

    /// A container whose namespace somebody else holds.
    pub(crate) fn at(name: &str, path: NetnsPath) -> Self {
        let netns = Kernel::new().open(&path).unwrap();
        let name = name.to_owned();
        Self {
            name,
            path,
            netns,
            _held: None,
        }
    }

    pub(crate) fn id(&self) -> AttachmentId {
        AttachmentId::new(self.name.parse().unwrap(), "eth0".parse().unwrap())
    }
}

pub(crate) fn plan(attachments: impl IntoIterator<Item = Attachment>) -> Plan {
    let pod = Pod::new("default".parse().unwrap(), "p".parse().unwrap());
    let mut attachments: Vec<_> = attachments.into_iter().collect();
    attachments[0].is_default = true;
    Plan::new(pod, attachments)
}

pub(crate) fn attachment(ifname: &str, list: ConfList) -> Attachment {
    Attachment::new(NetworkRef::Name(list.name.clone()), list, ifname.parse().unwrap())
}
