//! The verbs, as the environment names them.

use std::fmt;

use super::Verb;
use crate::spec::Version;

/// Every verb that does something to an attachment or a network: all but VERSION.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new verb is a new version of the specification"
)]
pub enum Operation {
    /// ADD.
    Add,
    /// CHECK.
    Check,
    /// DEL.
    Del,
    /// GC.
    Gc,
    /// STATUS.
    Status,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Add, Self::Check, Self::Del, Self::Gc, Self::Status];

    /// The value of `CNI_COMMAND`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Check => "CHECK",
            Self::Del => "DEL",
            Self::Gc => "GC",
            Self::Status => "STATUS",
        }
    }

    /// The first version of the specification that has it.
    pub fn since(self) -> Version {
        match self {
            Self::Add | Self::Del => Version::V0_1_0,
            Self::Check => Version::V0_4_0,
            Self::Gc | Self::Status => Version::V1_1_0,
        }
    }
}

impl From<Verb> for Operation {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Check => Self::Check,
            Verb::Del => Self::Del,
            Verb::Gc => Self::Gc,
            Verb::Status => Self::Status,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
