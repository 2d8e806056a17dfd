//! For the tests of the address plugins: calls as a runtime makes them, without a process.

use std::fs;
use std::path::PathBuf;

use cni_core::invoke::{Builtin, Call, Invoke, Target, Verb};
use cni_core::plugin::DynPlugin;
use cni_core::spec::{AttachmentId, CniArgs, Error, NetnsPath, Object, PluginType, Success};
use serde_json::{Value, json};

/// A plugin, its network's configuration, and a directory that is removed in the end.
pub(super) struct Fixture {
    pub(super) dir: PathBuf,
    pub(super) config: Value,
    pub(super) args: CniArgs,
    plugin: Builtin,
    kind: PluginType,
}

impl Fixture {
    /// The plugin on the network `net1`; `dataDir` is set.
    pub(super) fn new<P: DynPlugin + 'static>(plugin: P, name: &str, ipam: Value) -> Self {
        let kind = plugin.name();
        let dir = std::env::temp_dir().join(format!("{kind}-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let mut config = json!({"cniVersion": "1.1.0", "name": "net1", "type": kind, "ipam": ipam});
        config["ipam"]["dataDir"] = json!(dir);
        Self {
            dir,
            config,
            args: CniArgs::default(),
            plugin: Builtin::new().with(plugin),
            kind: kind.parse().unwrap(),
        }
    }

    /// ADD of `eth0` of `container`; the addresses as text.
    pub(super) fn add(&self, container: &str) -> Result<Vec<String>, Error> {
        let result = self.result(container)?;
        Ok(result.ips.iter().map(|ip| ip.address.to_string()).collect())
    }

    /// ADD of `eth0` of `container`.
    pub(super) fn result(&self, container: &str) -> Result<Success, Error> {
        self.call(container, None, |call| self.plugin.add(call))
    }

    /// Any other verb for `eth0` of `container`.
    pub(super) fn run(&self, verb: Verb, container: &str, prev: Option<&Success>) -> Result<(), Error> {
        self.call(container, prev, |call| self.plugin.run(verb, call))
    }

    fn call<T>(
        &self,
        container: &str,
        prev: Option<&Success>,
        run: impl Fn(&Call<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let id = AttachmentId::new(container.parse().unwrap(), "eth0".parse().unwrap());
        let mut target = Target::of(id, Some(NetnsPath::new("/nowhere")));
        target.args = self.args.clone();
        let config = Object::from_slice(self.config.to_string().as_bytes()).unwrap();
        let mut call = Call::new(&self.kind, &config, &target);
        call.prev = prev;
        run(&call)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.dir).unwrap();
    }
}

/// That it failed, with this code and these words.
#[track_caller]
pub(super) fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, code: u32, words: &str) {
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(error.code.0, code, "{error}");
}
