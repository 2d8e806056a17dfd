//! Where the other ends of a segment are: the seam for a control plane.

use std::net::IpAddr;

use cni_core::spec::{Error, NetName};

/// Tells where the other ends of a segment are.
///
/// A control plane that knows the containers themselves will tell of them here as well; then nothing
/// is left to be learned from traffic.
pub(super) trait Directory {
    /// The nodes to which goes what has no known place: broadcasts, and addresses not learned yet.
    /// The node's own tunnel end may be among them.
    ///
    /// # Errors
    /// When they cannot be known now.
    fn nodes(&self, network: &NetName) -> Result<Vec<IpAddr>, Error>;

    /// Whether tunnel ends learn from the packets that arrive which address is behind which node.
    fn learning(&self) -> bool;
}

/// The list in the configuration.
///
/// It names nodes and no containers, so the device learns: without, every frame between two containers
/// would go to all nodes.
pub(super) struct StaticPeers<'a>(pub(super) &'a [IpAddr]);

impl Directory for StaticPeers<'_> {
    fn nodes(&self, _: &NetName) -> Result<Vec<IpAddr>, Error> {
        Ok(self.0.to_vec())
    }

    fn learning(&self) -> bool {
        true
    }
}
