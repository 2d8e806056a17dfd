//! A plugin that does nothing: what the skeleton costs.

use std::process::ExitCode;

use cni_core::plugin::{Add, Check, Del, Plugin, run};
use cni_core::spec::{Error, Success};

struct Noop;

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

fn main() -> ExitCode {
    run(&Noop)
}
