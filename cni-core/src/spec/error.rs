//! The one error that goes over the wire.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Version;

/// An error code of the specification (section 5), or a plugin's own from 100 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(pub u32);

impl Code {
    /// Nothing is known of the failure: a plugin ended without an error object.
    pub const UNKNOWN: Self = Self(0);
    /// The configuration's version is not supported.
    pub const INCOMPATIBLE_VERSION: Self = Self(1);
    /// A field of the configuration is not supported; the message names key and value.
    pub const UNSUPPORTED_FIELD: Self = Self(2);
    /// The container is unknown, so nothing needs cleaning.
    pub const UNKNOWN_CONTAINER: Self = Self(3);
    /// An environment variable is missing or invalid; the message names it.
    pub const INVALID_ENVIRONMENT: Self = Self(4);
    /// Input or output failed.
    pub const IO: Self = Self(5);
    /// The content could not be decoded.
    pub const DECODING: Self = Self(6);
    /// The network configuration is invalid.
    pub const INVALID_CONFIG: Self = Self(7);
    /// The network namespace is invalid (in the reference's code, not in the specification's table).
    pub const INVALID_NETNS: Self = Self(8);
    /// A transient condition: the runtime should try again later.
    pub const TRY_AGAIN: Self = Self(11);
    /// STATUS: ADD could not be served now.
    pub const UNAVAILABLE: Self = Self(50);
    /// STATUS: ADD could not be served, and containers already attached may have limited connectivity.
    pub const LIMITED: Self = Self(51);
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The error object of the specification (section 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Error {
    /// What kind of failure; [`Code::UNKNOWN`] when a plugin does not say.
    #[serde(default)]
    pub code: Code,
    /// What was being attempted: lower case, no full stop, names quoted.
    #[serde(default)]
    pub msg: String,
    /// The chain of causes, joined by ": ".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub details: String,
}

impl Error {
    /// An error with no further details.
    pub fn new(code: Code, msg: impl Into<String>) -> Self {
        Self {
            code,
            msg: msg.into(),
            details: String::new(),
        }
    }

    /// The same with `details`.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }

    /// Whether it is an object without any key that an error has.
    pub(crate) fn says_nothing(&self) -> bool {
        *self == Self::new(Code::UNKNOWN, "")
    }

    /// The error object as a plugin writes it to stdout, in answer to a configuration of `version`; shortened.
    pub fn answer(&self, version: Version) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer<'a> {
            cni_version: Version,
            #[serde(flatten)]
            error: &'a Error,
        }
        let answer = Answer {
            cni_version: version,
            error: &self.shortened(),
        };
        // A number and strings: this cannot fail, and an empty answer is an error to every caller.
        serde_json::to_string(&answer).unwrap_or_default()
    }

    /// `error` as the message and its sources as the details, shortened.
    pub fn from_source(code: Code, error: &dyn std::error::Error) -> Self {
        let causes = error.source().map(with_causes).unwrap_or_default();
        Self::new(code, shortened(&error.to_string())).with_details(causes)
    }

    /// The same with message and details shortened: an error may quote megabytes of its input.
    #[must_use]
    pub fn shortened(&self) -> Self {
        Self::new(self.code, shortened(&self.msg)).with_details(shortened(&self.details))
    }
}

/// `error` and its causes in one line, joined by ": " and shortened.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |e| e.source());
    shortened(&all.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// As much of `text` as it takes to recognise it.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 4096;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.msg)?;
        if self.details.is_empty() {
            Ok(())
        } else {
            write!(f, "; {}", self.details)
        }
    }
}

impl std::error::Error for Error {}
