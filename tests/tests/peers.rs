//! Against the real reference: its runtime drives our plugins, our runtime drives its plugins.
//!
//! The tests share one network namespace as their host, so each uses names of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "peers/cnitool.rs"]
mod cnitool;
#[path = "peers/reference.rs"]
mod reference;
#[path = "peers/skel.rs"]
mod skel;
