//! Where a list is run: each time by linked-in plugins, by executables and by libraries, which must be the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cni_core::chain::{InMemory, Runtime};
use cni_core::invoke::{Builtin, Exec, Invoke};
use cni_core::spec::{AttachmentId, ConfList, NetnsPath, Object};
use serde_json::{Value, json};

use cni_core::testkit::Scripted;

use crate::dylib::{self, Dir};

/// One run of a scene.
pub(crate) struct Stage<'a> {
    pub(crate) runtime: Runtime<'a>,
    pub(crate) kept: InMemory,
    log: PathBuf,
}

/// Runs `scene` by linked-in plugins, by executables and by libraries; what it returns, and what the plugins saw, must
/// be equal.
pub(crate) fn every_way<T: PartialEq + std::fmt::Debug>(scene: impl Fn(&Stage<'_>) -> T) -> (T, Vec<Value>) {
    let dir = dylib::scripted();
    let builtin = Builtin::new().with(Scripted);
    let builtin = stage(&builtin, &dir, &scene);
    let exec = stage(&Exec::new(), &dir, &scene);
    assert_eq!(builtin, exec);
    let dylib = stage(&dylib::dylib(), &dir, &scene);
    assert_eq!(dylib, exec);
    exec
}

fn stage<T>(invoke: &dyn Invoke, path: &Dir, scene: &impl Fn(&Stage<'_>) -> T) -> (T, Vec<Value>) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let log = std::env::temp_dir().join(format!("cni-core-chain-{}-{number}", std::process::id()));
    let mut runtime = Runtime::new(invoke, [path.0.clone()]);
    runtime.args = "A=1".parse().unwrap();
    let stage = Stage {
        runtime,
        kept: InMemory::default(),
        log,
    };
    let outcome = scene(&stage);
    let lines = lines(&stage.log);
    drop(fs::remove_file(&stage.log));
    (outcome, lines)
}

fn lines(log: &Path) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

impl Stage<'_> {
    /// A list of scripted plugins, with these keys each; they are labelled by their place.
    pub(crate) fn list(&self, version: &str, plugins: &[Value]) -> ConfList {
        self.list_with(json!({}), version, plugins)
    }

    /// The same with keys of the list.
    pub(crate) fn list_with(&self, mut list: Value, version: &str, plugins: &[Value]) -> ConfList {
        list["cniVersion"] = version.into();
        list["name"] = "net".into();
        let labelled = plugins.iter().enumerate().map(|(place, plugin)| {
            let mut plugin = plugin.clone();
            plugin["type"] = "scripted".into();
            plugin["label"] = place.to_string().into();
            plugin["log"] = json!(self.log);
            plugin
        });
        list["plugins"] = labelled.collect();
        ConfList::from_bytes(list.to_string().as_bytes()).unwrap()
    }
}

pub(crate) fn id(container: &str) -> AttachmentId {
    AttachmentId::new(container.parse().unwrap(), "eth0".parse().unwrap())
}

pub(crate) fn netns() -> NetnsPath {
    NetnsPath::new("/nowhere/ns")
}

pub(crate) fn object(json: &Value) -> Object {
    Object::from_slice(json.to_string().as_bytes()).unwrap()
}

/// Verb and place of each call, and the container where it is about one.
pub(crate) fn order(calls: &[Value]) -> Vec<String> {
    let one = |call: &Value| {
        format!(
            "{} {}",
            call["verb"].as_str().unwrap(),
            call["plugin"].as_str().unwrap()
        )
    };
    calls.iter().map(one).collect()
}

/// The names of the interfaces of the previous result of each call, if it had one.
pub(crate) fn prevs(calls: &[Value]) -> Vec<Option<String>> {
    let name = |interface: &Value| interface["name"].as_str().unwrap().to_owned();
    let names = |prev: &Value| -> String {
        let interfaces = prev["interfaces"].as_array();
        interfaces
            .into_iter()
            .flatten()
            .map(name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let prev = |call: &Value| call["prev"].is_object().then(|| names(&call["prev"]));
    calls.iter().map(prev).collect()
}
