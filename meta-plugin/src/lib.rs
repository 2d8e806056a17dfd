//! Several networks for each pod, as NetworkAttachmentDefinitions say.

pub mod journal;
pub mod npwg;
pub mod plan;
