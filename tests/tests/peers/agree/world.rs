//! A node and its pods while plugins of one side work on them, and what they look like afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use cni_core::spec::NetnsPath;
use cni_net::netns::{Anonymous, within};
use cni_net::{Kernel, Namespaces, Netns};
use serde_json::{Value, json};

use super::look;

/// Every path of a state and its value; two states are the same if these are.
pub(crate) type State = BTreeMap<String, String>;

/// A namespace that lives as long as this value.
pub(crate) struct Place {
    path: String,
    netns: Netns,
    _held: Anonymous,
}

impl Place {
    fn new() -> Self {
        let held = Anonymous::new().unwrap();
        let netns = Kernel::new()
            .open(&NetnsPath::new(held.path().to_string()))
            .unwrap();
        Self {
            path: held.path().to_string(),
            netns,
            _held: held,
        }
    }

    /// Does `f` in the namespace; what it starts runs there too.
    pub(crate) fn inside<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        within(&self.netns, f).unwrap()
    }
}

/// What is attached: as many pods, each with the interface `eth0`.
pub(crate) struct World<'a> {
    plugins: &'a Path,
    config: Value,
    data: tempfile::TempDir,
    node: Place,
    pods: Vec<Place>,
    results: Vec<Value>,
}

impl<'a> World<'a> {
    /// A node with the interface `up0` and a default route through it, and two pods; the plugins of `plugins` and
    /// their configuration.
    pub(crate) fn new(plugins: &'a Path, config: &Value) -> Self {
        let (node, data, mut config) = (Place::new(), tempfile::tempdir().unwrap(), config.clone());
        config["cniVersion"] = json!("1.1.0");
        config["name"] = json!("agree");
        if config["ipam"]["type"] == "host-local" {
            config["ipam"]["dataDir"] = json!(data.path());
        }
        let setup =
            "ip link set lo up && ip link add up0 type veth peer up1 && ip link set up1 up && ip link set up0 up
            && ip addr add 192.0.2.1/24 dev up0 && ip route add default via 192.0.2.254";
        let made = node.inside(|| {
            Command::new("sh")
                .args(["-c", &setup.replace('\n', " ")])
                .status()
        });
        assert!(made.unwrap().success());
        Self {
            plugins,
            config,
            data,
            node,
            pods: vec![Place::new(), Place::new()],
            results: Vec::new(),
        }
    }

    /// ADD and CHECK of every pod, then DEL of each; the states before and, below `deleted`, after the DELs.
    pub(crate) fn life(mut self) -> State {
        let mut said = State::new();
        for number in 0..self.pods.len() {
            let result = self
                .call("ADD", number)
                .unwrap_or_else(|error| panic!("ADD: {error}"));
            // At once, since with the next port their bridge may have another address.
            let checked = self.checked_macs(number, &result);
            look::flatten(&format!("result/{}", number + 1), &checked, &mut said);
            self.results.push(result);
            let checked = self.call("CHECK", number).err();
            said.insert(
                format!("check/{}", number + 1),
                checked.unwrap_or_else(|| "good".to_owned()),
            );
        }
        let added = self.state();
        for number in 0..self.pods.len() {
            self.call("DEL", number)
                .unwrap_or_else(|error| panic!("DEL: {error}"));
        }
        let deleted = self.state().into_iter();
        let deleted = deleted.map(|(path, value)| (format!("deleted/{path}"), value));
        self.named(said.into_iter().chain(added).chain(deleted))
    }

    fn call(&self, verb: &str, number: usize) -> Result<Value, String> {
        let mut config = self.config.clone();
        if let Some(result) = self.results.get(number) {
            config["prevResult"] = result.clone();
        }
        let pod = &self.pods[number];
        let mut command = Command::new(self.plugins.join(config["type"].as_str().unwrap()));
        command.envs([
            ("CNI_COMMAND", verb),
            ("CNI_IFNAME", "eth0"),
            ("CNI_NETNS", &pod.path),
        ]);
        command.env("CNI_CONTAINERID", format!("c{}", number + 1));
        command.env("CNI_PATH", self.plugins);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let output = self.node.inside(|| {
            let mut child = command.spawn().unwrap();
            child
                .stdin
                .take()
                .unwrap()
                .write_all(config.to_string().as_bytes())
                .unwrap();
            child.wait_with_output().unwrap()
        });
        let text = String::from_utf8(output.stdout).unwrap();
        if !output.status.success() {
            return Err(text);
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn state(&self) -> State {
        let mut state = State::new();
        look::namespace("node", &self.node, &mut state);
        look::rules(&self.node, &mut state);
        for (number, pod) in self.pods.iter().enumerate() {
            look::namespace(&format!("pod{}", number + 1), pod, &mut state);
        }
        for entry in fs::read_dir(self.data.path().join("agree"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let content = fs::read_to_string(entry.path()).unwrap();
            state.insert(format!("file/{}", entry.file_name().display()), content);
        }
        state
    }

    /// `result` with `right` for each hardware address that the interface really has.
    fn checked_macs(&self, number: usize, result: &Value) -> Value {
        let mut result = result.clone();
        for interface in result["interfaces"].as_array_mut().into_iter().flatten() {
            let inside = interface["sandbox"].is_string();
            let at = if inside { &self.pods[number] } else { &self.node };
            if look::mac(at, interface["name"].as_str().unwrap()) == interface["mac"] {
                interface["mac"] = json!("right");
            }
        }
        result
    }

    /// `state` with names for what differs from run to run: namespaces, host ends, hardware addresses.
    fn named(&self, state: impl Iterator<Item = (String, String)>) -> State {
        let mut names: Vec<(String, String)> = Vec::new();
        for (number, pod) in self.pods.iter().enumerate() {
            names.push((pod.path.clone(), format!("PATH{}", number + 1)));
        }
        for (number, result) in self.results.iter().enumerate() {
            for interface in result["interfaces"].as_array().into_iter().flatten() {
                let name = interface["name"].as_str().unwrap_or_default();
                if name.starts_with("veth") && !interface["sandbox"].is_string() {
                    names.push((name.to_owned(), format!("HOST{}", number + 1)));
                }
            }
        }
        let rename = |text: String| {
            let renamed = names.iter().fold(text, |text, (from, to)| text.replace(from, to));
            look::without_macs(&renamed)
        };
        state.map(|(path, value)| (rename(path), rename(value))).collect()
    }
}
