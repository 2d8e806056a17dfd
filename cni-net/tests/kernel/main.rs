//! The kernel layer on a real kernel: each test in fresh namespaces without names, which go with it. Needs
//! root.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod addrs;
mod announce;
mod fixture;
mod links;
mod neighbours;
mod netns;
mod nft;
mod routes;
mod tunnels;
