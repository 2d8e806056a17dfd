//! Where the kernel calls a chain.

/// What makes a chain a base chain: the kernel calls it by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Base {
    /// What its rules may do.
    pub kind: ChainType,
    /// At which point of a packet's way.
    pub hook: Hook,
    /// Its turn among the chains of that hook; lower is earlier.
    pub priority: i32,
    /// What becomes of a packet that no rule decided on.
    pub policy: Policy,
}

impl Base {
    /// `{ type KIND hook HOOK priority PRIORITY; policy accept; }`.
    pub fn new(kind: ChainType, hook: Hook, priority: i32) -> Self {
        let policy = Policy::Accept;
        Self {
            kind,
            hook,
            priority,
            policy,
        }
    }
}

/// What a base chain's rules may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainType {
    /// Let pass and drop.
    Filter,
    /// Translate addresses; it sees the first packet of a connection only.
    Nat,
    /// Change what routing depends on.
    Route,
}

impl ChainType {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Nat => "nat",
            Self::Route => "route",
        }
    }
}

/// A point of a packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the hooks of the IP and bridge families, in the order of a packet"
)]
pub enum Hook {
    /// Before routing.
    Prerouting,
    /// To this machine.
    Input,
    /// Through this machine.
    Forward,
    /// From this machine.
    Output,
    /// After routing.
    Postrouting,
}

impl Hook {
    /// `NF_INET_*`; `NF_BR_*` are the same.
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Prerouting => 0,
            Self::Input => 1,
            Self::Forward => 2,
            Self::Output => 3,
            Self::Postrouting => 4,
        }
    }
}

/// What becomes of a packet that no rule decided on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the kernel knows these two")]
pub enum Policy {
    /// It goes on.
    #[default]
    Accept,
    /// It is dropped.
    Drop,
}

impl Policy {
    /// `NF_ACCEPT` or `NF_DROP`.
    pub(super) fn verdict(self) -> u32 {
        match self {
            Self::Accept => 1,
            Self::Drop => 0,
        }
    }
}
