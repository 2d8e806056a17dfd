//! What the README says about runtimes, done as it says.

use std::fs;

use crate::ctr::Ctr;
use crate::node::Node;
use crate::podman::Podman;
use crate::scenarios::Runtime;

/// Where the README's commands are run.
fn root() -> String {
    plexus_tests::root().display().to_string()
}

/// The block of shell in which there is `part`.
#[track_caller]
fn block(part: &str) -> String {
    let readme = fs::read_to_string(plexus_tests::root().join("README.md")).unwrap();
    let mut blocks = readme.split("```").filter_map(|block| block.strip_prefix("sh\n"));
    let found = blocks.find(|block| block.contains(part));
    found
        .unwrap_or_else(|| panic!("no {part} in the README"))
        .to_owned()
}

/// Installs Plexus with the README's commands, but for the build.
pub(crate) fn install(node: &Node) {
    let programs = plexus_tests::program("plexus")
        .parent()
        .unwrap()
        .display()
        .to_string();
    let commands =
        block("cni-plugins install").replace("cargo build --release -p plexus -p cni-plugins\n", "");
    node.run(&format!(
        "cd {} && {}",
        root(),
        commands.replace("target/release", &programs)
    ));
}

/// Runs the README's command in which there is `part`, for a container that shows its addresses.
fn container_shows_its_addresses<R: Runtime>(part: &str) {
    let node = Node::installed();
    R::install(&node);
    R::start(&node);
    let before = node.look();
    let command = block(part)
        .replace("DIRECTORY", "/var/lib/rootfs")
        .replace("NAME", "web");
    for _ in 0..2 {
        let shown = node.run(&command.replace("COMMAND", "/bin/ip address"));
        assert!(shown.contains("inet 10.244.1."), "{shown}");
    }
    node.run("podman rm --all");
    assert_eq!(node.look(), before);
}

#[test]
fn a_container_of_ctr_is_attached() {
    container_shows_its_addresses::<Ctr>("ctr run");
}

#[test]
fn a_container_of_podman_is_attached() {
    container_shows_its_addresses::<Podman>("podman run");
}

#[test]
fn a_namespace_is_attached_by_hand() {
    let node = Node::installed();
    let before = node.look();
    let commands = block("plexus attach");
    let shown = node.run(&format!("set -e; cd {}\n{commands}", root()));
    for part in [
        "network \"plexus\" is ready",
        "10.244.1.2/24",
        "192.0.2.101/24",
        "seg0",
        "10.100.0.11/24",
    ] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    assert_eq!(node.look(), before);
}
