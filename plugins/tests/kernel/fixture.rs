//! A host and a pod, each a fresh namespace without a name, and the plugins.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cni_core::invoke::{Call, Invoke, Target, Verb};
use cni_core::spec::{AttachmentId, Error, NetnsPath, Object, PluginType, Success, ValidAttachment};
use cni_net::link::Link;
use cni_net::netns::{Anonymous, within};
use cni_net::{Addrs, At, Kernel, Links, Namespaces, Netns, Sysctl};
use serde_json::{Value, json};

/// A node: its namespace, and the plugins that see it as the host's.
pub(crate) struct Node {
    /// The kernel as a plugin on this node sees it.
    pub(crate) net: Kernel,
    /// How the plugins are run.
    pub(crate) plugins: Box<dyn Invoke>,
    /// Where its plugins keep their files.
    pub(crate) dir: PathBuf,
    host: Anonymous,
}

/// A container: its namespace and its id.
pub(crate) struct Pod {
    pub(crate) netns: Netns,
    pub(crate) id: String,
    ifname: String,
    path: NetnsPath,
    namespace: Arc<Anonymous>,
}

impl Node {
    pub(crate) fn new() -> Self {
        let host = Anonymous::new().expect("these tests need root");
        let opened = Kernel::new().open(host.path()).unwrap();
        let net = within(&opened, Kernel::new).unwrap();
        let dir = directory();
        Self {
            plugins: crate::plugins(&net, opened, &dir),
            net,
            dir,
            host,
        }
    }

    /// `keys` as a network configuration of version 1.1.0; host-local keeps its files in this node's own folder.
    pub(crate) fn conf(&self, keys: Value) -> Conf {
        let mut conf = json!({ "cniVersion": "1.1.0", "name": "blue" });
        let Value::Object(keys) = keys else {
            panic!("a configuration is an object")
        };
        conf.as_object_mut().unwrap().extend(keys);
        if conf["ipam"]["type"] == "host-local" {
            conf["ipam"]["dataDir"] = self.dir.display().to_string().into();
        }
        if let Some(kind @ ("tuning" | "vxlan")) = conf["type"].as_str() {
            conf["dataDir"] = self.dir.join(kind).display().to_string().into();
        }
        Conf(conf)
    }

    pub(crate) fn add(&self, pod: &Pod, conf: &Conf) -> Result<Success, Error> {
        self.add_with(pod, conf, "")
    }

    /// ADD with `CNI_ARGS`.
    pub(crate) fn add_with(&self, pod: &Pod, conf: &Conf, args: &str) -> Result<Success, Error> {
        let mut target = pod.target(Some(pod.path.clone()));
        target.args = args.parse().unwrap();
        let (plugin, config) = conf.parts();
        self.plugins.add(&call(&plugin, &config, None, &target))
    }

    /// ADD of a plugin that comes later in a list.
    pub(crate) fn add_after(&self, pod: &Pod, conf: &Conf, prev: &Success) -> Result<Success, Error> {
        let (plugin, config) = conf.parts();
        let target = pod.target(Some(pod.path.clone()));
        self.plugins.add(&call(&plugin, &config, Some(prev), &target))
    }

    pub(crate) fn check(&self, pod: &Pod, conf: &Conf, prev: &Success) -> Result<(), Error> {
        self.run(Verb::Check, conf, Some(prev), &pod.target(Some(pod.path.clone())))
    }

    /// DEL with everything that a good runtime gives.
    pub(crate) fn del(&self, pod: &Pod, conf: &Conf, prev: Option<&Success>) -> Result<(), Error> {
        self.run(Verb::Del, conf, prev, &pod.target(Some(pod.path.clone())))
    }

    /// DEL of `pod` with another path for its namespace, or none.
    pub(crate) fn del_at(
        &self,
        pod: &Pod,
        conf: &Conf,
        prev: Option<&Success>,
        at: Option<&Path>,
    ) -> Result<(), Error> {
        self.run(Verb::Del, conf, prev, &pod.target(at.map(NetnsPath::new)))
    }

    /// GC that keeps `valid`, each an id and the interface `eth0`; `None` says nothing of what is valid.
    pub(crate) fn gc(&self, conf: &Conf, valid: Option<&[&Pod]>) -> Result<(), Error> {
        let mut conf = Conf(conf.0.clone());
        if let Some(valid) = valid {
            let entries: BTreeSet<ValidAttachment> = valid.iter().map(|pod| pod.valid()).collect();
            conf.0["cni.dev/valid-attachments"] = serde_json::to_value(entries).unwrap();
        }
        self.run(Verb::Gc, &conf, None, &Target::default())
    }

