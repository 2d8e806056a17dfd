//! Where pods and NetworkAttachmentDefinitions come from: plain files.
//!
//! One file that cannot be used hides no other; it is reported beside what was found.

mod nads;
mod pods;

pub use nads::{Nads, NadsError};
pub use pods::{PodError, pod, pod_in};
