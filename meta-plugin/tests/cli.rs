//! The command line on a real kernel, as a person or a script uses it. These tests need root.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cni_net::netns::{Anonymous, within};
use cni_net::{At, Kernel, Links, Namespaces, Netns};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A host and a pod, each a fresh namespace without a name, and a directory for everything on disk.
struct Machine {
    host: Netns,
    pod: Anonymous,
    dir: TempDir,
    _host: Anonymous,
}

/// The default network, as the first network of a node is configured in most places.
const CBR0: &str = r#"
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: cbr0, namespace: kube-system}
spec:
  config: |
    {"cniVersion": "1.0.0", "type": "bridge", "bridge": "cbr0", "isGateway": true, "ipam": {"type": "host-local",
     "subnet": "10.88.0.0/24", "dataDir": "DIR/host-local", "routes": [{"dst": "0.0.0.0/0"}]}}
"#;

/// In the style of the documentation of Multus: 0.3.x, a configuration in quotes, one with capabilities.
const NADS: &str = r#"
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: macvlan-conf
spec:
  config: '{
      "cniVersion": "0.3.0",
      "type": "macvlan",
      "master": "cbr0",
      "mode": "bridge",
      "ipam": {
        "type": "host-local",
        "subnet": "192.168.1.0/24",
        "rangeStart": "192.168.1.200",
        "rangeEnd": "192.168.1.216",
        "routes": [ { "dst": "0.0.0.0/0" } ],
        "gateway": "192.168.1.1",
        "dataDir": "DIR/host-local"
      }
    }'
---
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: static-bridge
spec:
  config: '{ "cniVersion": "0.3.1", "plugins": [{ "type": "bridge", "bridge": "br1",
      "capabilities": { "ips": true }, "ipam": { "type": "static" } }] }'
"#;

/// There too: one plugin gives the address, the next in the list the hardware address.
const TUNED: &str = r#"
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: tuned-macvlan
spec:
  config: '{
      "cniVersion": "0.3.1",
      "plugins": [
        {
          "type": "macvlan",
          "capabilities": { "ips": true },
          "master": "cbr0",
          "mode": "bridge",
          "ipam": { "type": "static", "routes": [ { "dst": "0.0.0.0/0", "gw": "10.1.1.1" } ] }
        },
        { "capabilities": { "mac": true }, "type": "tuning", "dataDir": "DIR/tuning" }
      ]
    }'
---
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: tuned-bridge
spec:
  config: '{ "cniVersion": "0.4.0", "plugins": [
      { "type": "bridge", "bridge": "br2", "capabilities": { "ips": true }, "ipam": { "type": "static" } },
      { "type": "tuning", "capabilities": { "mac": true }, "mtu": 1400, "dataDir": "DIR/tuning" } ] }'
"#;

impl Machine {
    fn new() -> Self {
        let host = Anonymous::new().expect("these tests need root");
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("nads")).unwrap();
        fs::write(dir.path().join("config.json"), "{}").unwrap();
        let here = dir.path().to_str().unwrap();
        for (name, text) in [("cbr0.yaml", CBR0), ("nads.yaml", NADS), ("tuned.yaml", TUNED)] {
            fs::write(dir.path().join("nads").join(name), text.replace("DIR", here)).unwrap();
        }
        Self {
            host: Kernel::new().open(host.path()).unwrap(),
            pod: Anonymous::new().unwrap(),
            dir,
            _host: host,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plexus"));
        command.args(args).env_remove("CNI_COMMAND");
        if !matches!(args.first(), Some(&"validate" | &"version")) {
            command.arg("--state-dir").arg(self.path("state"));
        }
        if matches!(args.first(), Some(&"attach" | &"check" | &"detach")) {
            command.arg("--config").arg(self.path("config.json"));
        }
        within(&self.host, move || command.output().unwrap()).unwrap()
    }

    fn attach(&self, args: &[&str]) -> Output {
        let (netns, nads) = (self.pod.path().as_path().display().to_string(), self.path("nads"));
        let mut all = vec!["attach", "--netns", &netns, "--nads", nads.to_str().unwrap()];
        all.extend([
            "--container-id",
            "c1",
            "--cluster-network",
            "cbr0",
            "--output",
            "json",
        ]);
        all.extend(args);
        self.run(&all)
    }

    fn list(&self) -> Value {
        json_of(&self.run(&["list", "--output", "json"]))
    }
}

#[track_caller]
fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

