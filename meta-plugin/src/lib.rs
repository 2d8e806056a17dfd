//! Several networks for each pod, as NetworkAttachmentDefinitions say.

pub mod npwg;
pub mod plan;
