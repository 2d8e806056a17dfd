//! A fake machine with an uplink and a pod, and one plugin with its configuration.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cni_core::invoke::{Call, Invoke, Target, Verb};
use cni_core::spec::{
    AttachmentId, Error, Interface, NetnsPath, Object, PluginType, Success, ValidAttachment,
};
use cni_net::fake::FakeNet;
use cni_net::link::{Change, NewMacvlan, NewVeth};
use cni_net::route::Route;
use cni_net::{Addr, Addrs, At, Links, Namespaces, Neighbours, Netns, Nft, Routes, Sysctl};
use serde_json::{Value, json};

/// Where the pod's namespace is.
pub(crate) const POD: &str = "/ns";

/// What the table of plugins is made on.
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
    conf: Value,
    /// The result of an earlier plugin, for one that is chained.
    prev: Option<Success>,
    dir: PathBuf,
    /// What there may be when no attachment is.
    allowed: BTreeSet<String>,
    /// What there was before anything was attached.
    before: BTreeSet<String>,
}

impl Machine {
    pub(crate) fn new(keys: Value, leaves: &[&str]) -> Self {
        let dir = directory();
        let mut conf = json!({ "cniVersion": "1.1.0", "name": "blue", "dataDir": dir.join("vxlan") });
        conf.as_object_mut()
            .unwrap()
            .extend(keys.as_object().unwrap().clone());
        if conf["ipam"]["type"] == "host-local" {
            conf["ipam"]["dataDir"] = json!(dir.join("ipam"));
        }
        let net = FakeNet::new();
        uplink(&net);
        let pod = net.add_netns(POD);
        let is_chained = conf["type"] == "tuning";
        let mut machine = Self {
            prev: is_chained.then(|| earlier(&net, &pod)),
            net,
            conf,
            dir,
            allowed: BTreeSet::new(),
            before: BTreeSet::new(),
        };
        machine.before = machine.state();
        let left = leaves.iter().map(|line| (*line).to_owned());
        machine.allowed = machine.before.iter().cloned().chain(left).collect();
        machine
    }

    /// The plugin's type.
    pub(crate) fn plugin(&self) -> String {
        self.conf["type"].as_str().unwrap().to_owned()
    }

    pub(crate) fn add(&self, net: &impl Net) -> Result<Success, Error> {
        let target = target(true);
        self.call(self.prev.as_ref(), &target, &self.conf, |call| {
            cni_plugins::table(net).add(call)
        })
    }

    pub(crate) fn check(&self, net: &impl Net, prev: &Success) -> Result<(), Error> {
        self.run(net, Verb::Check, Some(prev), &target(true), &self.conf)
    }

    /// DEL: with the namespace, if it is still there.
    pub(crate) fn del(&self, net: &impl Net, prev: Option<&Success>) -> Result<(), Error> {
        let there = self.net.open(&NetnsPath::new(POD)).is_ok();
        self.run(net, Verb::Del, prev, &target(there), &self.conf)
    }

    /// GC: with the pod among the valid attachments, or with none.
    pub(crate) fn gc(&self, net: &impl Net, keep: bool) -> Result<(), Error> {
        let mut conf = self.conf.clone();
        let AttachmentId { container, ifname } = id();
        let pod = keep.then_some(ValidAttachment { container, ifname });
        conf["cni.dev/valid-attachments"] = json!(pod.into_iter().collect::<Vec<_>>());
        self.run(net, Verb::Gc, None, &Target::default(), &conf)
    }

    fn run(
        &self,
        net: &impl Net,
        verb: Verb,
        prev: Option<&Success>,
        target: &Target,
        conf: &Value,
    ) -> Result<(), Error> {
        self.call(prev, target, conf, |call| cni_plugins::table(net).run(verb, call))
    }