    pub(crate) fn status(&self, conf: &Conf) -> Result<(), Error> {
        self.run(Verb::Status, conf, None, &Target::default())
    }

    fn run(&self, verb: Verb, conf: &Conf, prev: Option<&Success>, target: &Target) -> Result<(), Error> {
        let (plugin, config) = conf.parts();
        self.plugins.run(verb, &call(&plugin, &config, prev, target))
    }

    /// The host's interfaces but `lo`; names of veth ends are cut to `veth`, since they are hashes.
    #[track_caller]
    pub(crate) fn has(&self, expected: &[&str]) {
        let links = self.net.links(At::Host).unwrap();
        assert_eq!(names(&links), expected, "on the host");
    }

    /// The addresses that host-local has given out, in order.
    #[track_caller]
    pub(crate) fn reserved(&self, expected: &[&str]) {
        let mut found: Vec<String> = match fs::read_dir(self.dir.join("blue")) {
            Ok(entries) => entries
                .map(|e| e.unwrap().file_name().into_string().unwrap())
                .collect(),
            Err(_) => Vec::new(),
        };
        found.retain(|name| name != "lock" && !name.starts_with("last_reserved_ip"));
        found.sort();
        assert_eq!(found, expected, "given out by host-local");
    }

    /// The addresses of an interface of the host, but for those that the kernel made.
    pub(crate) fn addresses(&self, link: &str) -> Vec<String> {
        addresses(&self.net, At::Host, link)
    }

    /// Where its namespace is.
    pub(crate) fn path(&self) -> &NetnsPath {
        self.host.path()
    }

    pub(crate) fn sysctl(&self, key: &str) -> String {
        self.net.sysctl(At::Host, key).unwrap()
    }

