//! Plugins that are not ours, in the same plan.

use std::process::{Command, Stdio};

use plexus_tests::installed::{Installed, reserved};
use plexus_tests::peers;
use plexus_tests::pod::Pod;
use serde_json::{Value, json};

/// Notes each call, and on ADD hands on what came before it, or makes a result of its own.
const SCRIPT: &str = r#"#!/bin/sh
config=$(cat)
echo "$CNI_COMMAND $CNI_IFNAME $config" >> LOG
case $CNI_COMMAND in
VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.3.1","0.4.0","1.0.0"]}' ;;
ADD)
  prev=$(printf %s "$config" | sed -n 's/.*"prevResult":\({.*}\)}$/\1/p')
  if [ -n "$prev" ]; then echo "$prev"; else echo '{"cniVersion":"1.0.0","ips":[{"address":"192.0.2.9/32"}]}'; fi ;;
esac
"#;

fn node() -> Installed {
    let node = Installed::new();
    let log = node.path("log");
    node.plugin(
        "scripted",
        SCRIPT.replace("LOG", log.to_str().unwrap()).as_bytes(),
    );
    for name in ["bridge", "macvlan", "host-local"] {
        let reference = std::fs::read(peers().join(name)).unwrap();
        node.plugin(&format!("reference-{name}"), &reference);
    }
    node
}

fn nad(name: &str, config: &Value) -> String {
    let spec = json!({"config": config.to_string()});
    json!({"kind": "NetworkAttachmentDefinition", "metadata": {"name": name}, "spec": spec}).to_string()
}

