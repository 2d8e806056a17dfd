//! Plans on a real kernel: nodes and pods are fresh namespaces without names, which go with each test. Needs
//! root.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attaching;
mod detaching;
mod fixture;
mod killed;
mod long;
mod missing;
mod plugin;
mod routing;
mod scripted;
mod upkeep;
