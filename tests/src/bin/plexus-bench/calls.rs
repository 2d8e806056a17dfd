//! Calls of a plugin that does nothing, so that only the way to it and back costs.

use std::path::PathBuf;

use cni_core::invoke::{Builtin, Call, Invoke, Target};
use cni_core::plugin::{Add, Check, Del, DynPlugin, Plugin};
use cni_core::spec::{AttachmentId, Error, NetnsPath, Object, PluginType, Success};
use plexus_tests::program;

struct Noop;

impl Plugin for Noop {
    type Config = serde::de::IgnoredAny;
    const NAME: &'static str = "noop";

    fn add(&self, request: Add<'_, Self::Config>) -> Result<Success, Error> {
        Ok(request.prev.unwrap_or_default())
    }

    fn del(&self, _: Del<'_, Self::Config>) -> Result<(), Error> {
        Ok(())
    }

    fn check(&self, _: Check<'_, Self::Config>) -> Result<(), Error> {
        Ok(())
    }
}

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
    Builtin::new([Box::new(Noop) as Box<dyn DynPlugin>])
}

/// Where the examples of `cni-core` are that `tests/run bench` builds, static.
pub(crate) fn programs() -> PathBuf {
    let this = program("plexus-bench");
    let target = this.ancestors().nth(2).unwrap();
    target.join("static/x86_64-unknown-linux-gnu/release/examples")
}

/// Hands a call of `plugin` to `run`.
pub(crate) fn with_call<T>(plugin: &str, run: impl FnOnce(&Call<'_>) -> T) -> T {
    let id = AttachmentId::new("pod".parse().unwrap(), "eth0".parse().unwrap());
    let target = Target {
        id: Some(id),
        netns: Some(NetnsPath::new("/run/netns/pod")),
        path: vec![programs()],
        ..Target::default()
    };
    let prev = Success::decode("1.0.0".parse().unwrap(), PREV.as_bytes()).unwrap();
    run(&Call {
        plugin: &plugin.parse::<PluginType>().unwrap(),
        config: &Object::from_slice(CONFIG.as_bytes()).unwrap(),
        prev: Some(&prev),
        target: &target,
        deadline: None,
    })
}

/// Makes as many ADDs as `count` says, for whoever counts what they cost.
pub(crate) fn make(way: &str, count: u32) {
    let invoke: &dyn Invoke = match way {
        "builtin" => &builtin(),
        _ => panic!("no way to call a plugin is named {way:?}"),
    };
    with_call("noop", |call| {
        (0..count).for_each(|_| drop(invoke.add(call).unwrap()))
    });
}
