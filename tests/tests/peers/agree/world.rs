//! A node and its pods while one side works on them, and what they look like afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use cni_net::netns::{Anonymous, within};
use cni_net::{At, Kernel, Links, Namespaces, Netns};
use serde_json::{Value, json};

use super::cases::Case;
use super::look;
use super::side::{RESULTS, Request, Side, container};

/// Every path of a state and its value; two states are the same if these are.
pub(crate) type State = BTreeMap<String, String>;

/// The value of what has parts: a link, a route, a result.
pub(crate) const THERE: &str = "there";

/// A namespace that lives as long as this value.
pub(crate) struct Place {
    path: String,
    netns: Netns,
    _held: Anonymous,
}

impl Place {
    /// A new namespace in which `setup` was done by a shell.
    fn new(setup: &str) -> Self {
        let held = Anonymous::new().unwrap();
        let netns = Kernel::new().open(held.path()).unwrap();
        let path = held.path().to_string();
        let place = Self {
            path,
            netns,
            _held: held,
        };
        let made = place.inside(|| Command::new("sh").args(["-ec", setup]).status());
        assert!(made.unwrap().success(), "{setup}");
        place
    }

    /// Does `f` in the namespace; what it starts runs there too.
    pub(crate) fn inside<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        within(&self.netns, f).unwrap()
    }
}

/// Where the lives of one case are led, one after the other: what depends on a path is the same in all.
pub(crate) struct Arena {
    dir: tempfile::TempDir,
    network: String,
}

impl Arena {
    /// The `number`th.
    pub(crate) fn new(number: usize) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            network: format!("agree{number}"),
        }
    }

    /// Where the pod's namespace is found.
    fn pod(&self, number: usize) -> String {
        self.dir.path().join(format!("pod{number}")).display().to_string()
    }

    /// Where the plugins keep their files.
    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Empty but for the ways to `pods`.
    fn prepare(&self, pods: &[Place; 2]) {
        fs::remove_dir_all(self.dir.path()).unwrap();
        fs::create_dir_all(self.data()).unwrap();
        fs::write(self.dir.path().join("resolv.conf"), RESOLV_CONF).unwrap();
        for (number, pod) in pods.iter().enumerate() {
            symlink(&pod.path, self.pod(number)).unwrap();
        }
    }

    /// The list of `case` in `version`, with files here.
    fn list(&self, case: &Case, version: &str) -> Value {
        let plugins = case.plugins.replace("DIR", self.dir.path().to_str().unwrap());
        let mut plugins: Value = serde_json::from_str(&plugins).unwrap();
        for plugin in plugins.as_array_mut().unwrap() {
            if plugin["ipam"]["type"] == "host-local" {
                plugin["ipam"]["dataDir"] = json!(self.data());
            }
            if plugin["type"] == "tuning" {
                plugin["dataDir"] = json!(self.data().join("tuning"));
            }
        }
        json!({"cniVersion": version, "name": self.network, "plugins": plugins})
    }
}

const RESOLV_CONF: &str = "# a file\nnameserver 192.0.2.53\nnameserver 2001:db8::53\ndomain example.org
search a.example b.example\noptions ndots:2 edns0\n";

/// The interface `up0` of the node, and a default route through it.
const UPLINK: &str =
    "ip link set lo up; ip link add up0 type veth peer up1; ip link set up1 up; ip link set up0 up
    ip addr add 192.0.2.1/24 dev up0; ip route add default via 192.0.2.254;";

/// What is attached: two pods, each with the interface `eth0`.
pub(crate) struct World<'a> {
    arena: &'a Arena,
    case: &'a Case,
    side: Side,
    list: Value,
    node: Place,
    pods: [Place; 2],
    containers: [String; 2],
    /// What to call what differs from run to run.
    names: Vec<(String, String)>,
    state: State,
    /// Why it was refused, for each ADD that was.
    refused: Vec<String>,
}

impl<'a> World<'a> {
    pub(crate) fn new(arena: &'a Arena, case: &'a Case, version: &str, side: Side) -> Self {
        let pods = [Place::new(&case.pod), Place::new(&case.pod)];
        arena.prepare(&pods);
        let containers = [0, 1].map(|number| container(&arena.pod(number)));
        let mut names = Vec::new();
        for (number, container) in containers.iter().enumerate() {
            names.push((arena.pod(number), format!("PATH{number}")));
            names.push((container.clone(), format!("C{number}")));
        }
        names.push((arena.dir.path().display().to_string(), "DIR".to_owned()));
        names.push((arena.network.clone(), "NET".to_owned()));
        Self {
            list: arena.list(case, version),
            node: Place::new(&format!("{UPLINK} {}", case.node)),
            state: State::new(),
            refused: Vec::new(),
            arena,
            case,
            side,
            pods,
            containers,
            names,
        }
    }

