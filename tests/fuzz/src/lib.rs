//! Everything that reads what somebody else wrote, as functions of bytes.
//!
//! A target panics when its parser does, and also when something does not hold that should: what was read is
//! written again and means the same, what was refused has a documented code and a message of bounded length,
//! what was attached is gone after DEL. [`drive`] runs a target on stable; the programs in `fuzz/` hand the same
//! functions to libFuzzer. What was ever found lies in `found/<target>/` and is run first each time.
#![allow(clippy::unwrap_used, reason = "a target fails by panicking")]

mod answers;
mod attach;
mod conf;
pub mod drive;
mod files;
mod journal;
mod machine;
pub mod mutate;
mod npwg;
mod plugins;
mod result;
mod scratch;
mod skeleton;
mod store;
mod target;
mod values;

use cni_core::spec::{Code, Error};

pub use target::{TARGETS, Target};

/// More than any message of ours: what it quotes of its input is shortened.
const LONGEST_MESSAGE: usize = 16_384;

/// That a refusal has one of `codes`, says something, and does not repeat a large input.
#[track_caller]
fn refused(error: impl Into<Error>, codes: &[Code]) {
    let error = error.into();
    assert!(codes.contains(&error.code), "code {}: {error}", error.code);
    assert!(!error.msg.is_empty(), "a refusal without a message: {error:?}");
    let length = error.to_string().len();
    assert!(length <= LONGEST_MESSAGE, "a message of {length} bytes");
}
