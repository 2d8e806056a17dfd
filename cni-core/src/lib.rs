//! The Container Network Interface (CNI) of versions 0.1.0 to 1.1.0, both sides.
//!
//! For a plugin's author: a plugin is a configuration struct and three functions; [`plugin`] shows a whole
//! one. For a runtime's author: network lists are [loaded](load) and [run](chain) with ADD, CHECK, DEL, GC
//! and STATUS, their plugins being executables or [linked in](invoke), and results are [kept](store) where
//! libcni keeps them. The [guide] teaches both, from a first plugin on.
//!
//! It handles processes, files and JSON, and blocks: it is neither a networking library, nor does it bring
//! an asynchronous runtime, nor lock containers against two operations at once, which is the caller's part.
//!
//! A runtime that attaches a container and takes it off again:
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
