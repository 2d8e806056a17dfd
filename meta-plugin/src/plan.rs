//! From a pod, its networks and the configuration to an ordered list of attachments, before any effect.
//!
//! Every check of policy and validity is made here, so that no road to an attachment goes round it.

mod attachment;

pub use attachment::{Attachment, NetworkRef, Plan, Warning};
