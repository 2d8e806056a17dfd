//! podman 4, with CNI as its network.

use crate::containers::Container;
use crate::node::Node;
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
        node.run(&format!("podman rm --force --time 0 {}", container.name));
    }

    fn clean_up(node: &Node) {
        // Killed before it notes that it mounted this, podman would not unmount it.
        let forgotten = "/var/lib/containers/storage/vfs-containers/*/userdata/shm";
        node.run(&format!(
            "umount {forgotten} 2>/dev/null || true; podman rm --force --all --time 0"
        ));
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
fn a_reboot_leaves_nothing() {
    scenarios::reboot::<Podman>();
}

#[test]
fn podman_killed_while_it_starts_a_container_leaves_nothing() {
    scenarios::killed_while_starting::<Podman>();
}
