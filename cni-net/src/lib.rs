//! The Linux networking that CNI plugins need, in the words of `ip(8)`, `bridge(8)` and `nft(8)`.
//!
//! Blocking netlink, a socket for each namespace and thread, and no program executed. Each subject is a small
//! trait, so that a plugin names those that it uses; [`Kernel`] implements them all.
//!
//! # In a plugin
//!
//! A plugin is generic over the traits that it uses. Its `main` hands it the [`Kernel`], its tests a `fake::FakeNet`, a
//! kernel made of values (feature `fake`), which need no root then:
//!
//! ```
//! use cni_core::plugin::{Add, Check, Del, Plugin};
//! use cni_core::spec::{Error, Success};
//! use cni_net::link::Change;
//! use cni_net::{At, Kernel, Links, Namespaces};
//!
//! /// Sets the container's interface up.
//! struct Up<N> {
//!     net: N,
//! }
//!
//! impl<N: Links + Namespaces + Send + Sync> Plugin for Up<N> {
//!     type Config = serde::de::IgnoredAny;
//!     const NAME: &'static str = "up";
//!
//!     fn add(&self, request: Add<'_, Self::Config>) -> Result<Success, Error> {
//!         let netns = self.net.open(&request.netns)?;
//!         let ifname = request.id.ifname.as_str();
//!         self.net.set_link(At::Netns(&netns), ifname, &Change::up())?;
//!         Ok(request.prev.unwrap_or_default())
//!     }
//!
//!     fn del(&self, _: Del<'_, Self::Config>) -> Result<(), Error> {
//!         Ok(())
//!     }
//!
//!     fn check(&self, _: Check<'_, Self::Config>) -> Result<(), Error> {
//!         Ok(())
//!     }
//! }
//!
//! # #[expect(unreachable_code, reason = "no runtime calls this")]
//! fn main() -> std::process::ExitCode {
//! #   a_test();
//! #   return std::process::ExitCode::SUCCESS;
//!     cni_core::plugin::run(&Up { net: Kernel::new() })
//! }
//!
//! // #[test]
//! fn a_test() {
//!     use cni_core::testkit::Invocation;
//!     use cni_net::fake::FakeNet;
//!
//!     let net = FakeNet::new();
//!     let netns = net.add_netns("/ns");
//!     let call = Invocation::new("ADD").with_env("CNI_NETNS", "/ns").with_env("CNI_IFNAME", "lo");
//!     let config = r#"{ "cniVersion": "1.1.0", "name": "n" }"#;
//!     call.run(&Up { net: net.clone() }, config).result().unwrap();
//!     assert!(net.link(At::Netns(&netns), "lo").unwrap().unwrap().up);
//! }
//! ```
//!
//! The module `fake` has one with more to undo, and with each of its calls refused in turn.

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
