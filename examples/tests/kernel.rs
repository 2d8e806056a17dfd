//! The examples on the real kernel: each does what its page says, and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "shared/place.rs"]
mod place;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cni_core::spec::{Success, Version};
use cni_core::testkit::{Invocation, Leniency, Subject, conformance};
use place::example;
use plexus_tests::pod::Pod;
use plexus_tests::{host, plugins, program};
use serde_json::{Value, json};

/// A directory with the examples, and `host-local` for addresses.
struct Bin(tempfile::TempDir);

impl Bin {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for plugin in ["segment", "label", "both"] {
            symlink(example(plugin), dir.path().join(plugin)).unwrap();
        }
        symlink(plugins().join("host-local"), dir.path().join("host-local")).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `ipam` with the addresses of `subnet`.
    fn ipam(&self, subnet: &str) -> Value {
        json!({"type": "host-local", "subnet": subnet, "dataDir": self.path("addresses")})
    }

    /// Runs the runtime's `verb` for the list in the file `list`.
    fn runtime(&self, verb: &str, netns: Option<&str>) -> Output {
        let mut command = Command::new(example("runtime"));
        command
            .arg(verb)
            .arg(self.path("list.conflist"))
            .args(netns)
            .arg(self.path(""));
        command.output().unwrap()
    }

