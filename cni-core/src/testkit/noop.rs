//! The plugin that does nothing.

use crate::plugin::{Add, Check, Del, Plugin};
use crate::spec::{Error, Success};

/// Answers ADD with what the plugin before answered, and does nothing else: what remains is what it costs to call a
/// plugin.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct Noop;

impl Plugin for Noop {
    type Config = serde::de::IgnoredAny;
    const NAME: &'static str = "noop";

    fn add(&self, request: Add<'_, Self::Config>) -> Result<Success, Error> {
        Ok(request.prev.unwrap_or_default())
    }

    fn del(&self, _: Del<'_, Self::Config>) -> Result<(), Error> {
        Ok(())
    }

    fn check(&self, _: Check<'_, Self::Config>) -> Result<(), Error> {
        Ok(())
    }
}
