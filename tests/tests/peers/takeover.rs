//! The result cache is shared: what cnitool attached our chains check and take off, and the other way round.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cni_core::chain::{self, KeptAttachment, Runtime};
use cni_core::invoke::Exec;
use cni_core::spec::{AttachmentId, ConfList, NetnsPath, Object};
use cni_core::store::Store;
use cni_net::{At, Kernel, Links};
use plexus_tests::cnitool::Cnitool;
use plexus_tests::pod::Pod;
use plexus_tests::{host, peers, plugins};
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

const VERSIONS: [&str; 3] = ["0.4.0", "1.0.0", "1.1.0"];
const ARGS: &str = "IgnoreUnknown=1;K8S_POD_NAME=web";
const MAC: &str = "c2:b0:57:49:47:f1";

/// The arguments of all capabilities; one plugin declares each, and none the last.
fn capability_args() -> Value {
    json!({"mac": MAC, "portMappings": [{"hostPort": 8080, "containerPort": 80}], "aliases": ["a"]})
}

/// How an attachment is taken off.
#[derive(Clone, Copy, Debug)]
enum Off {
    Del,
    Gc,
}

/// A container, and a network of real plugins with a witness of what they are told.
struct Scene {
    network: String,
    list: ConfList,
    tool: Cnitool,
    path: Vec<PathBuf>,
    pod: Pod,
    id: AttachmentId,
    dir: tempfile::TempDir,
    store: Store,
}

/// Adds a line with verb, arguments and configuration to a file.
const WITNESS: &str = r#"#!/bin/sh
config=$(cat)
case $CNI_COMMAND in
VERSION) echo '{"cniVersion":"1.1.0","supportedVersions":["0.4.0","1.0.0","1.1.0"]}'; exit ;;
ADD) echo "{\"cniVersion\":\"$VERSION\"}" ;;
esac
echo "$CNI_COMMAND $CNI_ARGS $config" >>"$DIR/seen"
"#;

impl Scene {
    /// With the plugins in `tools` for cnitool, and those in `ours` for our chain.
    fn new(network: &str, version: &str, main: &Value, [tools, ours]: [&Path; 2]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let witness = dir.path().join("witness");
        let told = format!("\nVERSION={version}\nDIR={}\n", dir.path().display());
        fs::write(&witness, WITNESS.replacen('\n', &told, 1)).unwrap();
        fs::set_permissions(&witness, fs::Permissions::from_mode(0o755)).unwrap();

        // Each network has a bridge and a subnet of its own: the tests share a host.
        let subnet = format!("10.{}.0.0/24", network.bytes().next_back().unwrap());
        let mut main = main.clone();
        main["ipam"] = json!({"type": "host-local", "subnet": subnet});
        let list = json!({"cniVersion": version, "name": network, "plugins": [
            {"type": "witness", "capabilities": {"portMappings": true}},
            main,
            {"type": "tuning", "dataDir": format!("/run/cni/{network}"), "mtu": 1400, "capabilities": {"mac": true},
             "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}},
        ]});
        let path = vec![dir.path().to_owned(), ours.to_owned()];
        let joined = format!("{}:{}", dir.path().display(), tools.display());
        let tool = Cnitool::new(&list, Path::new(&joined))
            .with_capabilities(&capability_args())
            .with_env("CNI_ARGS", ARGS);
        let pod = Pod::new();
        let digest: String = Sha512::digest(pod.path())
            .iter()
            .take(10)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            network: network.to_owned(),
            list: ConfList::from_bytes(list.to_string().as_bytes()).unwrap(),
            tool,
            path,
            id: AttachmentId::new(
                format!("cnitool-{digest}").parse().unwrap(),
                "eth0".parse().unwrap(),
            ),
            pod,
            dir,
            store: Store::new(Store::DEFAULT_DIR),
        }
    }

    fn netns(&self) -> NetnsPath {
        NetnsPath::new(self.pod.path())
    }

    /// A runtime with the arguments of `kept`.
    fn runtime<'a>(&self, exec: &'a Exec, kept: &KeptAttachment) -> Runtime<'a> {
        let mut runtime = Runtime::new(exec, self.path.clone());
        runtime.args = kept.args.clone();
        runtime.capability_args = kept.capability_args.clone();
        runtime
    }

    /// The one attachment of the container.
    #[track_caller]
    fn kept(&self) -> KeptAttachment {
        let mut found = self.store.attachments(Some(&self.id.container)).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        let (network, kept) = found.remove(0);
        assert_eq!((network.as_str(), &kept.id), (&*self.network, &self.id));
        kept
    }

    fn assert_attached(&self) {
        assert_eq!(self.pod.mac("eth0"), MAC);
        let result = self.kept().result.unwrap();
        assert_eq!(self.pod.addresses("eth0"), [result.ips[0].address.to_string()]);
    }

    /// The verbs that the witness saw, each with what it was told at ADD.
    fn assert_told(&self, verbs: &[&str]) {
        let seen = fs::read_to_string(self.dir.path().join("seen")).unwrap();
        let mut told = Vec::new();
        for line in seen.lines() {
            let [verb, args, config] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let config: Value = serde_json::from_str(config).unwrap();
            told.push(verb);
            if verb == "GC" {
                continue;
            }
            assert_eq!(args, ARGS, "{verb}");
            let mappings = json!({"portMappings": capability_args()["portMappings"]});
            assert_eq!(config["runtimeConfig"], mappings, "{verb}");
            let has_prev = config["prevResult"]["ips"].is_array();
            assert_eq!(has_prev, verb != "ADD", "{verb}: {config}");
        }
        assert_eq!(told, verbs);
    }

    fn assert_nothing_left(&self) {
        assert_eq!(self.pod.links(), ["lo"]);
        let kernel = Kernel::new();
        let bridge = kernel
            .link(At::Host, &self.network)
            .unwrap()
            .map(|link| link.index);
        let links = kernel.links(At::Host).unwrap();
        let ports = links
            .iter()
            .filter(|link| bridge.is_some() && link.master == bridge);
        assert_eq!(ports.count(), 0);
        let of_network = |dir: &str| {
            host::files(dir)
                .into_iter()
                .filter(|file| file.starts_with(&self.network))
                .count()
        };
        assert_eq!(of_network("/var/lib/cni/results"), 0);
        let is_address = |file: &String| file.starts_with("10.");
        let reserved = host::files(&format!("/var/lib/cni/networks/{}", self.network));
        assert_eq!(reserved.into_iter().filter(is_address).count(), 0);
        assert_eq!(host::files(&format!("/run/cni/{}", self.network)), [""; 0]);
    }
}

