//! What attaching and detaching need of the machine that they run on.

use std::sync::Arc;

use cni_core::invoke::{Resolver, TraceContext};
use cni_net::{Kernel, Links, Namespaces, Routes};

use crate::config::{Deadlines, Policy};
use crate::journal::StateDir;

/// The parts of the kernel layer that a meta-plugin uses itself; its plugins use the rest.
pub trait Net: Links + Namespaces + Routes + Send + Sync {}

impl<T: Links + Namespaces + Routes + Send + Sync> Net for T {}

/// A machine, as one call works on it: its state directory, its kernel and its plugins.
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
    /// The trace of the call that the machine is worked on for; every plugin receives it.
    pub trace: TraceContext,
}

impl Node {
    /// This machine, with our plugins linked in but for those that `policy` has run as files.
    pub fn local(state: StateDir, policy: &Policy) -> Self {
        let kernel = Kernel::new();
        let resolver = Resolver::new(cni_plugins::table(&kernel));
        let resolver = resolver.external(policy.external.iter().cloned());
        let mut node = Self::new(state, kernel, resolver);
        node.deadlines = policy.deadlines.clone();
        node
    }

    /// A machine with the usual deadlines.
    pub fn new(state: StateDir, net: impl Net + 'static, resolver: Resolver) -> Self {
        Self {
            state,
            net: Arc::new(net),
            resolver,
            deadlines: Deadlines::default(),
            trace: TraceContext::default(),
        }
    }
}
