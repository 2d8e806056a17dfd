//! Several networks for each pod, as NetworkAttachmentDefinitions say.

pub mod attach;
pub mod check;
pub mod cluster;
pub mod cni;
pub mod config;
mod default_route;
pub mod demo;
pub mod detach;
mod element;
pub mod gc;
pub mod journal;
pub mod node;
pub mod npwg;
pub mod plan;
pub mod status;
pub mod validate;