#[track_caller]
fn log(node: &Installed) -> Vec<String> {
    let path = node.path("log");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    drop(std::fs::remove_file(&path));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn scripts_and_the_references_programs_run_through_the_same_plan() {
    let node = node();
    let ipam = json!({"type": "reference-host-local", "subnet": "10.96.1.0/24"});
    let chain = json!({"cniVersion": "1.0.0", "name": "thp-chain", "plugins": [
        {"type": "reference-bridge", "bridge": "thp1", "ipam": ipam},
        {"type": "scripted", "capabilities": {"mac": true}, "key": "kept"}]});
    node.nads("chain.json", &nad("chain", &chain));
    node.nads(
        "script.json",
        &nad("script", &json!({"cniVersion": "1.0.0", "type": "scripted"})),
    );
    let ipam = json!({"type": "host-local", "subnet": "10.96.0.0/24"});
    let default =
        json!({"cniVersion": "1.0.0", "name": "thp", "type": "bridge", "bridge": "thp0", "ipam": ipam});
    let networks = r#"[{"name":"chain","mac":"02:00:00:00:96:01"},{"name":"script"}]"#;
    let entry = node.entry(&json!({"delegates": [default], "networks": networks}));
    let tool = node.runtime("1.1.0", &entry);
    let pod = Pod::new();

    tool.add(pod.path());
    assert_eq!(pod.links(), ["lo", "eth0", "net1"]);
    assert_eq!(pod.addresses("net1"), ["10.96.1.2/24"]);
    assert_eq!(reserved("thp-chain"), ["10.96.1.2"]);
    let calls: Vec<String> = log(&node)
        .into_iter()
        .filter(|call| call.starts_with("ADD"))
        .collect();
    assert_eq!(calls.len(), 2, "{calls:?}");
    for part in [
        r#""key":"kept""#,
        r#""runtimeConfig":{"mac":"02:00:00:00:96:01"}"#,
        r#""prevResult":{"#,
    ] {
        assert!(calls[0].contains(part), "{part}: {}", calls[0]);
    }
    assert!(calls[1].starts_with("ADD net2"), "{}", calls[1]);

    tool.run("check", pod.path());
    assert_eq!(
        log(&node).iter().filter(|call| call.starts_with("CHECK")).count(),
        2
    );
    // The reference's programs need the namespace no more than ours.
    let path = pod.path().to_owned();
    drop(pod);
    std::fs::remove_dir_all(node.path("nads")).unwrap();
    tool.run("del", &path);
    let dels: Vec<String> = log(&node)
        .into_iter()
        .filter(|call| call.starts_with("DEL"))
        .collect();
    assert_eq!(dels.len(), 2, "{dels:?}");
    assert!(
        dels[0].starts_with("DEL net2") && dels[1].starts_with("DEL net1"),
        "newest first: {dels:?}"
    );
    assert!(dels.iter().all(|call| call.contains("prevResult")), "{dels:?}");
    assert_eq!(reserved("thp-chain"), Vec::<String>::new());
    assert_eq!(node.journals(), Vec::<String>::new());
    tool.run("del", &path);
    assert_eq!(log(&node), Vec::<String>::new());
}

/// Runs `command` with `policy` as `/etc/plexus/config.json`, in a mount namespace of its own.
fn with_policy(command: &Command, policy: &str) -> Command {
    let script = r#"set -e; mount -t tmpfs tmpfs /etc; mkdir /etc/plexus
        printf %s "$POLICY" > /etc/plexus/config.json; exec "$@""#;
    let mut inside = Command::new("unshare");
    inside
        .args(["--mount", "--", "sh", "-c", script, "sh"])
        .arg(command.get_program());
    inside.args(command.get_args()).env("POLICY", policy);
    for (name, value) in command.get_envs() {
        inside.env(name, value.unwrap());
    }
    inside
}

#[test]
fn external_in_the_policy_has_the_file_run_in_place_of_what_is_linked_in() {
    let node = node();
    for name in ["bridge", "host-local"] {
        // Whether the file ran is told by its own mark: it notes each call, then becomes the reference's.
        let log = node.path("log");
        let reference = peers().join(name);
        let wrapper = format!(
            "#!/bin/sh\necho \"$CNI_COMMAND {name}\" >> {}\nexec {}\n",
            log.display(),
            reference.display()
        );
        node.plugin(name, wrapper.as_bytes());
    }
    let ipam = json!({"type": "host-local", "subnet": "10.97.0.0/24"});
    let default =
        json!({"cniVersion": "1.0.0", "name": "thx", "type": "bridge", "bridge": "thx0", "ipam": ipam});
    let tool = node.runtime("1.0.0", &node.entry(&json!({"delegates": [default]})));
    let run = |verb: &str, pod: &Pod, policy: &str| {
        let output = with_policy(&tool.command(verb, pod.path()), policy)
            .output()
            .unwrap();
        assert!(output.status.success(), "{verb}: {output:?}");
        log(&node)
    };
    let (external, nothing) = (r#"{"external": ["bridge"]}"#, "{}");
    let pod = Pod::new();
    assert_eq!(run("add", &pod, nothing), Vec::<String>::new());
    assert_eq!(
        run("del", &pod, external),
        Vec::<String>::new(),
        "DEL uses what ADD used"
    );
    node.assert_nothing_in(&pod);
    // The reference's bridge calls the IPAM plugin as a file too.
    assert_eq!(run("add", &pod, external), ["ADD bridge", "ADD host-local"]);
    assert_eq!(pod.addresses("eth0").len(), 1);
    assert_eq!(run("del", &pod, nothing), ["DEL bridge", "DEL host-local"]);
    node.assert_nothing_in(&pod);
    assert_eq!(reserved("thx"), Vec::<String>::new());
}

#[test]
fn killed_while_the_references_programs_run_a_del_leaves_nothing() {
    let node = node();
    let ipam = json!({"type": "reference-host-local", "subnet": "10.98.0.0/24"});
    let default = json!({"cniVersion": "1.0.0", "name": "thk", "plugins": [
        {"type": "reference-bridge", "bridge": "thk0", "ipam": ipam}]});
    node.nads("default.json", &nad("default", &default));
    let nads = node.path("nads").display().to_string();
    for round in 0..20 {
        let pod = Pod::new();
        let networks = [
            "attach",
            "--container-id",
            "thk",
            "--nads",
            &nads,
            "--networks",
            "default,default",
        ];
        let mut attach = node.command(&[&networks[..], &["--netns", pod.path()]].concat());
        let mut child = attach
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(5 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let output = node
            .command(&["detach", "--container-id", "thk"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        node.assert_nothing_in(&pod);
        assert_eq!(reserved("thk"), Vec::<String>::new(), "round {round}");
    }
}
