//! How long things may take.

use std::time::Duration;

use cni_core::spec::Object;

use super::{ConfigError, keys};

/// How long things may take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlines {
    /// One run of one plugin.
    pub plugin: Duration,
    /// ADD, and CHECK, of a whole pod.
    pub add: Duration,
    /// DEL of a whole pod, and GC.
    pub del: Duration,
    /// STATUS without the daemon.
    pub status: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            plugin: Duration::from_secs(30),
            add: Duration::from_secs(100),
            del: Duration::from_secs(60),
            status: Duration::from_millis(900),
        }
    }
}

impl Deadlines {
    /// Reads `deadlines`, an object of durations; absent ones keep their default.
    pub(super) fn parse(object: &Object) -> Result<Self, ConfigError> {
        keys::only(object, &["plugin", "add", "del", "status"], None)?;
        let default = Self::default();
        let duration = |key: &'static str, default: Duration| {
            let text: Option<String> = object.parse_key(key)?;
            let Some(text) = text else { return Ok(default) };
            let rule = "a duration is a number and \"ms\", \"s\" or \"m\", above zero and at most an hour";
            parse_duration(&text).ok_or_else(|| ConfigError::value(key, text, rule))
        };
        Ok(Self {
            plugin: duration("plugin", default.plugin)?,
            add: duration("add", default.add)?,
            del: duration("del", default.del)?,
            status: duration("status", default.status)?,
        })
    }
}

/// Reads `900ms`, `30s` or `2m`; `None` for anything else, zero, and more than an hour.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    let (number, unit) = units
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    let plain = number.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = plain.then(|| number.parse().ok()).flatten()?;
    let duration = Duration::from_millis(number.checked_mul(unit)?);
    let longest = Duration::from_secs(3600);
    (!duration.is_zero() && duration <= longest).then_some(duration)
}
