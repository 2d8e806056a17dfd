//! The standard CNI plugins, as a library and one multi-call program.

pub mod ipam;
pub mod log;
pub mod multicall;
pub mod shared;
mod table;

/// The plugins that change what an earlier one of the list made.
pub mod chained {
    pub mod tuning;
}

/// The plugins that make an interface.
pub mod main {
    pub mod bridge;
    pub mod loopback;
    pub mod macvlan;
    pub mod vxlan;
}

pub use table::{has_ipam, table};
