//! The Container Network Interface (CNI), versions 0.1.0 to 1.1.0: both sides of it.
//!
//! A container runtime attaches a container to a network by running plugins, small programs that get environment
//! variables and JSON and answer JSON. This crate is for those who write either:
//!
//! | you write | start with |
//! |---|---|
//! | a plugin | [`plugin`], and the manual from [`guide::first_plugin`] on |
//! | a runtime, or a plugin that runs others | [`chain`], and the manual's chapter [`guide::chaining`] |
//! | tests for either | `testkit` (a feature), and the chapter [`guide::testing`] |
//!
//! A plugin is a configuration and three functions:
//!
//! ```no_run
//! use cni_core::plugin::{Add, Check, Del, Plugin, run};
//! use cni_core::spec::{Code, Error, Success};
//!
//! /// A chained plugin: refuses a container that got fewer addresses than its network promises.
//! struct Addresses;
//!
//! #[derive(serde::Deserialize)]
//! struct Config {
//!     minimum: usize,
//! }
//!
//! impl Plugin for Addresses {
//!     type Config = Config;
//!     const NAME: &'static str = "addresses";
//!
//!     fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
//!         let result = request.prev.unwrap_or_default();
//!         if result.ips.len() < request.config.minimum {
//!             let msg = format!("attach {}: it has {} addresses", request.id, result.ips.len());
//!             return Err(Error::new(Code(100), msg));
//!         }
//!         Ok(result)
//!     }
//!
//!     fn del(&self, _: Del<'_, Config>) -> Result<(), Error> {
//!         Ok(())
//!     }
//!
//!     fn check(&self, _: Check<'_, Config>) -> Result<(), Error> {
//!         Ok(())
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     run(&Addresses)
//! }
//! ```
//!
//! A runtime loads a list of plugins, attaches a container and takes it off again:
//!
//! ```no_run
//! use cni_core::chain::{self, Runtime};
//! use cni_core::invoke::Exec;
//! use cni_core::spec::{AttachmentId, NetnsPath};
//! use cni_core::{load, store::Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let list = load::by_name("/etc/cni/net.d", "pods")?.list;
//! let exec = Exec::new();
//! let runtime = Runtime::new(&exec, ["/opt/cni/bin".into()]);
//! let kept = Store::new(Store::DEFAULT_DIR);
//!
//! let id = AttachmentId::new("c1".parse()?, "eth0".parse()?);
//! let netns = NetnsPath::new("/run/netns/c1");
//! let result = chain::add(&list, &id, &netns, &runtime, &kept);
//! // The specification wants a DEL after every ADD, also after one that failed.
//! chain::del(&list, &id, Some(&netns), &runtime, &kept)?;
//! println!("{:?}", result?.ips);
//! # Ok(())
//! # }
//! ```
//!
//! # What it is not
//!
//! - No networking library: interfaces, addresses and routes are made with the crate `cni-net`, or any other.
//! - No asynchronous runtime: every function blocks. A plugin that awaits brings its own ([`plugin::AsyncPlugin`]).
//! - No lock: that no two operations on one container run at once is for the caller to ensure.
//!
//! # Features (none is on by default)
//!
//! - `dylib`: `invoke::Dylib`, which runs plugins that are shared libraries.
//! - `testkit`: the module of that name, to test plugins with, and programs that run plugins.

#![warn(missing_debug_implementations)]

pub mod abi;
pub mod chain;
pub mod guide;
pub mod invoke;
pub mod load;
pub mod plugin;
pub mod spec;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;

/// Addresses with their prefix lengths: the crate whose types stand in this one's.
pub use ipnet;
