//! Real runtimes, with four networks for each container: containerd by `ctr` and as the kubelet uses it, and
//! podman. Containers come and go, die, and their runtimes die; nothing is left behind.
//!
//! Each test has a node of its own: namespaces of every kind, so that whatever is killed ends there, and
//! nothing of the machine is touched. They need root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "runtimes/boot.rs"]
mod boot;
#[path = "runtimes/containers.rs"]
mod containers;
#[path = "runtimes/cri.rs"]
mod cri;
#[path = "runtimes/ctr.rs"]
mod ctr;
#[path = "runtimes/left.rs"]
mod left;
#[path = "runtimes/node.rs"]
mod node;
#[path = "runtimes/podman.rs"]
mod podman;
#[path = "runtimes/readme.rs"]
mod readme;
#[path = "runtimes/scenarios.rs"]
mod scenarios;
