//! podman 4, with CNI as its network.

use crate::containers::Container;
use crate::node::{Node, said};
use crate::scenarios::{self, Runtime};

/// podman as Debian has it.
pub(crate) struct Podman;

/// Limits and storage are what a machine without much right and an overlay on an overlay ask for.
const CONFIGURATION: &str = r#"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
[network]
network_backend = "cni"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"#;

const STORAGE: &str = r#"
[storage]
driver = "vfs"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
"#;

impl Runtime for Podman {
    const PROGRAM: &str = "podman";

    fn install(node: &Node) {
        node.write("/etc/containers/containers.conf", CONFIGURATION);
        node.write("/etc/containers/storage.conf", STORAGE);
    }

    fn start(_: &Node) {}

    fn line(name: &str) -> String {
        format!("podman run --detach --name {name} --network plexus --rootfs /var/lib/rootfs sleep 1000")
    }

    fn container(node: &Node, name: &str, printed: &str) -> Container {
        let pid = node.run(&format!("podman inspect --format '{{{{.State.Pid}}}}' {name}"));
        Container {
            name: name.to_owned(),
            id: printed.to_owned(),
            pid: pid.parse().unwrap(),
        }
    }

    fn remove(node: &Node, container: &Container) {
        remove(node, &container.name);
    }

    fn clean_up(node: &Node) {
        // Killed before it notes that it mounted this, podman would not unmount it.
        node.run("umount /var/lib/containers/storage/vfs-containers/*/userdata/shm 2>/dev/null || true");
        remove(node, "--all");
    }
}

fn remove(node: &Node, which: &str) {
    let remove = format!("podman rm --force --time 0 {which}");
    let tried = node.output(&remove);
    if !tried.status.success() {
        // That the process is gone, podman may find out only by failing to kill it.
        assert!(said(&tried).contains("could not be stopped"), "{}", said(&tried));
        node.run(&remove);
    }
}

#[test]
fn containers_have_four_networks_and_leave_nothing() {
    scenarios::life::<Podman>();
}

#[test]
fn a_container_that_dies_leaves_nothing() {
    scenarios::death::<Podman>();
}

#[test]
fn conmon_killed_between_add_and_del_leaves_nothing() {
    scenarios::crash::<Podman>(|_| ());
}

#[test]
fn a_container_is_started_again_after_a_crash() {
    scenarios::again::<Podman>(|_| ());
}

#[test]
fn eight_containers_at_once_leave_nothing() {
    scenarios::many::<Podman>();
}

#[test]
fn a_reboot_leaves_nothing() {
    scenarios::reboot::<Podman>();
}

#[test]
fn a_reboot_during_add_leaves_nothing() {
    scenarios::power_cut::<Podman>();
}

#[test]
fn podman_killed_while_it_starts_a_container_leaves_nothing() {
    scenarios::killed_while_starting::<Podman>();
}

#[test]
fn a_container_that_is_stopped_and_started_is_attached_again() {
    let mut node = Podman::node();
    let before = node.look();
    let container = Podman::run(&node, "a");
    let started = |node: &Node| {
        node.run("podman start a");
        let again = Podman::container(node, "a", &container.id);
        node.assert_attached(&again);
        again
    };
    node.run("podman stop --time 0 a");
    let again = started(&node);
    node.kill_process(&again);
    node.run("podman wait a");
    started(&node);
    // Nobody ran DEL: this ADD comes upon what the last one made in a namespace that is gone.
    node.reboot();
    let again = started(&node);
    Podman::remove(&node, &again);
    assert_eq!(node.look(), before);
}

#[test]
fn the_address_that_podman_asks_for_is_given() {
    let node = Podman::node();
    let before = node.look();
    let shown = node.run(
        "podman run --rm --ip 10.244.1.77 --mac-address 02:00:00:00:00:77 --network plexus --rootfs \
         /var/lib/rootfs ip address show eth0",
    );
    assert!(
        shown.contains("inet 10.244.1.77/24") && shown.contains("02:00:00:00:00:77"),
        "{shown}"
    );
    assert_eq!(node.look(), before);
}

#[test]
fn a_port_that_no_plugin_maps_is_refused() {
    let node = Podman::node();
    let before = node.look();
    let line = "podman run --rm -p 8080:80 --network plexus --rootfs /var/lib/rootfs ip address show eth0";
    let refused = said(&node.output(line));
    let reason = r#"no plugin of network "kube-system/default-network" declares capability "portMappings""#;
    assert!(refused.replace('\\', "").contains(reason), "{refused}");
    assert_eq!(node.look(), before);
    node.write("/etc/plexus/config.json", r#"{ "capabilityCheck": "warn" }"#);
    assert!(node.run(line).contains("inet 10.244.1."));
    assert_eq!(node.look(), before);
}

#[test]
fn a_container_is_disconnected_and_connected_again() {
    let node = Podman::node();
    let before = node.look();
    let container = Podman::run(&node, "a");
    node.run("podman network disconnect plexus a");
    assert!(node.addresses(&container).is_empty());
    assert_eq!(node.look(), before);
    node.run("podman network connect plexus a");
    node.assert_attached(&container);
    Podman::remove(&node, &container);
    assert_eq!(node.look(), before);
}
