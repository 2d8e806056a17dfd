//! Where networks are found, and which a pod may have.

use super::*;

fn list(json: &str) -> ConfList {
    ConfList::from_plugin_bytes(json.as_bytes()).unwrap()
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
