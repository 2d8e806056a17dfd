//! cnitool drives the whole of Plexus, through the shim, as it is installed on a node.

use plexus_tests::host;
use plexus_tests::installed::{Installed, reserved};
use plexus_tests::pod::Pod;
use serde_json::{Value, json};

/// The versions of the runtime's list.
const VERSIONS: &[&str] = &["0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// The pod that a kubelet means.
const ARGS: &str = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=x";

/// A node with a default network and two others, all named after `name`, and `10.N.0.0/16` for addresses.
fn node(name: &str, n: u8) -> Installed {
    let node = Installed::new();
    let nad = |name: &str, namespace: &str, config: Value| {
        format!(
            "apiVersion: k8s.cni.cncf.io/v1\nkind: NetworkAttachmentDefinition\n\
             metadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  config: '{config}'\n---\n"
        )
    };
    let ipam = |third: u8| json!({"type": "host-local", "subnet": format!("10.{n}.{third}.0/24")});
    let default = json!({"cniVersion": "1.0.0", "name": name, "type": "bridge", "bridge": format!("{name}0"),
        "isDefaultGateway": true, "ipMasq": true, "ipMasqBackend": "nftables", "ipam": ipam(0)});
    let lab = json!({"cniVersion": "0.3.1", "name": format!("{name}-lab"), "type": "bridge",
        "bridge": format!("{name}1"), "ipam": ipam(1)});
    let blue = json!({"cniVersion": "1.0.0", "name": format!("{name}-blue"), "type": "vxlan", "vni": n,
        "port": 4700 + u16::from(n), "mtu": 1400, "peers": [], "capabilities": {"ips": true},
        "ipam": {"type": "static"}});
    let all = nad("default-network", "kube-system", default) + &nad("lab", "default", lab);
    node.nads("all.yaml", &(all + &nad("blue", "default", blue)));
    node
}

fn names(result: &Value) -> Vec<&str> {
    let interfaces = result["interfaces"].as_array().unwrap().iter();
    interfaces.map(|i| i["name"].as_str().unwrap()).collect()
}

#[track_caller]
fn assert_nothing_left(node: &Installed, name: &str) {
    assert_eq!(node.journals(), Vec::<String>::new());
    for network in ["", "-lab", "-blue"] {
        assert_eq!(reserved(&format!("{name}{network}")), Vec::<String>::new());
    }
    let mut segments = host::aliases();
    segments.retain(|alias| alias.contains(&format!("{name}-blue")));
    assert_eq!(segments, Vec::<String>::new());
}

#[test]
fn a_pod_lives_through_all_verbs_in_every_version() {
    let node = node("plxa", 81);
    node.pod(
        "web",
        r#"[{"name": "lab"}, {"name": "blue", "interface": "seg0", "ips": ["10.81.2.7/24"]}]"#,
    );
    for version in VERSIONS {
        let entry = node.entry(&json!({"clusterNetwork": "default-network"}));
        let tool = node.runtime(version, &entry).with_env("CNI_ARGS", ARGS);
        let pod = Pod::new();

        let result = tool.add(pod.path());
        assert_eq!(result["cniVersion"], *version, "{result}");
        assert_eq!(
            (names(&result)[0], names(&result)[2]),
            ("plxa0", "eth0"),
            "the default network's alone"
        );
        assert_eq!(pod.links(), ["lo", "eth0", "net1", "seg0"]);
        assert_eq!(
            pod.addresses("eth0"),
            [result["ips"][0]["address"].as_str().unwrap()]
        );
        assert_eq!(pod.addresses("seg0"), ["10.81.2.7/24"]);
        let has_check = *version != "0.3.1";
        assert_eq!(
            tool.output("check", pod.path()).status.success(),
            has_check,
            "check in {version}"
        );
        tool.run("status", pod.path());
        tool.run("del", pod.path());
        assert_eq!(pod.links(), ["lo"]);
        tool.run("del", pod.path());

        tool.add(pod.path());
        // Below 1.1.0 libcni sends the DELs that GC stands for itself.
        tool.run("gc", pod.path());
        assert_eq!(pod.links(), ["lo"]);
        assert_nothing_left(&node, "plxa");
        tool.run("del", pod.path());
    }
}

#[test]
fn check_fails_when_any_network_is_no_longer_as_add_made_it() {
    let node = node("plxb", 82);
    node.pod("web", "lab");
    let entry = node.entry(&json!({"clusterNetwork": "default-network"}));
    let tool = node.runtime("1.1.0", &entry).with_env("CNI_ARGS", ARGS);
    let pod = Pod::new();
    tool.add(pod.path());
    tool.run("check", pod.path());
    pod.delete("net1");
    let output = tool.output("check", pod.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("default/lab"),
        "{output:?}"
    );
    tool.run("del", pod.path());
    assert_nothing_left(&node, "plxb");
}

#[test]
fn del_needs_no_namespace_no_definition_and_no_pod() {
    let node = node("plxc", 83);
    node.pod(
        "web",
        r#"[{"name": "lab"}, {"name": "blue", "ips": ["10.83.2.7/24"]}]"#,
    );
    let entry = node.entry(&json!({"clusterNetwork": "default-network"}));
    let tool = node.runtime("1.0.0", &entry).with_env("CNI_ARGS", ARGS);

    // The namespace is gone, its path with it.
    let pod = Pod::new();
    let path = pod.path().to_owned();
    tool.add(&path);
    drop(pod);
    tool.run("del", &path);
    tool.run("del", &path);
    assert_nothing_left(&node, "plxc");

    // The definitions and the pod's file are gone, the policy is broken or not: the journal is enough.
    let pod = Pod::new();
    tool.add(pod.path());
    std::fs::remove_dir_all(node.path("nads")).unwrap();
    std::fs::remove_dir_all(node.path("pods")).unwrap();
    tool.run("del", pod.path());
    tool.run("del", pod.path());
    node.assert_nothing_in(&pod);
    assert_nothing_left(&node, "plxc");
}

#[test]
fn del_with_an_empty_or_without_a_namespace_succeeds() {
    for (n, netns) in [(84, None), (85, Some(""))] {
        let name = format!("plx{n}");
        let node = node(&name, n);
        let mut config = node.entry(&json!({"clusterNetwork": "default-network", "networks": "lab"}));
        config["cniVersion"] = json!("1.0.0");
        config["name"] = json!("pods");
        let pod = Pod::new();
        let id = [("CNI_CONTAINERID", name.as_str()), ("CNI_IFNAME", "eth0")];
        let call = |verb, netns: Option<&str>| {
            let netns = netns.map(|netns| ("CNI_NETNS", netns));
            let all: Vec<_> = [("CNI_COMMAND", verb)]
                .into_iter()
                .chain(id)
                .chain(netns)
                .collect();
            let output = node.shim(&config, &all);
            assert!(output.status.success(), "{verb}: {output:?}");
        };
        call("ADD", Some(pod.path()));
        assert_eq!(pod.links(), ["lo", "eth0", "net1"]);
        for _ in 0..2 {
            call("DEL", netns);
            assert_eq!(pod.links(), ["lo"], "found by the path of ADD");
            assert_nothing_left(&node, &name);
        }
    }
}

#[test]
fn a_pod_without_a_file_is_told_apart_from_one_that_asks_for_nothing() {
    let node = node("plxd", 86);
    let entry = node.entry(&json!({"clusterNetwork": "default-network"}));
    let tool = node.runtime("1.0.0", &entry).with_env("CNI_ARGS", ARGS);
    let pod = Pod::new();
    let output = tool.output("add", pod.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains(r#"find pod "default/web""#),
        "{output:?}"
    );
    assert_eq!(pod.links(), ["lo"]);

    let entry = node.entry(&json!({"clusterNetwork": "default-network", "networks": "lab"}));
    let tool = node.runtime("1.0.0", &entry).with_env("CNI_ARGS", ARGS);
    tool.add(pod.path());
    assert_eq!(pod.links(), ["lo", "eth0", "net1"]);
    tool.run("del", pod.path());
    assert_nothing_left(&node, "plxd");
}

#[test]
fn capability_arguments_of_the_runtime_reach_the_default_network_alone() {
    let node = Installed::new();
    let default = json!({"cniVersion": "1.0.0", "name": "plxe", "type": "bridge", "bridge": "plxe0",
        "capabilities": {"ips": true, "mac": true}, "ipam": {"type": "static"}});
    let second = json!({"cniVersion": "1.0.0", "name": "plxe-b", "type": "bridge", "bridge": "plxe1",
        "capabilities": {"ips": true, "mac": true},
        "ipam": {"type": "host-local", "subnet": "10.87.1.0/24"}});
    node.nads(
        "b.json",
        &json!({"kind": "NetworkAttachmentDefinition", "metadata": {"name": "b"},
        "spec": {"config": second.to_string()}})
        .to_string(),
    );
    node.pod("web", "b");
    let asked = json!({"ips": ["10.87.0.9/24"], "mac": "02:00:00:00:87:09"});
    let entry = node.entry(&json!({"delegates": [default]}));
    let tool = node
        .runtime("1.0.0", &entry)
        .with_env("CNI_ARGS", ARGS)
        .with_capabilities(&asked);
    let pod = Pod::new();
    let result = tool.add(pod.path());
    assert_eq!(pod.addresses("eth0"), ["10.87.0.9/24"]);
    assert_eq!(pod.addresses("net1"), ["10.87.1.2/24"]);
    assert_eq!(result["interfaces"][2]["mac"], "02:00:00:00:87:09");
    tool.run("del", pod.path());
    node.assert_nothing_in(&pod);
}