    #[track_caller]
    fn done(&self, verb: &str, netns: Option<&str>) -> String {
        let output = self.runtime(verb, netns);
        assert!(output.status.success(), "{verb}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn the_main_plugin_conforms() {
    let (bin, pod) = (Bin::new(), Pod::new());
    let config = json!({"name": "seg-c", "bridge": "exc0", "mtu": 1400, "ipam": bin.ipam("10.81.0.0/24")});
    let subject = Subject::new(bin.path("segment")).with_config(&config.to_string());
    conformance(subject.with_netns(pod.path())).assert();
    assert_eq!(pod.links(), ["lo"]);
}

#[test]
fn the_chained_plugin_conforms_and_sets_the_alias() {
    let (bin, pod) = (Bin::new(), Pod::new());
    let prev =
        json!({"interfaces": [{"name": "lo", "sandbox": pod.path()}], "ips": [{"address": "127.0.0.1/8"}]});
    let prev = Success::decode(Version::V1_1_0, prev.to_string().as_bytes()).unwrap();
    let subject = Subject::new(bin.path("label"))
        .with_config(r#"{"alias": "blue"}"#)
        .with_ifname("lo");
    // The alias goes with the interface, and this one stays.
    let subject = subject.lenient([Leniency::CheckAfterDel]);
    conformance(subject.with_netns(pod.path()).with_prev(prev)).assert();
    assert_eq!(pod.link("lo").alias.as_deref(), Some("blue"));
}

#[test]
fn the_runtime_runs_a_list_of_the_main_and_the_chained_plugin() {
    let (bin, pods) = (Bin::new(), [Pod::new(), Pod::new()]);
    let segment = json!({"type": "segment", "bridge": "exr0", "ipam": bin.ipam("10.82.0.0/24")});
    let list = json!({"cniVersion": "1.1.0", "name": "ex-r", "plugins": [segment, {"type": "label", "alias": "blue"}]});
    fs::write(bin.path("list.conflist"), list.to_string()).unwrap();
    bin.done("status", None);
    for (pod, address) in pods.iter().zip(["10.82.0.2/24", "10.82.0.3/24"]) {
        let result: Value = serde_json::from_str(&bin.done("add", Some(pod.path()))).unwrap();
        assert_eq!(result["ips"][0]["address"], address);
        assert_eq!(pod.addresses("eth0"), [address]);
        assert_eq!(pod.link("eth0").alias.as_deref(), Some("blue"));
        assert!(pod.is_up("eth0"));
        assert!(!bin.runtime("add", Some(pod.path())).status.success());
        bin.done("check", Some(pod.path()));
    }
    let ports = || {
        host::links()
            .into_iter()
            .filter(|link| link.starts_with("seg"))
            .count()
    };
    assert_eq!(ports(), 2);

    let [first, second] = pods;
    first.delete("eth0");
    assert!(!bin.runtime("check", Some(first.path())).status.success());
    for _ in 0..2 {
        bin.done("del", Some(first.path()));
    }
    // Gone without a DEL: GC finds what it held.
    drop(second);
    bin.done("gc", None);
    let left = fs::read_dir(bin.path("addresses/ex-r"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().starts_with("10."))
        .collect();
    assert_eq!((left, ports()), (Vec::new(), 0));
}

#[test]
fn the_runtime_says_what_is_wrong() {
    let bin = Bin::new();
    fs::write(
        bin.path("list.conflist"),
        r#"{"cniVersion":"1.1.0","name":"n","plugins":[{"type":"absent"}]}"#,
    )
    .unwrap();
    let pod = Pod::new();
    for (verb, netns, text) in [("add", Some(pod.path()), "absent"), ("attach", None, "usage")] {
        let output = bin.runtime(verb, netns);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && told.contains(text) && output.stdout.is_empty(),
            "{verb}: {told}"
        );
    }
}

#[test]
fn the_meta_plugin_attaches_two_networks_and_conforms() {
    let (bin, pod) = (Bin::new(), Pod::new());
    let network = |name: &str, bridge: &str, subnet: &str| {
        let plugin = json!({"type": "bridge", "bridge": bridge, "ipam": bin.ipam(subnet)});
        json!({"cniVersion": "1.1.0", "name": name, "plugins": [plugin]})
    };
    let config = json!({
        "cniVersion": "1.1.0", "name": "ex-both", "stateDir": bin.path("state"), "secondInterface": "net1",
        "first": network("ex-first", "exb0", "10.83.0.0/24"), "second": network("ex-second", "exb1", "10.84.0.0/24"),
    });
    let call = |verb: &str| {
        let call = Invocation::new(verb)
            .with_env("CNI_NETNS", pod.path())
            .with_env("CNI_PATH", bin.path(""));
        call.exec(&bin.path("both"), config.to_string()).unwrap()
    };
    assert_eq!(
        call("ADD").result().unwrap().ips[0].address.to_string(),
        "10.83.0.2/24"
    );
    assert_eq!(pod.addresses("eth0"), ["10.83.0.2/24"]);
    assert_eq!(pod.addresses("net1"), ["10.84.0.2/24"]);
    call("CHECK").done().unwrap();
    pod.delete("net1");
    assert!(call("CHECK").done().is_err());
    call("DEL").done().unwrap();
    assert_eq!(pod.links(), ["lo"]);

    let subject = Subject::new(bin.path("both")).with_config(&config.to_string());
    conformance(subject.with_netns(pod.path())).assert();
    assert_eq!(pod.links(), ["lo"]);
}

/// What a page has its reader type, but for building; run with mounts and a network of its own.
fn typed(folder: &str, scratch: &Path) -> Output {
    let page = fs::read_to_string(place::folder(folder).join("README.md")).unwrap();
    let blocks = page
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let lines: Vec<&str> = blocks
        .flat_map(str::lines)
        .filter(|line| !line.starts_with("cargo build"))
        .collect();
    let examples = example("runtime").parent().unwrap().display().to_string();
    let script = lines.join("\n").replace("target/release/examples", &examples);
    let script = script.replace(
        "target/release/cni-plugins",
        &program("cni-plugins").display().to_string(),
    );
    let script = script.replace("/tmp/cni", &scratch.display().to_string());
    let own = "for own in /run/netns /var/lib/cni; do mkdir -p $own; mount -t tmpfs tmpfs $own; done";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "sh", "-exc", &format!("{own}\n{script}")]);
    command.output().unwrap()
}

#[test]
fn the_commands_of_each_page_work() {
    let seen = [
        ("main-plugin", "10.9.0.2/24"),
        ("chained-plugin", "alias blue"),
        ("dylib-plugin", "10.9.0.2"),
        ("runtime", "10.9.0.1"),
        ("meta-plugin", "10.9.2.2/24"),
    ];
    // The chained plugin's page counts on what the main plugin's has put there.
    let scratch = tempfile::tempdir().unwrap();
    for (folder, text) in seen {
        let output = typed(folder, scratch.path());
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && stdout.contains(text),
            "{folder}: {output:?}"
        );
    }
}
