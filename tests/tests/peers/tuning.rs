//! Our `tuning` and the reference's: what one changed, the other restores.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cni_core::chain::{self, InMemory, Runtime};
use cni_core::invoke::{Call, Exec, Invoke, Target, Verb};
use cni_core::spec::{AttachmentId, ConfList, NetnsPath, Object, PluginType, Success};
use plexus_tests::pod::Pod;
use plexus_tests::{host, peers, plugins};
use serde_json::json;

/// A container whose `eth0` is tuned by one side's plugin and then the other's, in a version.
struct Interface {
    pod: Pod,
    id: AttachmentId,
    config: Object,
    data: tempfile::TempDir,
}

impl Interface {
    fn new(version: &str) -> (Self, Success) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (pod, data) = (Pod::new(), tempfile::tempdir().unwrap());
        let container = format!("tuned-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let id = AttachmentId::new(container.parse().unwrap(), "eth0".parse().unwrap());
        let bridge = json!({"cniVersion": version, "name": "tuned", "plugins": [{"type": "bridge", "bridge": "tun0"}]});
        let list = ConfList::from_bytes(bridge.to_string().as_bytes()).unwrap();
        let (exec, kept) = (Exec::new(), InMemory::default());
        let runtime = Runtime::new(&exec, [plugins().to_owned()]);
        let prev = chain::add(&list, &id, &NetnsPath::new(pod.path()), &runtime, &kept).unwrap();
        let config = json!({"cniVersion": version, "name": "tuned", "type": "tuning", "dataDir": data.path(),
            "mac": "C2:B0:57:49:47:F1", "mtu": 1400, "promisc": true, "allmulti": true, "txQLen": 7});
        let config = Object::from_slice(config.to_string().as_bytes()).unwrap();
        (
            Self {
                pod,
                id,
                config,
                data,
            },
            prev,
        )
    }

    fn call<T>(&self, side: &Path, prev: Option<&Success>, run: impl FnOnce(&Call<'_>) -> T) -> T {
        let mut target = Target::of(self.id.clone(), Some(NetnsPath::new(self.pod.path())));
        target.path.push(side.to_owned());
        let plugin: PluginType = "tuning".parse().unwrap();
        let mut call = Call::new(&plugin, &self.config, &target);
        call.prev = prev;
        run(&call)
    }

    /// What the plugins change, in words.
    fn state(&self) -> String {
        let (link, mac) = (self.pod.link("eth0"), self.pod.mac("eth0"));
        let (promisc, allmulti, txqlen) = (link.promisc, link.allmulti, link.txqlen);
        format!(
            "{mac} mtu {} promisc {promisc} allmulti {allmulti} txQLen {txqlen}",
            link.mtu
        )
    }

    fn files(&self) -> Vec<String> {
        host::files(self.data.path().to_str().unwrap())
    }
}

/// ADD by the plugin of `first`, DEL by that of `second`.
#[track_caller]
fn restores(first: PathBuf, second: PathBuf) {
    for version in ["0.3.1", "0.4.0", "1.0.0"] {
        let (interface, prev) = Interface::new(version);
        let before = interface.state();
        let result = interface
            .call(&first, Some(&prev), |call| Exec::new().add(call))
            .unwrap();
        let tuned = "c2:b0:57:49:47:f1 mtu 1400 promisc true allmulti true txQLen 7";
        assert_eq!(interface.state(), tuned);
        assert_eq!(
            interface.files(),
            [format!("{}_eth0.json", interface.id.container)]
        );
        // Before 0.4.0 runtimes give no result to DEL.
        let prev = Some(&result).filter(|_| version != "0.3.1");
        interface
            .call(&second, prev, |call| Exec::new().run(Verb::Del, call))
            .unwrap();
        assert_eq!(interface.state(), before, "{version}");
        assert!(interface.files().is_empty(), "{version}");
    }
}

#[test]
fn the_references_tuning_restores_what_ours_changed() {
    restores(plugins().to_owned(), peers());
}

#[test]
fn our_tuning_restores_what_the_references_changed() {
    restores(peers(), plugins().to_owned());
}

#[test]
fn each_restores_its_own() {
    restores(peers(), peers());
    restores(plugins().to_owned(), plugins().to_owned());
}
