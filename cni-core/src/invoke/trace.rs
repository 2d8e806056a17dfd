//! The trace that a call belongs to.

use std::ffi::OsString;

/// The trace that a call belongs to, as W3C Trace Context and Baggage write it.
///
/// It goes from the caller to the plugin and on to its delegates as it came, and stands on the span of each
/// verb; nothing reads it. No call fails for its sake: what cannot be carried is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceContext {
    /// `TRACEPARENT`: which trace, and which span in it.
    pub parent: Option<String>,
    /// `TRACESTATE`: what tracing systems add to that.
    pub state: Option<String>,
    /// `BAGGAGE`: what the caller has to say to everybody who works for it.
    pub baggage: Option<String>,
}

impl TraceContext {
    /// What an environment says; `lookup` finds its variables.
    pub fn read(lookup: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let var = |name: &str| {
            let value = lookup(name)?.into_string().ok()?;
            (!value.is_empty()).then_some(value)
        };
        Self {
            parent: var("TRACEPARENT"),
            state: var("TRACESTATE"),
            baggage: var("BAGGAGE"),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The variables.
    pub(super) const NAMES: [&'static str; 3] = ["TRACEPARENT", "TRACESTATE", "BAGGAGE"];

    /// The variables that have a value.
    pub(super) fn vars(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let values = [&self.parent, &self.state, &self.baggage];
        let all = Self::NAMES.into_iter().zip(values);
        // An environment has no place for a value with a NUL in it.
        all.filter_map(|(name, value)| Some((name, value.as_deref().filter(|value| !value.contains('\0'))?)))
    }
}