/// The keys of each entry that do not differ from run to run.
fn steady(entries: &Value) -> Vec<Value> {
    let entries = entries.as_array().unwrap().iter();
    let keys = ["name", "interface", "ips", "default", "default-route"];
    entries
        .map(|entry| {
            keys.iter()
                .filter_map(|key| Some((*key, entry.get(key)?.clone())))
                .collect()
        })
        .collect()
}

#[test]
fn attach_check_list_and_detach_as_the_documentation_has_it() {
    let machine = Machine::new();
    let networks = r#"[{"name":"macvlan-conf","default-route":["192.168.1.1"]},
        {"name":"static-bridge","interface":"fix0","ips":["10.9.0.5/24"]}]"#;
    let status = json_of(&machine.attach(&["--networks", networks]));
    assert_eq!(
        steady(&status),
        [
            json!({"name":"kube-system/cbr0","interface":"eth0","ips":["10.88.0.2"],"default":true}),
            json!({"name":"default/macvlan-conf","interface":"net1","ips":["192.168.1.200"],"default-route":["192.168.1.1"]}),
            json!({"name":"default/static-bridge","interface":"fix0","ips":["10.9.0.5"]}),
        ]
    );
    assert!(machine.run(&["check", "--container-id", "c1"]).status.success());
    let states: Vec<_> = machine
        .list()
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["state"].clone())
        .collect();
    assert_eq!(states, ["attached"; 3]);
    for _ in 0..2 {
        assert!(machine.run(&["detach", "--container-id", "c1"]).status.success());
        assert_eq!(machine.list(), json!([]));
    }
}

#[test]
fn tuning_gives_the_hardware_address_that_is_asked_for() {
    let machine = Machine::new();
    let networks = r#"[
        {"name":"tuned-macvlan","ips":["10.1.1.101/24"],"mac":"c2:b0:57:49:47:f1","gateway":["10.1.1.1"]},
        {"name":"tuned-bridge","ips":["10.1.2.101/24"],"mac":"C2:B0:57:49:47:F2"}]"#;
    let status = json_of(&machine.attach(&["--networks", networks]));
    let kernel = Kernel::new();
    let pod = kernel.open(machine.pod.path()).unwrap();
    for (at, ifname, ip, mac, mtu) in [
        (1, "net1", "10.1.1.101", "c2:b0:57:49:47:f1", 1500),
        (2, "net2", "10.1.2.101", "c2:b0:57:49:47:f2", 1400),
    ] {
        let entry = &status[at];
        assert_eq!(
            (&entry["interface"], &entry["ips"]),
            (&json!(ifname), &json!([ip]))
        );
        assert_eq!(entry["mac"], mac);
        let link = kernel.link(At::Netns(&pod), ifname).unwrap().unwrap();
        assert_eq!((link.mac.unwrap().to_string().as_str(), link.mtu), (mac, mtu));
    }
    let files = || fs::read_dir(machine.path("tuning")).unwrap().count();
    assert_eq!(files(), 2);
    assert!(machine.run(&["check", "--container-id", "c1"]).status.success());
    assert!(machine.run(&["detach", "--container-id", "c1"]).status.success());
    assert_eq!((files(), machine.list()), (0, json!([])));
}

#[test]
fn the_comma_form_and_a_pod_file_do_the_same() {
    let machine = Machine::new();
    let status = json_of(&machine.attach(&["--networks", "macvlan-conf@eth1, default/macvlan-conf"]));
    let names: Vec<_> = status
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["interface"].clone())
        .collect();
    assert_eq!(names, ["eth0", "eth1", "net2"]);
    assert!(machine.run(&["detach", "--container-id", "c1"]).status.success());
    let pod = machine.path("pod.yaml");
    let text =
        "kind: Pod\nmetadata:\n  name: p\n  annotations: {k8s.v1.cni.cncf.io/networks: macvlan-conf}\n";
    fs::write(&pod, text).unwrap();
    let status = json_of(&machine.attach(&["--pod", pod.to_str().unwrap()]));
    assert_eq!(status.as_array().unwrap().len(), 2);
    fs::remove_dir_all(machine.path("nads")).unwrap();
    let netns = machine.pod.path().as_path().display().to_string();
    assert!(
        machine
            .run(&["detach", "--container-id", "c1", "--netns", &netns])
            .status
            .success()
    );
}

