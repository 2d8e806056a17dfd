//! A fake machine with an uplink and a pod that gets three networks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cni_core::invoke::Resolver;
use cni_core::spec::{AttachmentId, ConfList, Error, NetnsPath, ValidAttachment};
use cni_net::fake::FakeNet;
use cni_net::link::{Change, NewVeth};
use cni_net::{Addr, Addrs, At, Links, Namespaces, Neighbours, Nft, Routes, Sysctl};
use plexus::attach::{self, Attached};
use plexus::journal::StateDir;
use plexus::node::Node;
use plexus::npwg::Pod;
use plexus::plan::{Attachment, NetworkRef, Plan};
use plexus::{check, detach, gc};
use serde_json::{Value, json};

/// Where the pod's namespace is.
pub(crate) const POD: &str = "/ns";

/// What stays when the last pod goes: the bridge of `bridge`, with what makes it a gateway, our empty tables, and
/// the loopback, until its namespace goes.
const LEFT: [&str; 11] = [
    "/ns/lo",
    "/ns/lo addr 127.0.0.1/8",
    "/ns/lo addr ::1/128",
    "host/br0",
    "host/br0 addr 10.10.0.1/24",
    "host sysctl ipv4/conf/br0/arp_notify=1",
    "host sysctl ipv4/ip_forward=1",
    "host nft inet cni_plugins_masquerade",
    "host nft inet cni_plugins_masquerade masq_checks",
    "host nft inet cni_plugins_masquerade postrouting",
    "host nft inet cni_plugins_masquerade postrouting rule \"\"",
];

/// What plugins and meta-plugin are made on.
pub(crate) trait Net:
    Addrs + Links + Namespaces + Neighbours + Nft + Routes + Sysctl + Clone + Send + Sync + 'static
{
}

impl<N> Net for N where
    N: Addrs + Links + Namespaces + Neighbours + Nft + Routes + Sysctl + Clone + Send + Sync + 'static
{
}

pub(crate) struct Machine {
    pub(crate) net: FakeNet,
    dir: PathBuf,
    /// What there may be when nothing is attached.
    allowed: BTreeSet<String>,
    /// What there was before.
    before: BTreeSet<String>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let net = FakeNet::new();
        uplink(&net);
        net.add_netns(POD);
        let before: BTreeSet<String> = net.state().into_iter().collect();
        let left = LEFT.iter().map(|line| (*line).to_owned());
        let allowed = before.iter().cloned().chain(left).collect();
        let dir = directory();
        Self {
            net,
            dir,
            allowed,
            before,
        }
    }

    pub(crate) fn attach(&self, net: &impl Net) -> Result<Vec<Attached>, Error> {
        let request = attach::Request::new(id(), NetnsPath::new(POD));
        attach::run(&self.node(net), &request, &self.plan())
    }

    pub(crate) fn detach(&self, net: &impl Net) -> Result<(), Error> {
        self.detach_on(net, net)
    }

    /// The same with the plugins on a kernel of their own.
    pub(crate) fn detach_on(&self, net: &impl Net, plugins: &impl Net) -> Result<(), Error> {
        let mut request = detach::Request::new(id().container);
        (request.ifname, request.netns) = (Some(id().ifname), Some(NetnsPath::new(POD)));
        let mut node = self.node(net);
        node.resolver = Resolver::new(cni_plugins::table(plugins));
        detach::run(&node, &request)
    }

    pub(crate) fn check(&self, net: &impl Net) -> Result<(), Error> {
        check::run(&self.node(net), &id(), Some(&NetnsPath::new(POD)))
    }

    /// GC: with the pod among the valid attachments, or with none.
    pub(crate) fn gc(&self, net: &impl Net, keep: bool) -> Result<(), Error> {
        let AttachmentId { container, ifname } = id();
        let pod = keep.then_some(ValidAttachment { container, ifname });
        gc::run(
            &self.node(net),
            &gc::Request::new(Some(pod.into_iter().collect())),
        )
    }

    fn node(&self, net: &impl Net) -> Node {
        let resolver = Resolver::new(cni_plugins::table(net));
        Node::new(StateDir::new(self.dir.join("state")), net.clone(), resolver)
    }

    /// The default network on a bridge; a macvlan, which gets the default route; and a segment.
    fn plan(&self) -> Plan {
        let subnet = |subnet: &str| json!({ "type": "host-local", "dataDir": self.dir.join("ipam"), "subnet": subnet });
        let eth0 = json!({ "type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipMasq": true, "ipam": subnet("10.10.0.0/24") });
        let net1 = json!({ "type": "macvlan", "master": "up0", "ipam": subnet("10.11.0.0/24") });
        let net2 = json!({ "type": "vxlan", "vni": 7, "peers": ["192.0.2.2"], "dataDir": self.dir.join("vxlan"), "ipam": subnet("10.12.0.0/24") });
        let mut attachments = vec![
            attachment("eth0", "cluster", eth0),
            attachment("net1", "lab", net1),
            attachment("net2", "segment", net2),
        ];
        attachments[0].is_default = true;
        attachments[1].default_route = Some(vec!["10.11.0.254".parse().unwrap()]);
        Plan::new(
            Pod::new("default".parse().unwrap(), "p".parse().unwrap()),
            attachments,
        )
    }

    /// What there is: on the network, in the plugins' files, and in journals.
    pub(crate) fn state(&self) -> BTreeSet<String> {
        let mut state: BTreeSet<String> = self.net.state().into_iter().collect();
        files(&self.dir, &mut state);
        state
    }

    /// That there is what was there before, and nothing more than may stay.
    #[track_caller]
    pub(crate) fn is_clean(&self, nth: usize, what: &str) {
        let state = self.state();
        let left: Vec<_> = state.difference(&self.allowed).collect();
        let gone: Vec<_> = self.before.difference(&state).collect();
        assert!(left.is_empty(), "call {nth}: after {what} there is {left:#?}");
        assert!(gone.is_empty(), "call {nth}: after {what} there is no {gone:#?}");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A network card with an address.
fn uplink(net: &FakeNet) {
    let switch = net.add_netns("/switch");
    let new = NewVeth::new(&switch, "port0".parse().unwrap(), "up0".parse().unwrap());
    net.add_veth(&new).unwrap();
    net.set_link(At::Netns(&switch), "port0", &Change::up()).unwrap();
    net.add_addrs(At::Host, "up0", &[Addr::new("192.0.2.1/24".parse().unwrap())])
        .unwrap();
}

fn attachment(ifname: &str, network: &str, plugin: Value) -> Attachment {
    let list = json!({ "cniVersion": "1.1.0", "name": network, "plugins": [plugin] });
    let list = ConfList::from_bytes(list.to_string().as_bytes()).unwrap();
    Attachment::new(NetworkRef::Name(list.name.clone()), list, ifname.parse().unwrap())
}

fn id() -> AttachmentId {
    AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap())
}

/// The files below `dir`, but for those that are nobody's: host-local's lock, and where it goes on searching.
fn files(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, found);
        } else if name != "lock" && !name.starts_with("last_reserved_ip") {
            found.insert(format!("file {name}"));
        }
    }
}

fn directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("sweep-{}-{number}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
