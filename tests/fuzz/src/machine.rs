//! A fake machine with an uplink, pods, and files in memory: what is left behind shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cni_core::spec::Object;
use cni_net::fake::FakeNet;
use cni_net::link::{Change, NewVeth};
use cni_net::route::Route;
use cni_net::{Addr, Addrs, At, Links, Routes};
use serde_json::{Value, json};

use crate::scratch::Scratch;

/// Where the pod's namespace is.
pub(crate) const POD: &str = "/ns";

pub(crate) struct Machine {
    pub(crate) net: FakeNet,
    pub(crate) scratch: Scratch,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let net = FakeNet::new();
        let switch = net.add_netns("/switch");
        let new = NewVeth::new(&switch, "port0".parse().unwrap(), "up0".parse().unwrap());
        net.add_veth(&new).unwrap();
        net.set_link(At::Netns(&switch), "port0", &Change::up()).unwrap();
        net.add_addrs(At::Host, "up0", &[Addr::new("192.0.2.1/24".parse().unwrap())])
            .unwrap();
        let mut default = Route::new("0.0.0.0/0".parse().unwrap());
        default.gw = Some("192.0.2.254".parse().unwrap());
        net.add_routes(At::Host, &[default]).unwrap();
        net.add_netns(POD);
        let scratch = Scratch::new();
        Self { net, scratch }
    }

    /// What there is on the host and in files, when the pod is gone; and a new pod.
    pub(crate) fn left(&self) -> BTreeSet<String> {
        self.net.del_netns(POD);
        let mut left: BTreeSet<String> = self.net.state().into_iter().collect();
        files(&self.scratch.path(""), &mut left);
        self.net.add_netns(POD);
        left
    }

    /// A plugin's configuration with every file that it names in the scratch directory: none of the machine's own
    /// may be read or written.
    pub(crate) fn confined(&self, plugin: &Object) -> Object {
        let mut plugin = plugin.clone();
        plugin.remove("dataDir");
        plugin.set("dataDir", &self.scratch.path("data")).unwrap();
        if let Ok(Some(mut ipam)) = plugin.parse_key::<Object>("ipam") {
            ipam.remove("resolvConf");
            ipam.remove("dataDir");
            ipam.set("dataDir", &self.scratch.path("ipam")).unwrap();
            plugin.remove("ipam");
            plugin.set("ipam", &ipam).unwrap();
        }
        plugin
    }

    /// A network list with the same done to each of its plugins.
    pub(crate) fn confined_list(&self, list: &Object) -> Object {
        let mut list = list.clone();
        let plugins: Vec<Object> = list.parse_key("plugins").unwrap().unwrap_or_default();
        let plugins: Vec<Object> = plugins.iter().map(|plugin| self.confined(plugin)).collect();
        list.set("plugins", &plugins).unwrap();
        list
    }

    /// An address plugin's object that gives addresses of `subnet`.
    pub(crate) fn ipam(&self, subnet: &str) -> Value {
        json!({ "type": "host-local", "dataDir": self.scratch.path("ipam"), "subnet": subnet })
    }
}

/// The files below `directory`, but for those that are nobody's: host-local's lock, and where it goes on searching.
fn files(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, found);
        } else if name != "lock" && !name.starts_with("last_reserved_ip") {
            found.insert(format!("file {}", path.display()));
        }
    }
}
