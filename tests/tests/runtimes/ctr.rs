//! containerd, by `ctr`.

use crate::containers::Container;
use crate::node::Node;
use crate::scenarios::{self, Runtime};

/// containerd in the place and with the configuration that it has on its own.
pub(crate) struct Ctr;

impl Runtime for Ctr {
    const PROGRAM: &str = "ctr";

    fn install(_: &Node) {}

    fn start(node: &Node) {
        if !node.output("pgrep -x containerd").status.success() {
            node.start("containerd", "ctr version");
        }
    }

    fn line(name: &str) -> String {
        format!("ctr run --detach --cni --rootfs /var/lib/rootfs {name} /bin/sleep 1000")
    }

    fn container(node: &Node, name: &str, _: &str) -> Container {
        let pid = node.run(&format!("ctr task ls | awk '$1 == \"{name}\" {{ print $2 }}'"));
        let (name, id) = (name.to_owned(), format!("default-{name}"));
        Container {
            name,
            id,
            pid: pid.parse().unwrap(),
        }
    }

    fn remove(node: &Node, container: &Container) {
        remove(node, &container.name);
    }

    fn clean_up(node: &Node) {
        node.run("ctr containers ls -q")
            .lines()
            .for_each(|name| remove(node, name));
    }
}

/// `ctr` detaches a container when it is told to kill it, and only if there is a process.
fn remove(node: &Node, name: &str) {
    node.run(&format!(
        "ctr task kill -s KILL {name} 2>/dev/null || true; ctr task rm -f {name} 2>/dev/null || true; \
         ctr containers rm {name}"
    ));
}

#[test]
fn containers_have_four_networks_and_leave_nothing() {
    scenarios::life::<Ctr>();
}

#[test]
fn a_container_that_dies_leaves_nothing() {
    scenarios::death::<Ctr>();
}

#[test]
fn containerd_killed_between_add_and_del_leaves_nothing() {
    scenarios::crash::<Ctr>(|node| node.kill("containerd"));
}

#[test]
fn a_container_is_started_again_after_a_crash() {
    scenarios::again::<Ctr>(|node| node.kill("containerd"));
}

#[test]
fn eight_containers_at_once_leave_nothing() {
    scenarios::many::<Ctr>();
}

#[test]
fn a_reboot_leaves_nothing() {
    scenarios::reboot::<Ctr>();
}

#[test]
fn a_reboot_during_add_leaves_nothing() {
    scenarios::power_cut::<Ctr>();
}

#[test]
fn ctr_killed_while_it_starts_a_container_leaves_nothing() {
    scenarios::killed_while_starting::<Ctr>();
}