#[test]
fn ips_without_the_capability_fail_and_leave_nothing() {
    let machine = Machine::new();
    let output = machine.attach(&[
        "--networks",
        r#"[{"name":"macvlan-conf","ips":["192.168.1.205/24"]}]"#,
    ]);
    assert_eq!(output.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["code"], 2);
    let msg = error["msg"].as_str().unwrap();
    assert!(
        msg.contains("element 1") && msg.contains("default/macvlan-conf") && msg.contains("\"ips\""),
        "{msg}"
    );
    assert_eq!(machine.list(), json!([]));
    fs::write(machine.path("config.json"), r#"{"capabilityCheck":"warn"}"#).unwrap();
    let output = machine.attach(&[
        "--networks",
        r#"[{"name":"macvlan-conf","ips":["192.168.1.205/24"]}]"#,
    ]);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("capability \"ips\""),
        "{output:?}"
    );
    json_of(&output);
    assert!(machine.run(&["detach", "--container-id", "c1"]).status.success());
}

#[test]
fn without_an_id_the_namespace_names_the_container() {
    let machine = Machine::new();
    let netns = machine.pod.path().as_path().display().to_string();
    let nads = machine.path("nads");
    let nads = nads.to_str().unwrap();
    let output = machine.run(&[
        "attach",
        "--netns",
        &netns,
        "--nads",
        nads,
        "--cluster-network",
        "cbr0",
    ]);
    let table = String::from_utf8(output.stdout.clone()).unwrap();
    let head = table.lines().next().unwrap();
    assert!(
        head.starts_with("INTERFACE  NETWORK") && head.ends_with("MAC                DEFAULT NETWORK"),
        "{output:?}"
    );
    assert!(
        table.contains("eth0       kube-system/cbr0  10.88.0.2"),
        "{table}"
    );
    assert!(output.stderr.is_empty(), "progress is for terminals: {output:?}");
    assert!(machine.run(&["check", "--netns", &netns]).status.success());
    assert!(machine.run(&["detach", "--netns", &netns]).status.success());
    assert_eq!(machine.run(&["check", "--netns", &netns]).status.code(), Some(1));
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let machine = Machine::new();
    for (args, code, said) in [
        (&["atach"][..], 2, "attach"),
        (&["detach"], 2, "--container-id"),
        (&["detach", "--container-id", "a/b"], 2, "container id"),
        (
            &["attach", "--netns", "/absent", "--pod-name", "A"],
            2,
            "pod name",
        ),
        (&["attach", "--netns", "/absent"], 1, "nothing to attach"),
        (
            &["attach", "--netns", "/absent", "--cluster-network", "x"],
            1,
            "kube-system/x",
        ),
    ] {
        let output = machine.run(args);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(said),
            "{said}: {output:?}"
        );
    }
    fs::write(machine.path("config.json"), r#"{"capabilityChek":"warn"}"#).unwrap();
    let output = machine.attach(&[]);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("capabilityCheck"),
        "{output:?}"
    );
    fs::remove_file(machine.path("config.json")).unwrap();
    let output = machine.attach(&[]);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("config.json"),
        "a policy that was named and is not there: {output:?}"
    );
}

#[test]
fn validate_names_file_place_and_fault() {
    let machine = Machine::new();
    let good = machine.path("nads/nads.yaml");
    let bad = machine.path("bad.yaml");
    fs::write(
        &bad,
        "kind: NetworkAttachmentDefinition\nmetadata: {name: n}\nspec: {config: '{}'}",
    )
    .unwrap();
    let validate = |files: &[&Path]| {
        let files = files.iter().map(|file| file.to_str().unwrap());
        machine.run(&std::iter::once("validate").chain(files).collect::<Vec<_>>())
    };
    assert_eq!(validate(&[&good]).stdout, b"no problems (2 looked into)\n");
    let output = validate(&[&good, &bad]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("bad.yaml: object 1, NetworkAttachmentDefinition \"n\": spec.config: missing 'type'"),
        "{text}"
    );
}

#[test]
fn with_a_cni_command_and_no_arguments_it_is_a_plugin() {
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plexus"));
        command
            .args(args)
            .env("CNI_COMMAND", "VERSION")
            .stdin(std::process::Stdio::null());
        command.output().unwrap()
    };
    assert_eq!(json_of(&run(&[]))["cniVersion"], "1.1.0");
    assert!(run(&["version"]).stdout.starts_with(b"plexus "));
    let help = String::from_utf8(run(&["attach", "--help"]).stdout).unwrap();
    for said in ["CNI_PATH", "/opt/cni/bin", "--nads", "confDir"] {
        assert!(help.contains(said), "{said}: {help}");
    }
}
