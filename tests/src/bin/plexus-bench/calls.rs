//! Calls of a plugin that does nothing, so that only the way to it and back costs.

use std::path::{Path, PathBuf};

use cni_core::invoke::{Builtin, Call, Dylib, Invoke, Target};
use cni_core::spec::{AttachmentId, NetnsPath, Object, PluginType, Success};
use cni_core::testkit::Noop;
use plexus_tests::program;
use tempfile::TempDir;

/// A configuration as bridge has it.
pub(crate) const CONFIG: &str = r#"{
    "cniVersion": "1.0.0", "name": "pods", "type": "bridge", "bridge": "cni0", "isDefaultGateway": true,
    "ipMasq": true, "ipMasqBackend": "nftables", "capabilities": {"ips": true},
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/16"}], [{"subnet": "fd00:1::/64"}]]}
}"#;

/// The result of such a network.
pub(crate) const PREV: &str = r#"{
    "cniVersion": "1.0.0",
    "interfaces": [{"name": "cni0", "mac": "0a:00:00:00:00:01"}, {"name": "veth0123abcd", "mac": "0a:00:00:00:00:02"},
        {"name": "eth0", "mac": "0a:00:00:00:00:03", "sandbox": "/run/netns/pod"}],
    "ips": [{"address": "10.1.0.2/16", "gateway": "10.1.0.1", "interface": 2}, {"address": "fd00:1::2/64", "interface": 2}],
    "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}], "dns": {}
}"#;

/// The plugin, linked in.
pub(crate) fn builtin() -> Builtin {
    Builtin::new().with(Noop)
}

/// The plugin as a library, in a directory that nobody else can write to.
pub(crate) fn libraries() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let built = program("examples/libnoop_library.so");
    std::fs::copy(built, directory.path().join("noop.so")).unwrap();
    directory
}

/// Where the examples of `cni-core` are that `tests/run bench` builds, static.
pub(crate) fn programs() -> PathBuf {
    let this = program("plexus-bench");
    let target = this.ancestors().nth(2).unwrap();
    target.join("static/x86_64-unknown-linux-gnu/release/examples")
}

/// Hands a call of the plugin in `directory` to `run`.
pub(crate) fn with_call<T>(plugin: &str, directory: &Path, run: impl FnOnce(&Call<'_>) -> T) -> T {
    let id = AttachmentId::new("pod".parse().unwrap(), "eth0".parse().unwrap());
    let mut target = Target::of(id, Some(NetnsPath::new("/run/netns/pod")));
    target.path.push(directory.to_owned());
    let prev = Success::decode("1.0.0".parse().unwrap(), PREV.as_bytes()).unwrap();
    let plugin = plugin.parse::<PluginType>().unwrap();
    let config = Object::from_slice(CONFIG.as_bytes()).unwrap();
    let mut call = Call::new(&plugin, &config, &target);
    call.prev = Some(&prev);
    run(&call)
}

/// Makes as many ADDs as `count` says, for whoever counts what they cost.
pub(crate) fn make(way: &str, count: u32) {
    let libraries = libraries();
    let invoke: &dyn Invoke = match way {
        "builtin" => &builtin(),
        "dylib" => &Dylib::new(),
        _ => panic!("no way to call a plugin is named {way:?}"),
    };
    with_call("noop", libraries.path(), |call| {
        (0..count).for_each(|_| drop(invoke.add(call).unwrap()));
    });
}
