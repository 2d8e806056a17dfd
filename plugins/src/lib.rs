//! The standard CNI plugins, as a library and one multi-call program.

pub mod ipam;
pub mod shared;
