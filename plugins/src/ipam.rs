//! The plugins that hand out addresses: they touch files at most, and no kernel.

mod conf;
#[cfg(test)]
mod fixture;
pub mod host_local;
pub mod static_;

pub use conf::Config;
