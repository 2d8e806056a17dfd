//! The Container Network Interface (CNI), both sides, for Rust.
//!
//! For a plugin's author: a plugin is a configuration struct and three functions ([`plugin::Plugin`]).
//! For a runtime's author: lists of plugins are loaded, and run with ADD, CHECK, DEL, GC and STATUS.
//! It is no networking library: it handles processes, files and JSON.

pub mod chain;
pub mod invoke;
pub mod load;
pub mod plugin;
pub mod spec;
pub mod store;
