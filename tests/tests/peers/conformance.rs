//! The suite for any plugin: the reference's pass, with the leniencies that are named, and ours without.

use std::path::Path;

use cni_core::spec::{Success, Version};
use cni_core::testkit::{Leniency, Subject, conformance};
use plexus_tests::installed::Installed;
use plexus_tests::pod::Pod;
use plexus_tests::{host, peers, plugins, program};
use serde_json::json;

/// An executable with all that it needs, and the pod that it is let loose on. Names are told by `side`: one side's
/// GC must not see the other's attachments.
fn subject(directory: &Path, side: &str, plugin: &str, store: &Path, pod: &Pod) -> Subject {
    let ipam = json!({"type": "host-local", "subnet": "10.77.0.0/24", "dataDir": store});
    let mut config = match plugin {
        "bridge" => json!({"bridge": format!("conf-{side}"), "isGateway": true, "ipam": ipam}),
        "host-local" => json!({"ipam": ipam}),
        "macvlan" => json!({"master": "confm0", "ipam": ipam}),
        "static" => json!({"ipam": {"type": "static", "addresses": [{"address": "10.77.1.2/24"}]}}),
        "tuning" => json!({"mtu": 1400, "txQLen": 500}),
        "vxlan" => json!({"vni": 7707, "ipam": ipam}),
        _ => json!({}),
    };
    config["name"] = json!(format!("conformance-{side}-{plugin}"));
    let subject = Subject::new(directory.join(plugin))
        .with_config(&config.to_string())
        .with_netns(pod.path());
    match plugin {
        "loopback" => subject.with_ifname("lo"),
        "tuning" => subject.with_ifname("lo").with_prev(loopback(pod)),
        _ => subject,
    }
}

/// What a plugin that runs before a chained one has made.
fn loopback(pod: &Pod) -> Success {
    let result = json!({"cniVersion": Version::V1_1_0, "interfaces": [{"name": "lo", "sandbox": pod.path()}],
        "ips": [{"address": "127.0.0.1/8", "interface": 0}]});
    Success::decode(Version::V1_1_0, result.to_string().as_bytes()).unwrap()
}

/// Puts each of `plugins` through the suite.
#[track_caller]
fn conform(directory: &Path, side: &str, plugins: &[&str], lenient: impl Fn(&str) -> Vec<Leniency>) {
    host::parent("confm0");
    for plugin in plugins {
        let (store, pod) = (tempfile::tempdir().unwrap(), Pod::new());
        let subject = subject(directory, side, plugin, store.path(), &pod);
        conformance(subject.lenient(lenient(plugin))).assert();
        assert_eq!(pod.links(), ["lo"], "{plugin}");
    }
}

#[test]
fn the_references_plugins_conform_but_for_what_is_named() {
    let plugins = ["bridge", "host-local", "loopback", "macvlan", "static", "tuning"];
    conform(&peers(), "ref", &plugins, of_the_reference);
}

fn of_the_reference(plugin: &str) -> Vec<Leniency> {
    let more = match plugin {
        "loopback" => &[Leniency::LatestLayout][..],
        _ => ours(plugin),
    };
    [&Leniency::REFERENCE, more].concat()
}

/// What lies in the nature of a plugin: this one gives the addresses of its configuration, and keeps nothing.
fn ours(plugin: &str) -> &'static [Leniency] {
    match plugin {
        "static" => &[Leniency::CheckAfterDel],
        _ => &[],
    }
}

#[test]
fn each_of_our_plugins_conforms() {
    let listed = std::fs::read_dir(plugins()).unwrap();
    let names: Vec<_> = listed
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(names.contains(&"bridge") && names.contains(&"vxlan"), "{names:?}");
    conform(plugins(), "our", &names, |plugin| ours(plugin).to_vec());
}

/// Through the shim, which is what a runtime runs, and by itself.
#[test]
fn plexus_conforms() {
    let (node, pod) = (Installed::new(), Pod::new());
    let bridge = json!({"type": "bridge", "bridge": "conf-plexus", "ipam": {"type": "host-local", "subnet": "10.78.0.0/24"}});
    let list = json!({"cniVersion": "1.1.0", "name": "conformance-plexus", "plugins": [bridge]});
    let cluster = node.path("cluster.conflist");
    std::fs::write(&cluster, list.to_string()).unwrap();
    let mut entry = node.entry(&json!({"clusterNetwork": cluster}));
    entry["name"] = json!("conformance-pods");
    let (program, shim) = (program("plexus"), node.path("bin/plexus"));
    let through = format!(
        "#!/bin/sh\nPLEXUS_PROGRAM={} exec {}\n",
        program.display(),
        shim.display()
    );
    node.plugin("through", through.as_bytes());
    // By itself, and without a command, the program is a command line.
    let about = "without a command it says on stderr which versions it takes";
    for (path, spared) in [(program, vec![about]), (node.path("bin/through"), vec![])] {
        let subject = Subject::new(path).with_config(&entry.to_string());
        let report = conformance(subject.with_netns(pod.path()));
        let failed: Vec<&str> = report.failed().map(|case| case.name).collect();
        assert_eq!(failed, spared, "{report}");
        node.assert_nothing_in(&pod);
    }
}

#[test]
fn each_leniency_lets_one_difference_of_the_reference_pass() {
    let needed = [
        (
            "static",
            Leniency::CheckAfterDel,
            "DEL, with and without a result, leaves nothing that CHECK accepts",
        ),
        (
            "loopback",
            Leniency::ErrorWithoutVersion,
            "an error is one object on stdout, with exit code 1",
        ),
        (
            "loopback",
            Leniency::LatestLayout,
            "ADD answers in the layout of the configuration's version",
        ),
        (
            "loopback",
            Leniency::OwnVersion,
            "VERSION is answered in the version of the question",
        ),
    ];
    for (plugin, missing, case) in needed {
        let pod = Pod::new();
        let others = of_the_reference(plugin)
            .into_iter()
            .filter(|other| *other != missing);
        let store = Path::new("/nowhere");
        let report = conformance(subject(&peers(), "ref", plugin, store, &pod).lenient(others));
        let failed: Vec<&str> = report.failed().map(|case| case.name).collect();
        assert_eq!(failed, [case], "{report}");
    }
}
