//! containerd, as the kubelet uses it.

use crate::containers::Container;
use crate::node::{Node, said, until};
use crate::scenarios::{self, Runtime};

/// containerd's CRI: sandboxes and the containers in them.
pub(crate) struct Cri;

/// What a machine without the right to raise limits, and an overlay on an overlay ask for.
const CONFIGURATION: &str = r#"
version = 3
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "native"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "localhost/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
"#;

impl Runtime for Cri {
    const PROGRAM: &str = "containerd";

    fn install(node: &Node) {
        node.write("/etc/containerd/config.toml", CONFIGURATION);
        let many = (0..8).map(|number| format!("many{number}"));
        let names = ["a", "b", "dead", "living"].map(str::to_owned);
        names
            .into_iter()
            .chain(many)
            .for_each(|name| describe(node, &name));
        node.start("containerd", "cri ready");
        let script = plexus_tests::root().join("tests/tests/runtimes/image.sh");
        node.run(&format!(
            "bash {} /var/lib/rootfs /var/lib/pause.tar localhost/pause:1",
            script.display()
        ));
        node.run("ctr -n k8s.io images import --local --snapshotter native /var/lib/pause.tar");
    }

    fn start(node: &Node) {
        if !node.output("pgrep -x containerd").status.success() {
            node.start("containerd", "cri ready");
        }
    }

    fn line(name: &str) -> String {
        format!("cri run demo {name}")
    }

    fn container(node: &Node, name: &str, printed: &str) -> Container {
        let pid = node.run(&format!("cri pid {printed}"));
        Container {
            name: name.to_owned(),
            id: printed.to_owned(),
            pid: pid.parse().unwrap(),
        }
    }

    fn remove(node: &Node, container: &Container) {
        node.run(&format!("cri stop {0} && cri remove {0}", container.id));
    }

    fn clean_up(node: &Node) {
        for line in node.run("cri list").lines() {
            let id = line.split(' ').next().unwrap();
            node.run(&format!("cri stop {id} && cri remove {id}"));
        }
    }
}

/// Says in a file what networks the pod has, as its annotation in the API server would.
fn describe(node: &Node, name: &str) {
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: demo\n  annotations:\n    \
         k8s.v1.cni.cncf.io/networks: lan, blue, green@seg0\n"
    );
    node.write(&format!("/etc/plexus/pods/demo/{name}.yaml"), &pod);
}

#[test]
fn sandboxes_have_four_networks_and_leave_nothing() {
    scenarios::life::<Cri>();
}

#[test]
fn a_sandbox_that_dies_leaves_nothing() {
    scenarios::death::<Cri>();
}

#[test]
fn containerd_killed_between_add_and_del_leaves_nothing() {
    scenarios::crash::<Cri>(|node| node.kill("containerd"));
}

#[test]
fn a_sandbox_is_started_again_after_a_crash() {
    scenarios::again::<Cri>(|node| node.kill("containerd"));
}

#[test]
fn eight_sandboxes_at_once_leave_nothing() {
    scenarios::many::<Cri>();
}

#[test]
fn a_reboot_leaves_nothing() {
    scenarios::reboot::<Cri>();
}

#[test]
fn a_reboot_during_add_leaves_nothing() {
    scenarios::power_cut::<Cri>();
}

#[test]
fn containerd_killed_while_it_starts_a_sandbox_leaves_nothing() {
    scenarios::killed_while_starting::<Cri>();
}

#[test]
fn a_node_is_ready_while_its_default_network_is() {
    let node = Cri::node();
    node.run("cri ready");
    node.run("mv /etc/plexus/nads/default-network.yaml /etc/plexus/away");
    let refused = node.output("cri ready");
    assert!(
        !refused.status.success() && said(&refused).contains("default-network"),
        "{}",
        said(&refused)
    );
    node.run("mv /etc/plexus/away /etc/plexus/nads/default-network.yaml");
    node.run("cri ready");
}

#[test]
fn a_host_port_that_no_plugin_maps_is_refused() {
    let node = Cri::node();
    let before = node.look();
    let refused = node.output("cri run demo a 8080");
    let reason = r#"no plugin of network "kube-system/default-network" declares capability "portMappings""#;
    assert!(
        !refused.status.success() && said(&refused).replace('\\', "").contains(reason),
        "{}",
        said(&refused)
    );
    Cri::clean_up(&node);
    assert_eq!(node.look(), before);
    node.write("/etc/plexus/config.json", r#"{ "capabilityCheck": "warn" }"#);
    let sandbox = Cri::container(&node, "a", &node.run("cri run demo a 8080"));
    node.assert_attached(&sandbox);
    Cri::remove(&node, &sandbox);
    assert_eq!(node.look(), before);
}

#[test]
fn pn_1_the_sandbox_keeps_every_interface_when_its_container_dies() {
    let node = Cri::node();
    let before = node.look();
    let sandbox = Cri::run(&node, "a");
    let app = node.run(&format!(
        "cri app {} localhost/pause:1 /bin/sleep 1000",
        sandbox.id
    ));
    let pid: u32 = node.run(&format!("cri app-pid {app}")).parse().unwrap();
    let app = Container {
        name: "app".to_owned(),
        id: sandbox.id.clone(),
        pid,
    };
    let addresses = node.assert_attached(&app);
    node.kill_process(&app);
    let ended = || (!node.output(&format!("kill -0 {pid}")).status.success()).then_some(());
    until("the container ends", ended, String::new);
    assert_eq!(node.assert_attached(&sandbox), addresses);
    Cri::remove(&node, &sandbox);
    assert_eq!(node.look(), before);
}