/// What is seen of a whole life that ends with `off`.
fn verbs(version: &str, off: Off) -> Vec<&'static str> {
    match off {
        Off::Gc if version == "1.1.0" => vec!["ADD", "CHECK", "DEL", "GC"],
        Off::Del | Off::Gc => vec!["ADD", "CHECK", "DEL"],
    }
}

/// cnitool attaches; we check, and take off.
fn theirs_then_ours(scene: &Scene, off: Off) {
    let printed = scene.tool.add(scene.pod.path());
    scene.assert_attached();
    let kept = scene.kept();
    assert_eq!(
        (kept.args.to_string(), kept.netns.as_ref()),
        (ARGS.to_owned(), Some(&scene.netns()))
    );
    let capabilities: Value = kept.capability_args.parse().unwrap();
    assert_eq!(capabilities, capability_args());
    let result = kept.result.as_ref().unwrap().encode(scene.list.version).unwrap();
    assert_eq!(serde_json::from_str::<Value>(result.get()).unwrap(), printed);
    let config = scene.store.config(&scene.list.name, &scene.id).unwrap().unwrap();
    assert_eq!(ConfList::from_bytes(&config).unwrap(), scene.list);

    let exec = Exec::new();
    let (runtime, netns) = (scene.runtime(&exec, &kept), kept.netns.clone().unwrap());
    chain::check(&scene.list, &scene.id, &netns, &runtime, &scene.store).unwrap();
    match off {
        Off::Del => chain::del(&scene.list, &scene.id, Some(&netns), &runtime, &scene.store).unwrap(),
        Off::Gc => {
            // GC takes arguments and namespace from the cache.
            let runtime = Runtime::new(&exec, scene.path.clone());
            chain::gc(&scene.list, Some(&Default::default()), &runtime, &scene.store).unwrap();
        }
    }
}

/// We attach; cnitool checks, and takes off.
fn ours_then_theirs(scene: &Scene, off: Off) {
    let exec = Exec::new();
    let mut runtime = Runtime::new(&exec, scene.path.clone());
    runtime.args = ARGS.parse().unwrap();
    runtime.capability_args = Object::from_slice(capability_args().to_string().as_bytes()).unwrap();
    chain::add(&scene.list, &scene.id, &scene.netns(), &runtime, &scene.store).unwrap();
    scene.assert_attached();
    scene.tool.run("check", scene.pod.path());
    match off {
        Off::Del => scene.tool.run("del", scene.pod.path()),
        Off::Gc => scene.tool.run("gc", scene.pod.path()),
    };
    assert_eq!(scene.store.attachments(Some(&scene.id.container)).unwrap(), []);
}

/// Lives of containers in every version and with either end, the main plugin with `keys` among the others in `programs`:
/// those of cnitool, and those of our chain.
fn lives(network: &str, main: &Value, programs: [&Path; 2], live: impl Fn(&Scene, Off)) {
    for version in VERSIONS {
        for off in [Off::Del, Off::Gc] {
            let scene = Scene::new(network, version, main, programs);
            live(&scene, off);
            scene.assert_nothing_left();
            scene.assert_told(&verbs(version, off));
        }
    }
}

fn bridge(network: &str) -> Value {
    json!({"type": "bridge", "bridge": network, "isDefaultGateway": true, "capabilities": {"mac": true}})
}

fn macvlan(network: &str) -> Value {
    let parent = format!("{network}-up");
    host::parent(&parent);
    json!({"type": "macvlan", "master": parent})
}

#[test]
fn we_take_over_from_cnitool_with_our_plugins() {
    lives("tko-a", &bridge("tko-a"), [plugins(); 2], theirs_then_ours);
}

#[test]
fn we_take_over_from_cnitool_with_the_reference_s_plugins() {
    lives("tko-b", &bridge("tko-b"), [&peers(); 2], theirs_then_ours);
}

#[test]
fn cnitool_takes_over_from_us_with_our_plugins() {
    lives("tko-c", &bridge("tko-c"), [plugins(); 2], ours_then_theirs);
}

#[test]
fn cnitool_takes_over_from_us_with_the_reference_s_plugins() {
    lives("tko-d", &bridge("tko-d"), [&peers(); 2], ours_then_theirs);
}

#[test]
fn our_plugins_take_off_what_the_reference_s_attached() {
    let programs = [&*peers(), plugins()];
    lives("tko-e", &bridge("tko-e"), programs, theirs_then_ours);
    lives("tko-f", &macvlan("tko-f"), programs, theirs_then_ours);
}

#[test]
fn the_reference_s_plugins_take_off_what_ours_attached() {
    let programs = [&*peers(), plugins()];
    lives("tko-g", &bridge("tko-g"), programs, ours_then_theirs);
    lives("tko-h", &macvlan("tko-h"), programs, ours_then_theirs);
}