    /// ADD and CHECK of every pod, STATUS, ADD once more, DEL twice, GC, and DEL of the other pod; the states
    /// before and after the first DEL.
    ///
    /// Where the ADD is to be refused, it and the DEL after it alone.
    pub(crate) fn life(mut self) -> (State, Vec<String>) {
        if self.case.refused.is_some() {
            self.verdict("add", 0, "add");
            self.verdict("del", 0, "del");
            self.look("deleted");
            return self.named();
        }
        for number in 0..self.pods.len() {
            self.attach(number);
        }
        self.verdict("status", 0, "status");
        self.verdict("add", 0, "add again");
        self.look("added");
        self.verdict("del", 0, "del");
        self.verdict("del", 0, "del again");
        self.verdict("gc", 0, "gc");
        self.look("deleted");
        self.verdict("del", 1, "del after gc");
        self.named()
    }

    /// The states with names for what differs from run to run, and why ADDs were refused.
    fn named(self) -> (State, Vec<String>) {
        let rename = |text: &str| {
            let named = self
                .names
                .iter()
                .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
            look::without_macs(&named)
        };
        let state = self
            .state
            .iter()
            .map(|(path, value)| (rename(path), rename(value)));
        (state.collect(), self.refused)
    }

    fn attach(&mut self, number: usize) {
        let result = self.verdict("add", number, "add");
        // At once, since with the next port their bridge may have another address.
        let result = self.checked_macs(number, result);
        look::flatten(&format!("result/{number}"), &result, &mut self.state);
        if let Some(end) = self.host_end(number) {
            self.names.push((end, format!("HOST{number}")));
        }
        self.verdict("check", number, "check");
    }

    /// Runs `verb` and notes whether it went well.
    fn verdict(&mut self, verb: &str, number: usize, name: &str) -> Value {
        let netns = self.arena.pod(number);
        let request = Request {
            list: &self.list,
            args: &self.case.args,
            capabilities: &self.case.capabilities,
            container: &self.containers[number],
            netns: &netns,
        };
        let outcome = self.node.inside(|| self.side.run(verb, &request));
        let verdict = if outcome.is_ok() { "good" } else { "refused" };
        self.state.insert(format!("{name}/{number}"), verdict.to_owned());
        outcome.unwrap_or_else(|error| {
            self.refused.extend((name == "add").then_some(error));
            Value::Null
        })
    }

    fn look(&mut self, when: &str) {
        let mut state = State::new();
        look::namespace("node", &self.node, &mut state);
        look::rules(&self.node, &mut state);
        for (number, pod) in self.pods.iter().enumerate() {
            look::namespace(&format!("pod{number}"), pod, &mut state);
        }
        files(&self.arena.data(), "file", &mut state);
        for container in &self.containers {
            let kept = Path::new(RESULTS).join(format!("{}-{container}-eth0", self.arena.network));
            let kept = fs::read(kept).unwrap_or_default();
            let kept: Value = serde_json::from_slice(&kept).unwrap_or_default();
            look::flatten(
                &format!("kept/{container}"),
                &without_interfaces(kept),
                &mut state,
            );
        }
        let state = state.into_iter();
        self.state
            .extend(state.map(|(path, value)| (format!("{when}/{path}"), value)));
    }

    /// The node's end of the pod's pair.
    fn host_end(&self, number: usize) -> Option<String> {
        let net = self.node.inside(Kernel::new);
        let inside = net.link(At::Netns(&self.pods[number].netns), "eth0").unwrap()?;
        let ends = net.links(At::Host).unwrap().into_iter();
        let mut ends = ends.filter(|link| link.name.starts_with("veth"));
        ends.find(|end| Some(end.index) == inside.parent)
            .map(|end| end.name)
    }

    /// `result` with `right` for each hardware address that the interface really has.
    fn checked_macs(&self, number: usize, mut result: Value) -> Value {
        let interfaces = result.get_mut("interfaces").and_then(Value::as_array_mut);
        for interface in interfaces.into_iter().flatten() {
            let inside = interface["sandbox"].is_string();
            let at = if inside { &self.pods[number] } else { &self.node };
            if look::mac(at, interface["name"].as_str().unwrap()) == interface["mac"] {
                interface["mac"] = json!("right");
            }
        }
        result
    }
}

/// What is kept of an attachment but for the interfaces, whose addresses [`World::checked_macs`] has seen.
fn without_interfaces(mut kept: Value) -> Value {
    if let Some(result) = kept.get_mut("result").and_then(Value::as_object_mut) {
        result.remove("interfaces");
    }
    kept
}

fn files(dir: &Path, at: &str, state: &mut State) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let at = format!("{at}/{}", entry.file_name().display());
        match fs::read_to_string(entry.path()) {
            Ok(content) => match serde_json::from_str(&content) {
                Ok(value @ Value::Object(_)) => look::flatten(&at, &value, state),
                _ => drop(state.insert(at, content)),
            },
            Err(_) => files(&entry.path(), &at, state),
        }
    }
}
