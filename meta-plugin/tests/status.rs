//! `plexus status`, as a person or a script uses it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// What is on the disk of a node; `no` is an executable that is never ready.
struct Node(tempfile::TempDir);

impl Node {
    /// A node with a conflist in which `plugins` are, of which `DIR` is the node's directory.
    fn new(plugins: &Value) -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        let config = json!({ "cniVersion": "1.1.0", "type": "loopback" }).to_string();
        node.write(
            "nads/cluster.yaml",
            &json!({ "kind": "NetworkAttachmentDefinition", "spec": { "config": config },
                "metadata": { "name": "cluster", "namespace": "kube-system" } })
            .to_string(),
        );
        let no = r#"#!/bin/sh
echo '{ "cniVersion": "1.1.0", "code": 50, "msg": "the switch is off" }'
exit 1
"#;
        node.write("bin/no", no);
        fs::set_permissions(node.path("bin/no"), fs::Permissions::from_mode(0o755)).unwrap();
        // An older one, for which a runtime sends no STATUS.
        let list = json!({ "cniVersion": "0.4.0", "name": "pods", "plugins": plugins });
        let here = node.path("").display().to_string();
        node.write("conflist", &list.to_string().replace("DIR/", &here));
        node
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
    }

    fn status(&self, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plexus"));
        command.arg("status").arg(self.path("conflist")).args(more);
        command.env("CNI_PATH", self.path("bin"));
        command.output().unwrap()
    }

    /// Asserts that the node is not ready, and what people and programs are told.
    #[track_caller]
    fn check_error(&self, code: u32, part: &str) {
        let for_people = self.status(&[]);
        let text = String::from_utf8_lossy(&for_people.stderr);
        assert_eq!(for_people.status.code(), Some(1), "{text}");
        assert!(
            text.contains(part) && text.contains(&format!("(code {code})")),
            "{text}"
        );
        let for_programs = self.status(&["--output", "json"]);
        let error: Value = serde_json::from_slice(&for_programs.stdout).unwrap();
        assert_eq!(
            (for_programs.status.code(), &error["code"]),
            (Some(1), &json!(code))
        );
        assert!(error["msg"].as_str().unwrap().contains(part), "{error}");
    }
}

/// The entry for Plexus, with `more` keys.
fn entry(more: Value) -> Value {
    let mut entry = json!({ "type": "plexus", "mode": "standalone", "stateDir": "DIR/state" });
    entry
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    entry
}

fn named() -> Value {
    entry(json!({ "clusterNetwork": "cluster", "nads": "DIR/nads" }))
}

#[test]
fn a_node_is_ready_while_its_default_network_is() {
    let node = Node::new(&json!([{ "type": "other" }, named()]));
    let output = node.status(&[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "network \"pods\" is ready\n"
    );
    let answer: Value = serde_json::from_slice(&node.status(&["--output", "json"]).stdout).unwrap();
    assert_eq!(answer, json!({ "network": "pods", "ready": true }));
    fs::remove_file(node.path("nads/cluster.yaml")).unwrap();
    node.check_error(170, r#"cluster network: find network "cluster""#);
    assert!(!node.path("state").exists());
}

#[test]
fn a_plugin_that_says_no_is_heard() {
    let no = json!({ "cniVersion": "1.1.0", "name": "d", "type": "no" });
    Node::new(&json!([entry(json!({ "delegates": [no] }))])).check_error(50, "the switch is off");
}

#[test]
fn what_is_wrong_with_the_files_is_said() {
    Node::new(&json!([entry(json!({}))])).check_error(7, r#"key "clusterNetwork" is missing"#);
    Node::new(&json!([{ "type": "other" }])).check_error(7, r#"conflist" has no plugin of type "plexus""#);
    let node = Node::new(&json!([named()]));
    let absent = node.path("config.json");
    let absent = absent.to_str().unwrap();
    let said = |output: Output| String::from_utf8(output.stderr).unwrap();
    assert!(said(node.status(&["--config", absent])).contains(absent));
    node.write("config.json", r#"{ "external": ["loopback"] }"#);
    assert!(said(node.status(&["--config", absent])).contains("loopback"));
    fs::remove_file(node.path("conflist")).unwrap();
    node.check_error(7, "conflist");
}
