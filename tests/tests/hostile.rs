//! Everything that can go wrong around Plexus goes wrong: processes are killed, many come at once, files are
//! damaged, plugins misbehave. Afterwards a detach leaves nothing, and every failure says what it is.
//!
//! Each test has a host of its own: a network namespace without a name, and directories. They need root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "hostile/faults.rs"]
mod faults;
#[path = "hostile/files.rs"]
mod files;
#[path = "hostile/kills.rs"]
mod kills;
#[path = "hostile/node.rs"]
mod node;
#[path = "hostile/parallel.rs"]
mod parallel;
#[path = "hostile/plugins.rs"]
mod plugins;
#[path = "hostile/steps.rs"]
mod steps;
#[path = "hostile/traced.rs"]
mod traced;
