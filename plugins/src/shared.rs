//! What several plugins do the same way.

pub mod check;
pub mod configure;
pub mod container;
mod error;
pub mod gateway;
pub mod interface;
pub mod ipam;
pub(crate) mod lock;
pub mod mac;
pub mod mark;
pub mod masquerade;
pub mod port;
pub(crate) mod rules;
pub mod veth;
mod wait;

pub use error::SharedError;
pub use mark::Attachment;
