//! The plugins on the kernel of this machine, in namespaces of their own. They need root.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bridge;
mod elsewhere;
mod faults;
mod fixture;
mod log;
mod loopback;
mod macvlan;
mod together;
mod tuning;
mod vxlan;

use std::path::Path;

use cni_core::invoke::Invoke;
use cni_net::{Kernel, Netns};

/// The plugins on the host whose kernel is `net`: linked in.
fn plugins(net: &Kernel, _: Netns, _: &Path) -> Box<dyn Invoke> {
    Box::new(cni_plugins::table(net))
}
