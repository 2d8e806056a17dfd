//! What attaching and detaching need of the machine that they run on.

use std::sync::Arc;

use cni_core::invoke::Resolver;
use cni_net::{Links, Namespaces, Routes};

use crate::config::Deadlines;
use crate::journal::StateDir;

/// The parts of the kernel layer that a meta-plugin uses itself; its plugins use the rest.
pub trait Net: Links + Namespaces + Routes + Send + Sync {}

impl<T: Links + Namespaces + Routes + Send + Sync> Net for T {}

/// A machine: its state directory, its kernel and its plugins.
#[derive(Clone)]
#[non_exhaustive]
pub struct Node {
    /// Where the journals are.
    pub state: StateDir,
    /// The kernel.
    pub net: Arc<dyn Net>,
    /// How plugins are run; what a journal recorded goes before it.
    pub resolver: Resolver,
    /// How long things may take.
    pub deadlines: Deadlines,
}

impl Node {
    /// A machine with the usual deadlines.
    pub fn new(state: StateDir, net: impl Net + 'static, resolver: Resolver) -> Self {
        Self {
            state,
            net: Arc::new(net),
            resolver,
            deadlines: Deadlines::default(),
        }
    }
}