    fn call<T>(
        &self,
        prev: Option<&Success>,
        target: &Target,
        conf: &Value,
        run: impl FnOnce(&Call<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let plugin: PluginType = conf["type"].as_str().unwrap().parse().unwrap();
        let config = Object::from_slice(conf.to_string().as_bytes()).unwrap();
        let mut call = Call::new(&plugin, &config, target);
        call.prev = prev;
        run(&call)
    }

    /// The input of a call, with the earlier result for a plugin that is chained.
    pub(crate) fn input(&self) -> Value {
        let mut input = self.conf.clone();
        if let Some(prev) = &self.prev {
            let prev = prev.encode(cni_core::spec::Version::V1_1_0).unwrap();
            input["prevResult"] = serde_json::from_str(prev.get()).unwrap();
        }
        input
    }

    /// The container's namespace.
    pub(crate) fn pod(&self) -> Netns {
        self.net.open(&NetnsPath::new(POD)).unwrap()
    }

    /// Makes the interface that the attachment is to have.
    pub(crate) fn occupy(&self) {
        earlier(&self.net, &self.pod());
    }

    /// Where the plugins' files are.
    pub(crate) fn data(&self) -> &Path {
        &self.dir
    }

    /// What there is, on the network and in the plugins' files.
    pub(crate) fn state(&self) -> BTreeSet<String> {
        let mut state: BTreeSet<String> = self.net.state().into_iter().collect();
        files(&self.dir, &mut state);
        if self.prev.is_some() {
            state.extend(self.attributes());
        }
        state
    }

    /// What a chained plugin changes of the interface.
    fn attributes(&self) -> Option<String> {
        let pod = self.net.open(&NetnsPath::new(POD)).ok()?;
        let link = self.net.link(At::Netns(&pod), "eth0").unwrap()?;
        let (mac, mtu, promisc, allmulti) = (link.mac, link.mtu, link.promisc, link.allmulti);
        let flags = format!("promisc {promisc} allmulti {allmulti}");
        Some(format!(
            "{POD}/eth0 mac {mac:?} mtu {mtu} {flags} txqlen {}",
            link.txqlen
        ))
    }

    /// Deletes a link of the host, as an administrator would.
    pub(crate) fn delete(&self, link: &str) {
        drop(self.net.del_link(At::Host, link));
    }

    /// That there is all of `whole`, what an ADD makes that nothing happened to, but for announcements, which an
    /// ADD can do without.
    #[track_caller]
    pub(crate) fn is_whole(&self, whole: &BTreeSet<String>, nth: usize) {
        let state = self.state();
        let announces = |line: &str| {
            ["arp_notify", "ndisc_notify", "accept_dad"]
                .iter()
                .any(|key| line.contains(key))
        };
        let missing: Vec<_> = whole.difference(&state).filter(|line| !announces(line)).collect();
        assert!(
            missing.is_empty(),
            "call {nth}: after ADD that overcame a failure there is no {missing:#?}"
        );
    }

    /// That there is what was there before, and nothing more than the plugin may leave.
    #[track_caller]
    pub(crate) fn is_clean(&self, nth: usize, what: &str) {
        let (state, pod) = (self.state(), format!("{POD}/"));
        let left: Vec<_> = state.difference(&self.allowed).collect();
        let gone: Vec<_> = self
            .before
            .difference(&state)
            .filter(|line| !line.starts_with(&pod))
            .collect();
        assert!(left.is_empty(), "call {nth}: after {what} there is {left:#?}");
        assert!(gone.is_empty(), "call {nth}: after {what} there is no {gone:#?}");
    }

    /// That an ADD that failed left nothing. What a chained plugin may leave in the pod after DEL is none of it: the
    /// pod may go on without the plugin.
    #[track_caller]
    pub(crate) fn is_undone(&self, nth: usize) {
        self.is_clean(nth, "ADD that failed");
        if self.prev.is_some() {
            assert_eq!(self.state(), self.before, "call {nth}: after ADD that failed");
        }
    }

    /// The same but for what is in the pod, which goes with its namespace.
    #[track_caller]
    pub(crate) fn is_clean_on_host(&self, nth: usize, what: &str) {
        self.net.del_netns(POD);
        self.is_clean(nth, what);
        self.net.add_netns(POD);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A network card with an address and a default route.
fn uplink(net: &FakeNet) {
    let switch = net.add_netns("/switch");
    let new = NewVeth::new(&switch, "port0".parse().unwrap(), "up0".parse().unwrap());
    net.add_veth(&new).unwrap();
    net.set_link(At::Netns(&switch), "port0", &Change::up()).unwrap();
    net.add_addrs(At::Host, "up0", &[Addr::new("192.0.2.1/24".parse().unwrap())])
        .unwrap();
    // As a card of the machine's own, it listens to router advertisements.
    let listens = ("ipv6/conf/up0/accept_ra".to_owned(), "1".to_owned());
    net.set_sysctls(At::Host, &[listens]).unwrap();
    let mut default = Route::new("0.0.0.0/0".parse().unwrap());
    default.gw = Some("192.0.2.254".parse().unwrap());
    net.add_routes(At::Host, &[default]).unwrap();
}

/// The pod's interface as an earlier plugin of the list made it, and its result.
fn earlier(net: &FakeNet, pod: &Netns) -> Success {
    let up0 = net.link(At::Host, "up0").unwrap().unwrap();
    let new = NewMacvlan::new(pod, "eth0".parse().unwrap(), At::Host, up0.index);
    let link = net.add_macvlan(&new).unwrap();
    let mut interface = Interface::new("eth0");
    (interface.mac, interface.sandbox) = (link.mac.unwrap().to_string(), POD.to_owned());
    let mut success = Success::new();
    success.interfaces.push(interface);
    success
}

fn id() -> AttachmentId {
    AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap())
}

fn target(with_netns: bool) -> Target {
    Target::of(id(), with_netns.then(|| NetnsPath::new(POD)))
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
