//! Several networks for each pod, as NetworkAttachmentDefinitions say.

pub mod cluster;
pub mod config;
pub mod journal;
pub mod npwg;
pub mod plan;
