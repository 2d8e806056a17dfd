//! The plugins on the kernel of this machine, in namespaces of their own. They need root.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bridge;
mod fixture;
mod loopback;
mod macvlan;
mod vxlan;