    /// The one host end that there is.
    pub(crate) fn host_end(&self) -> Link {
        let links = self.net.links(At::Host).unwrap();
        let mut ends = links.into_iter().filter(|link| link.name.starts_with("veth"));
        let end = ends.next().expect("a host end");
        assert!(ends.next().is_none(), "more than one host end");
        end
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl Pod {
    pub(crate) fn new(node: &Node, id: &str) -> Self {
        let namespace = Anonymous::new().expect("these tests need root");
        let path = namespace.path().clone();
        Self {
            netns: node.net.open(&path).unwrap(),
            id: id.to_owned(),
            ifname: "eth0".to_owned(),
            path,
            namespace: Arc::new(namespace),
        }
    }

    /// The container's interfaces but `lo`.
    #[track_caller]
    pub(crate) fn has(&self, node: &Node, expected: &[&str]) {
        let links = node.net.links(At::Netns(&self.netns)).unwrap();
        assert_eq!(names(&links), expected, "in the container");
    }

    pub(crate) fn link(&self, node: &Node) -> Link {
        node.net
            .link(At::Netns(&self.netns), "eth0")
            .unwrap()
            .expect("eth0")
    }

    pub(crate) fn addresses(&self, node: &Node) -> Vec<String> {
        addresses(&node.net, At::Netns(&self.netns), "eth0")
    }

    /// Its routes but those that the kernel made, as `DST via GW table T mtu M`; what is absent is left out.
    pub(crate) fn routes(&self, node: &Node) -> Vec<String> {
        use cni_net::Routes;
        let routes = node.net.routes(At::Netns(&self.netns)).unwrap();
        let set = routes.iter().filter(|r| r.protocol != Some(KERNEL));
        let part =
            |what: &str, value: Option<String>| value.map(|v| format!(" {what} {v}")).unwrap_or_default();
        let mut texts: Vec<String> = set
            .map(|r| {
                let gw = part("via", r.gw.map(|gw| gw.to_string()));
                let table = part("table", r.table.filter(|t| *t != 254).map(|t| t.to_string()));
                let mtu = part("mtu", r.mtu.map(|mtu| mtu.to_string()));
                let advmss = part("advmss", r.advmss.map(|mss| mss.to_string()));
                format!("{}{gw}{table}{mtu}{advmss}", r.dst)
            })
            .collect();
        texts.sort();
        texts
    }

    pub(crate) fn path(&self) -> &NetnsPath {
        &self.path
    }

    /// The same container, said to be at `path`.
    pub(crate) fn elsewhere(&self, path: &str) -> Self {
        let path = NetnsPath::new(path);
        Self {
            path,
            ..self.with_interface(&self.ifname)
        }
    }

    /// The same container, of which another interface is meant.
    pub(crate) fn with_interface(&self, ifname: &str) -> Self {
        Self {
            netns: self.netns.clone(),
            id: self.id.clone(),
            ifname: ifname.to_owned(),
            path: self.path.clone(),
            namespace: Arc::clone(&self.namespace),
        }
    }

    /// The kernel as a program in the container sees it.
    pub(crate) fn in_it(&self) -> Kernel {
        within(&self.netns, Kernel::new).unwrap()
    }

    /// Whether `address` answers it: by refusing a connection.
    pub(crate) fn reaches(&self, address: &str) -> bool {
        let address = SocketAddr::new(address.parse().unwrap(), 9);
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(500));
        let outcome = within(&self.netns, connect).unwrap();
        outcome.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    }

    /// Its interface that is meant.
    pub(crate) fn attachment(&self) -> AttachmentId {
        AttachmentId::new(self.id.parse().unwrap(), self.ifname.parse().unwrap())
    }

    fn target(&self, netns: Option<NetnsPath>) -> Target {
        let mut target = Target::of(self.attachment(), netns);
        target.path.push("/nowhere".into());
        target
    }

    fn valid(&self) -> ValidAttachment {
        ValidAttachment::from(&self.attachment())
    }
}

/// `RTPROT_KERNEL`.
const KERNEL: u8 = 2;

/// A network configuration.
pub(crate) struct Conf(pub(crate) Value);

impl Conf {
    fn parts(&self) -> (PluginType, Object) {
        let plugin = self.0["type"].as_str().unwrap().parse().unwrap();
        (plugin, Object::from_slice(self.0.to_string().as_bytes()).unwrap())
    }
}

/// Interfaces of a result as `name` or `name@pod`, with the names of host ends cut to `veth`.
#[track_caller]
pub(crate) fn interfaces(success: &Success, expected: &[&str]) {
    let show = |i: &cni_core::spec::Interface| {
        let name = if i.sandbox.is_empty() && i.name.starts_with("veth") {
            "veth"
        } else {
            &i.name
        };
        assert!(
            i.mac.parse::<cni_core::spec::Mac>().is_ok(),
            "{:?} has no address",
            i.name
        );
        if i.sandbox.is_empty() {
            name.to_owned()
        } else {
            format!("{name}@pod")
        }
    };
    let found: Vec<String> = success.interfaces.iter().map(show).collect();
    assert_eq!(found, expected, "interfaces of the result");
}

/// Addresses of a result as `index ADDRESS via GATEWAY`.
#[track_caller]
pub(crate) fn ips(success: &Success, expected: &[&str]) {
    let show = |ip: &cni_core::spec::IpConfig| {
        let index = ip.interface.map(|i| format!("{i} ")).unwrap_or_default();
        let gateway = ip.gateway.map(|gw| format!(" via {gw}")).unwrap_or_default();
        format!("{index}{}{gateway}", ip.address)
    };
    let found: Vec<String> = success.ips.iter().map(show).collect();
    assert_eq!(found, expected, "addresses of the result");
}

/// That `outcome` failed with this code and a message that begins so.
#[track_caller]
pub(crate) fn fails<T: std::fmt::Debug>(outcome: Result<T, Error>, code: u32, message: &str) {
    let error = outcome.expect_err("it was to fail");
    assert!(
        error.code.0 == code && error.msg.starts_with(message),
        "code {} {error}, not {code} {message}",
        error.code
    );
}

fn names(links: &[Link]) -> Vec<&str> {
    let names = links.iter().map(|link| &*link.name).filter(|name| *name != "lo");
    let cut = |name| {
        if str::starts_with(name, "veth") {
            "veth"
        } else {
            name
        }
    };
    let mut names: Vec<&str> = names.map(cut).collect();
    names.sort_unstable();
    names
}

fn addresses(net: &Kernel, at: At<'_>, link: &str) -> Vec<String> {
    let is_link_local = |text: &String| text.starts_with("fe80:");
    let addrs = net.addrs(at, link).unwrap();
    let texts = addrs.iter().map(|a| a.address.to_string());
    texts.filter(|text| !is_link_local(text)).collect()
}

fn call<'a>(
    plugin: &'a PluginType,
    config: &'a Object,
    prev: Option<&'a Success>,
    target: &'a Target,
) -> Call<'a> {
    let mut call = Call::new(plugin, config, target);
    call.prev = prev;
    call
}

fn directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("kernel-{}-{number}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
