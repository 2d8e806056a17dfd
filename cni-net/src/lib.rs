//! The Linux networking that CNI plugins need, in the words of `ip(8)`, `bridge(8)` and `nft(8)`.
//!
//! Blocking netlink, a socket for each namespace and thread, and no program executed. Each subject is a small
//! trait, so that a plugin names those that it uses; [`Kernel`] implements them all.

pub mod addr;
mod announce;
mod error;
#[cfg(feature = "fake")]
pub mod fake;
mod family;
mod kernel;
pub mod link;
pub mod neigh;
pub mod netns;
pub mod nft;
pub mod route;
mod socket;
mod sockopt;
pub mod sysctl;

pub use addr::{Addr, Addrs};
pub use announce::Announce;
pub use error::NetError;
pub use kernel::Kernel;
pub use link::{Links, Mtu, Vni};
pub use neigh::Neighbours;
pub use netns::{At, Namespaces, Netns, NetnsId};
pub use nft::Nft;
pub use route::Routes;
pub use sysctl::Sysctl;
