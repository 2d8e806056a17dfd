//! Against the real reference: its runtime drives our plugins and the whole of Plexus, our runtime drives its
//! plugins.
//!
//! The tests share one network namespace as their host, so each uses names of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "peers/agree.rs"]
mod agree;
#[path = "peers/cnitool.rs"]
mod cnitool;
#[path = "peers/conformance.rs"]
mod conformance;
#[path = "peers/documentation.rs"]
mod documentation;
#[path = "peers/plexus.rs"]
mod plexus;
#[path = "peers/reference.rs"]
mod reference;
#[path = "peers/skel.rs"]
mod skel;
#[path = "peers/takeover.rs"]
mod takeover;
#[path = "peers/third_party.rs"]
mod third_party;
#[path = "peers/tuning.rs"]
mod tuning;
#[path = "peers/types.rs"]
mod types;
