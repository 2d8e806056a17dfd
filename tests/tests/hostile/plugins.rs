//! Plugins that do not keep to anything.

use std::process::Command;
use std::time::{Duration, Instant};

use plexus_tests::pod::Pod;
use serde_json::json;

use crate::node::Node;

/// Attaches a network whose plugin is `script`, in a node where a plugin has 500 ms; what is said.
#[track_caller]
fn attach(node: &Node, pod: &Pod, script: &str) -> String {
    let script = format!("#!/bin/sh\n[ $CNI_COMMAND = ADD ] || exit 0\n{script}\n");
    node.installed.plugin("wild", script.as_bytes());
    node.nad("wild", &json!({"cniVersion": "1.0.0", "type": "wild"}));
    let config = node.installed.path("config.json");
    std::fs::write(&config, r#"{"deadlines": {"plugin": "500ms"}}"#).unwrap();
    let mut command = node.attach("c1", pod, "lan,wild,spoof");
    command.arg("--config").arg(config);
    node.refused(command)
}

#[test]
fn whatever_a_plugin_answers_the_others_are_undone_and_it_is_named() {
    let node = Node::new();
    let pod = Pod::new();
    for (script, code, said) in [
        ("exit 0", 6, "no output"),
        ("echo hello", 6, "decode result"),
        ("echo '{\"cniVersion\":\"9.9.9\"}'", 6, "9.9.9"),
        (
            "echo '{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"x\"}]}'",
            6,
            "decode result",
        ),
        ("exit 3", 0, "netplugin failed"),
        ("echo oops; exit 3", 0, "oops"),
        ("head -c 100000 /dev/urandom; exit 3", 0, "no error object"),
        ("kill -9 $$", 0, "SIGKILL"),
        ("yes", 5, "wrote more than 16 MiB"),
        ("sleep 1000", 11, "did not end ADD in time"),
        (
            "trap '' TERM; sleep 1000 & sleep 1000",
            11,
            "did not end ADD in time",
        ),
        (
            r#"echo '{"code": 123, "msg": "its own"}'; exit 1"#,
            123,
            "its own",
        ),
        (r#"echo '{"code": "x", "msg": 1}'; exit 1"#, 0, "no error object"),
        (
            "printf '{\"code\": 7, \"msg\": \"'; head -c 3000000 /dev/zero | tr '\\0' x; echo '\"}'; exit 1",
            7,
            "xxx",
        ),
    ] {
        let text = attach(&node, &pod, script);
        assert!(text.contains(r#"network "default/wild""#), "{script}: {text}");
        assert!(
            text.contains(said) && text.ends_with(&format!("(code {code})\n")),
            "{script}: {text:.500}"
        );
        node.assert_clean(&[&pod]);
    }
}

#[test]
fn at_the_deadline_a_plugin_ends_with_all_that_it_started() {
    let node = Node::new();
    let pod = Pod::new();
    let started = Instant::now();
    let text = attach(
        &node,
        &pod,
        "trap '' TERM; sleep 98765 & sleep 98765 & sleep 98765",
    );
    assert!(text.contains("did not end ADD in time"), "{text}");
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(living("sleep 98765"), "");
    node.assert_clean(&[&pod]);
}

#[test]
fn a_plugin_that_hangs_in_status_is_named_in_time_and_leaves_no_process() {
    let node = Node::new();
    let script = "#!/bin/sh\ntrap '' TERM; sleep 87654 & sleep 87654; sleep 87654\n";
    node.installed.plugin("wild", script.as_bytes());
    let wild = json!({"cniVersion": "1.1.0", "name": "n", "type": "wild"});
    let mut entry = node.installed.entry(&json!({"delegates": [wild]}));
    entry["cniVersion"] = json!("1.1.0");
    entry["name"] = json!("pods");
    let started = Instant::now();
    let output = node.installed.shim(&entry, &[("CNI_COMMAND", "STATUS")]);
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["code"], 50);
    assert!(error["msg"].as_str().unwrap().contains(r#""wild""#), "{error}");
    assert_eq!(living("sleep 87654"), "");
}

/// The processes with this command line that have not ended.
fn living(command: &str) -> String {
    let found = Command::new("pgrep")
        .args(["-r", "R,S,D", "-f", command])
        .output()
        .unwrap();
    String::from_utf8(found.stdout).unwrap()
}

#[test]
fn a_del_that_always_fails_is_told_until_it_is_stuck_and_a_person_always() {
    let node = Node::new();
    let pod = Pod::new();
    let script = "#!/bin/sh\n[ $CNI_COMMAND = ADD ] && echo '{}' && exit 0\necho '{\"code\": 123, \"msg\": \"no\"}'; exit 1\n";
    node.installed.plugin("wild", script.as_bytes());
    node.nad("wild", &json!({"cniVersion": "1.0.0", "type": "wild"}));
    node.done(node.attach("c1", &pod, "wild,lan"));
    for _ in 0..12 {
        let text = node.refused(node.detach("c1"));
        assert!(
            text.contains("stuck") || text.contains(r#"network "default/wild""#),
            "{text}"
        );
    }
    assert_eq!(pod.links(), ["lo"], "the others are gone");
    let listed = node.output(node.installed.command(&["list"]));
    assert!(
        String::from_utf8_lossy(&listed.stdout).contains("stuck"),
        "{listed:?}"
    );
    node.installed.plugin("wild", b"#!/bin/sh\nexit 0\n");
    node.done(node.detach("c1"));
    node.assert_clean(&[&pod]);
}

#[test]
fn plexus_runs_itself_neither_in_a_chain_nor_for_addresses() {
    let node = Node::new();
    let pod = Pod::new();
    for config in [
        json!({"cniVersion": "1.0.0", "type": "plexus", "mode": "standalone"}),
        json!({"cniVersion": "1.0.0", "plugins": [{"type": "loopback"}, {"type": "multus-shim"}]}),
        json!({"cniVersion": "1.0.0", "type": "macvlan", "master": "up0", "ipam": {"type": "plexus"}}),
    ] {
        node.nad("self", &config);
        let text = node.refused(node.attach("c1", &pod, "self"));
        assert!(text.contains("which attaches networks itself (code 7)"), "{text}");
        node.assert_clean(&[&pod]);
    }
}

#[test]
fn the_hosts_own_namespace_is_left_alone() {
    let node = Node::new();
    let nads = node.installed.path("nads").display().to_string();
    let host = node.host().to_string();
    let all = [
        "attach",
        "--container-id",
        "c1",
        "--netns",
        &host,
        "--nads",
        &nads,
        "--networks",
        "lan",
    ];
    let text = node.refused(node.installed.command(&all));
    assert!(text.contains("host's own network namespace (code 8)"), "{text}");
    node.assert_clean(&[]);
}
