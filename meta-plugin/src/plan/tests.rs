use std::path::Path;

use cni_core::spec::{ConfList, Error};

use super::*;
use crate::config::CapabilityCheck;
use crate::npwg::nad;

/// Definitions `namespace/name: config` that every test has.
const NADS: &[(&str, &str, &str)] = &[
    (
        "kube-system",
        "cbr0",
        r#"{"cniVersion":"1.0.0","name":"cbr0-net","type":"bridge"}"#,
    ),
    (
        "kube-system",
        "other",
        r#"{"type":"ptp","capabilities":{"ips":true,"mac":true}}"#,
    ),
    ("pods", "a", r#"{"cniVersion":"0.3.1","type":"macvlan"}"#),
    ("pods", "b", r#"{"type":"bridge"}"#),
    (
        "pods",
        "able",
        r#"{"plugins":[{"type":"x","capabilities":{"ips":true,"mac":true,"bandwidth":false}},
        {"type":"y","capabilities":{"portMappings":true,"bandwidth":true,"infinibandGUID":true,"deviceID":true}}]}"#,
    ),
    (
        "pods",
        "args",
        r#"{"plugins":[{"type":"x","args":{"cni":{"a":1,"b":1},"own":{"k":1.0}}},{"type":"y"}]}"#,
    ),
    ("pods", "badargs", r#"{"type":"x","args":{"cni":[1]}}"#),
    (
        "pods",
        "loop",
        r#"{"plugins":[{"type":"bridge"},{"type":"multus"}]}"#,
    ),
    ("pods", "broken", r#"{"plugins":5}"#),
    ("pods", "on-disk", ""),
    ("default", "shared", r#"{"type":"bridge"}"#),
    ("far", "c", r#"{"type":"bridge"}"#),
];

/// A pod `pods/p`, and everything else that a plan is made from.
struct World {
    pod: Pod,
    policy: Policy,
    files: Files,
    cluster_network: Option<ClusterNetwork>,
    args: &'static str,
    capability_args: &'static str,
}

impl World {
    fn new(networks: &str) -> Self {
        let mut files = Files::load(None, Path::new("/absent/directory"));
        for (namespace, name, config) in NADS {
            let object = serde_json::json!({"kind": nad::KIND, "spec": {"config": config},
                "metadata": {"namespace": namespace, "name": name,
                    "annotations": {"k8s.v1.cni.cncf.io/resourceName": format!("example.org/{name}")}}});
            let nad = nad::parse(object.to_string().as_bytes())
                .unwrap()
                .remove(0)
                .unwrap();
            files.nads.found.insert(nad.reference.clone(), nad);
        }
        let mut pod = Pod::new("pods".parse().unwrap(), "p".parse().unwrap());
        pod.annotations.insert(NETWORKS.to_owned(), networks.to_owned());
        Self {
            pod,
            policy: Policy::default(),
            files,
            cluster_network: Some(ClusterNetwork::Named("cbr0".to_owned())),
            args: "",
            capability_args: "{}",
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn default_network(self, annotation: &str) -> Self {
        self.with(|w| {
            drop(
                w.pod
                    .annotations
                    .insert(DEFAULT_NETWORK.to_owned(), annotation.to_owned()),
            )
        })
    }

    fn plan(&self) -> Result<Plan, Error> {
        let request = Request {
            pod: &self.pod,
            ifname: "eth0".parse().unwrap(),
            args: self.args.parse().unwrap(),
            capability_args: Object::from_slice(self.capability_args.as_bytes()).unwrap(),
            cluster_network: self.cluster_network.as_ref(),
            policy: &self.policy,
            networks: &self.files,
        };
        plan(&request).map_err(Error::from)
    }

    /// `interface=network` of each attachment.
    #[track_caller]
    fn check(&self, expected: &[&str]) -> Plan {
        let plan = self.plan().unwrap_or_else(|e| panic!("{} {e}", e.code));
        let got: Vec<_> = plan
            .attachments
            .iter()
            .map(|a| format!("{}={}", a.ifname, a.network))
            .collect();
        assert_eq!(got, expected);
        assert!(plan.attachments.iter().skip(1).all(|a| !a.is_default));
        plan
    }

    #[track_caller]
    fn check_error(&self, code: u32, expected: &[&str]) {
        let error = self.plan().expect_err("a plan");
        assert_eq!(error.code.0, code, "{error}");
        for part in expected {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
    }
}

fn list(json: &str) -> ConfList {
    ConfList::from_plugin_bytes(json.as_bytes()).unwrap()
}

#[test]
fn a01_networks_are_attached_in_order_after_the_default_one() {
    let plan = World::new("a, far/c@x1 ,b").check(&[
        "eth0=kube-system/cbr0",
        "net1=pods/a",
        "x1=far/c",
        "net3=pods/b",
    ]);
    assert!(plan.attachments[0].is_default);
    assert_eq!(plan.attachments[0].list.name.as_str(), "cbr0-net");
    assert_eq!(plan.attachments[1].list.name.as_str(), "a");
    assert_eq!(
        plan.attachments[1].resource_name.as_deref(),
        Some("example.org/a")
    );
    World::new("").check(&["eth0=kube-system/cbr0"]);
    World::new("x")
        .with(|w| w.pod.annotations.clear())
        .check(&["eth0=kube-system/cbr0"]);
}

#[test]
fn a02_everything_asked_for_reaches_the_network() {
    let world = World::new(
        r#"[{"name":"able","ips":["10.1.1.5/24","fd00::5"],"mac":"02:00:00:00:00:0A","deviceID":"0000:01:00.1",
            "portMappings":[{"hostPort":80,"containerPort":8080}],"bandwidth":{"egressRate":5},
            "infiniband-guid":"24:8a:07:03:00:8d:ae:2f","default-route":["10.1.1.1","fd00::1"]}]"#,
    );
    let plan = world.check(&["eth0=kube-system/cbr0", "net1=pods/able"]);
    let able = &plan.attachments[1];
    assert_eq!(
        able.capability_args.to_string(),
        r#"{"ips":["10.1.1.5/24","fd00::5"],"mac":"02:00:00:00:00:0a","portMappings":[{"hostPort":80,"containerPort":8080,"protocol":"tcp"}],"bandwidth":{"egressRate":5},"infinibandGUID":"24:8a:07:03:00:8d:ae:2f","deviceID":"0000:01:00.1"}"#
    );
    assert_eq!(
        able.args.to_string(),
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=pods;K8S_POD_NAME=p;MAC=02:00:00:00:00:0a;IP=10.1.1.5/24,fd00::5"
    );
    assert_eq!(able.default_route.as_ref().map(Vec::len), Some(2));
    assert_eq!(plan.attachments[0].default_route, None);
    assert!(plan.warnings.is_empty());
}

#[test]
fn a04_ips_without_the_capability_fail_before_any_effect() {
    let world = World::new(r#"[{"name":"b"},{"name":"a","ips":["10.1.1.5/24"]}]"#);
    world.check_error(2, &["element 2", "\"pods/a\"", "capability \"ips\"", NETWORKS]);
    let plan = world
        .with(|w| w.policy.capability_check = CapabilityCheck::Warn)
        .check(&["eth0=kube-system/cbr0", "net1=pods/b", "net2=pods/a"]);
    let warnings: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].contains("network \"pods/a\" declares capability \"ips\""),
        "{warnings:?}"
    );
    World::new("")
        .default_network(r#"[{"name":"cbr0","ips":["10.0.0.1/8"]}]"#)
        .check_error(2, &[DEFAULT_NETWORK]);
}

#[test]
fn a05_every_other_request_needs_its_capability() {
    for (request, capability) in [
        (r#""mac":"02:00:00:00:00:01""#, "mac"),
        (
            r#""portMappings":[{"hostPort":1,"containerPort":1}]"#,
            "portMappings",
        ),
        (r#""bandwidth":{"ingressRate":1}"#, "bandwidth"),
        (r#""infiniband-guid":"24:8a:07:03:00:8d:ae:2f""#, "infinibandGUID"),
    ] {
        let world = World::new(&format!(r#"[{{"name":"a",{request}}}]"#));
        world.check_error(2, &[&format!("capability {capability:?}"), "element 1"]);
    }
}

#[test]
fn a06_an_invalid_value_fails_the_plan() {
    World::new(r#"[{"name":"a"},{"name":"a","mac":"zz"}]"#)
        .check_error(7, &["element 2", "\"mac\"", "\"zz\"", "pods/p"]);
    World::new("a,,b").check_error(7, &["element 2"]);
    World::new("")
        .default_network("a/b/c")
        .check_error(7, &[DEFAULT_NETWORK]);
}

#[test]
fn a07_an_interface_is_given_once() {
    World::new("a@x,b@x").check_error(7, &["element 2", "interface \"x\"", "taken by element 1"]);
    World::new("a@net2,b").check_error(7, &["element 2", "interface \"net2\"", "taken by element 1"]);
    World::new("a@eth0").check_error(7, &["element 1", "taken by cluster network"]);
    World::new("a@net1,b@net2").check(&["eth0=kube-system/cbr0", "net1=pods/a", "net2=pods/b"]);
    World::new("a@net2,b@net1").check(&["eth0=kube-system/cbr0", "net2=pods/a", "net1=pods/b"]);
}

#[test]
fn a08_one_element_of_both_annotations_has_the_default_route() {
    let one = r#"[{"name":"a","default-route":["10.0.0.1"]}]"#;
    let world = World::new(one).default_network(r#"[{"name":"cbr0","default-route":[]}]"#);
    world.check_error(7, &[DEFAULT_NETWORK, NETWORKS, "default-route"]);
    let plan = World::new(r#"[{"name":"a"},{"name":"b","default-route":[]}]"#)
        .plan()
        .unwrap();
    let routes: Vec<_> = plan.attachments.iter().map(|a| a.default_route.clone()).collect();
    assert_eq!(routes, [None, None, Some(vec![])]);
}

#[test]
fn a10_the_same_network_twice_is_two_attachments() {
    World::new("a,a").check(&["eth0=kube-system/cbr0", "net1=pods/a", "net2=pods/a"]);
}

#[test]
fn a11_cni_args_go_over_the_configurations_own() {
    let plan = World::new(r#"[{"name":"args","cni-args":{"b":[2],"c":{"d":1.0}}}]"#)
        .check(&["eth0=kube-system/cbr0", "net1=pods/args"]);
    let objects: Vec<_> = plan.attachments[1]
        .list
        .plugins()
        .map(|p| p.object.to_string())
        .collect();
    assert_eq!(
        objects,
        [
            r#"{"type":"x","args":{"cni":{"a":1,"b":[2],"c":{"d":1.0}},"own":{"k":1.0}}}"#,
            r#"{"type":"y","args":{"cni":{"b":[2],"c":{"d":1.0}}}}"#,
        ]
    );
    World::new(r#"[{"name":"badargs","cni-args":{"b":2}}]"#)
        .check_error(7, &["element 1", "pods/badargs", "\"cni\""]);
    World::new("badargs").check(&["eth0=kube-system/cbr0", "net1=pods/badargs"]);
}

#[test]
fn a12_what_the_runtime_asks_for_is_for_the_default_network_alone() {
    let world = World::new("able").with(|w| {
        w.args = "IgnoreUnknown=true;K8S_POD_NAME=p;IP=10.0.0.9;MAC=02:00:00:00:00:09;GATEWAY=10.0.0.1";
        w.capability_args = r#"{"portMappings":[{"hostPort":80}],"mac":"02:00:00:00:00:09"}"#;
    });
    let plan = world.check(&["eth0=kube-system/cbr0", "net1=pods/able"]);
    let [default, able] = &plan.attachments[..] else {
        panic!("two attachments")
    };
    assert_eq!(default.capability_args.to_string(), world.capability_args);
    assert_eq!(default.args.get("IP"), Some("10.0.0.9"));
    assert!(able.capability_args.is_empty());
    assert_eq!(
        able.args.to_string(),
        "IgnoreUnknown=true;K8S_POD_NAME=p;K8S_POD_NAMESPACE=pods"
    );
}

/// A definition without configuration, and the files of the directory of configurations by name.
fn on_disk(files: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    for (name, json) in files {
        std::fs::write(dir.path().join(name), json).unwrap();
    }
    let world = World::new("on-disk").with(|w| w.files.conf_dir = dir.path().to_owned());
    let plan = world.check(&["eth0=kube-system/cbr0", "net1=pods/on-disk"]);
    plan.attachments[1].list.first.kind.to_string()
}

const CONF: (&str, &str) = ("0.conf", r#"{"name":"on-disk","type":"conf"}"#);
const LIST: (&str, &str) = ("1.conflist", r#"{"name":"on-disk","plugins":[{"type":"list"}]}"#);

#[test]
fn n02_an_empty_definition_means_the_configuration_on_disk() {
    assert_eq!(on_disk(&[LIST]), "list");
    assert_eq!(on_disk(&[CONF]), "conf");
}

#[test]
fn n03_a_list_goes_before_a_file_with_one_plugin() {
    assert_eq!(on_disk(&[CONF, LIST]), "list");
}

#[test]
fn n04_a_broken_file_hides_no_good_one() {
    assert_eq!(on_disk(&[("0.conflist", "{"), ("0.conf", "x"), LIST]), "list");
}

#[test]
fn n05_a_network_without_configuration_fails() {
    World::new("on-disk").check_error(7, &["pods/on-disk", "no spec.config"]);
    World::new("broken").check_error(7, &["element 1", "pods/broken", "\"plugins\""]);
    World::new("absent").check_error(170, &["element 1", "pods/absent"]);
    let mut unreadable = World::new("absent");
    unreadable.files.nads.broken = crate::cluster::Nads::load(Path::new("/absent/nads")).broken;
    unreadable.check_error(170, &["unreadable: read \"/absent/nads\""]);
}

#[test]
fn i01_isolation_holds_for_both_annotations() {
    let isolated = |networks: &str| World::new(networks).with(|w| w.policy.namespace_isolation = true);
    isolated("a,pods/b").check(&["eth0=kube-system/cbr0", "net1=pods/a", "net2=pods/b"]);
    isolated("a,far/c").check_error(171, &["element 2", "far/c", "pods/p"]);
    isolated("")
        .default_network("cbr0")
        .check_error(171, &[DEFAULT_NETWORK, "kube-system/cbr0"]);
    isolated("").default_network("pods/a").check(&["eth0=pods/a"]);
    isolated("far/absent").check_error(171, &["far/absent"]);
}

#[test]
fn i02_every_pod_may_select_global_namespaces() {
    let isolated = |networks: &str| World::new(networks).with(|w| w.policy.namespace_isolation = true);
    isolated("default/shared").check(&["eth0=kube-system/cbr0", "net1=default/shared"]);
    let only_far = |w: &mut World| w.policy.global_namespaces = ["far".parse().unwrap()].into();
    isolated("far/c")
        .with(only_far)
        .check(&["eth0=kube-system/cbr0", "net1=far/c"]);
    isolated("default/shared")
        .with(only_far)
        .check_error(171, &["default/shared"]);
}

#[test]
fn the_default_network_annotation_replaces_the_cluster_network() {
    let plan = World::new("a")
        .default_network("other")
        .check(&["eth0=kube-system/other", "net1=pods/a"]);
    assert!(plan.attachments[0].is_default);
    World::new("")
        .default_network(r#"[{"name":"a","namespace":"pods","interface":"eth0"}]"#)
        .check(&["eth0=pods/a"]);
    World::new("")
        .default_network("other@eth1")
        .check_error(7, &["\"eth0\"", "\"eth1\""]);
    World::new("")
        .default_network("other,cbr0")
        .check_error(7, &["selects 2 networks"]);
    World::new("")
        .default_network("[]")
        .check_error(7, &["selects 0 networks"]);
    World::new("")
        .default_network(" ")
        .check(&["eth0=kube-system/cbr0"]);
    let world = World::new("").default_network(r#"[{"name":"other","ips":["10.0.0.5/24"]}]"#);
    let plan = world
        .with(|w| w.capability_args = r#"{"ips":["10.9.9.9/8"],"dns":{}}"#)
        .plan()
        .unwrap();
    assert_eq!(
        plan.attachments[0].capability_args.to_string(),
        r#"{"ips":["10.0.0.5/24"],"dns":{}}"#
    );
}

#[test]
fn the_cluster_network_is_found_as_definition_configuration_directory_or_file() {
    let dir = tempfile::tempdir().unwrap();
    let put = |file: &str, json: &str| std::fs::write(dir.path().join(file), json).unwrap();
    put(
        "00-plexus.conflist",
        r#"{"name":"p","plugins":[{"type":"plexus"}]}"#,
    );
    put(
        "10-one.conflist",
        r#"{"name":"one_1","plugins":[{"type":"bridge"}]}"#,
    );
    put("20-two.conf", r#"{"name":"cbr0","type":"ptp"}"#);
    let named = |name: &str| {
        let name = name.to_owned();
        World::new("a").with(|w| {
            w.files.conf_dir = dir.path().to_owned();
            w.cluster_network = Some(ClusterNetwork::Named(name));
        })
    };
    let path = dir.path().to_str().unwrap();
    named("cbr0").check(&["eth0=kube-system/cbr0", "net1=pods/a"]);
    named("far/c").check(&["eth0=far/c", "net1=pods/a"]);
    named("one_1").check(&["eth0=one_1", "net1=pods/a"]);
    named(path).check(&["eth0=one_1", "net1=pods/a"]);
    named(&format!("{path}/20-two.conf")).check(&["eth0=cbr0", "net1=pods/a"]);
    named("absent").check_error(
        170,
        &[
            "cluster network",
            "\"absent\"",
            "kube-system/absent",
            "no net configuration",
        ],
    );
    named("far/absent").check_error(170, &["far/absent"]);
    named("/absent/file").check_error(7, &["/absent/file"]);
    named(&format!("{path}/00-plexus.conflist")).check_error(7, &["\"plexus\""]);
}

#[test]
fn delegates_come_first_and_count() {
    let delegates = vec![
        list(r#"{"name":"d0","type":"x"}"#),
        list(r#"{"name":"d1","type":"y"}"#),
    ];
    let world = World::new("a").with(|w| w.cluster_network = Some(ClusterNetwork::Delegates(delegates)));
    world.check(&["eth0=d0", "net1=d1", "net2=pods/a"]);
    world
        .default_network("other")
        .check(&["eth0=kube-system/other", "net1=d1", "net2=pods/a"]);
}

#[test]
fn without_a_cluster_network_the_first_interface_is_net1() {
    let world = World::new("a,b").with(|w| w.cluster_network = None);
    assert!(!world.check(&["net1=pods/a", "net2=pods/b"]).attachments[0].is_default);
    assert!(
        world
            .default_network("other")
            .check(&["eth0=kube-system/other", "net1=pods/a", "net2=pods/b"])
            .attachments[0]
            .is_default
    );
}

#[test]
fn a_network_that_runs_a_meta_plugin_is_refused() {
    World::new("loop").check_error(7, &["element 1", "pods/loop", "\"multus\""]);
    let own = vec![list(r#"{"name":"n","type":"plexus-shim"}"#)];
    World::new("")
        .with(|w| w.cluster_network = Some(ClusterNetwork::Delegates(own)))
        .check_error(7, &["plexus-shim"]);
}

#[test]
fn a_pod_of_another_uid_is_gone() {
    let world = |uid: &str| {
        World::new("").with(|w| {
            w.pod.uid = Some(uid.to_owned());
            w.args = "K8S_POD_UID=u1";
        })
    };
    world("u1").check(&["eth0=kube-system/cbr0"]);
    world("u2").check_error(11, &["pod \"pods/p\" is gone"]);
    let of_kubelet = |w: &mut World| {
        drop(
            w.pod
                .annotations
                .insert("kubernetes.io/config.source".into(), "file".into()),
        )
    };
    world("u2").with(of_kubelet).check(&["eth0=kube-system/cbr0"]);
}
