//! nftables by netlink: `nft`.

use crate::{At, NetError};

/// The family of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// Frames that a bridge forwards.
    Bridge,
    /// IPv4 and IPv6.
    Inet,
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
}

/// A chain, named by its table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chain {
    /// The table's family.
    pub family: Family,
    /// The table's name.
    pub table: String,
    /// The chain's name.
    pub chain: String,
}

impl Chain {
    /// The chain `chain` of `table`.
    pub fn new(family: Family, table: &str, chain: &str) -> Self {
        Self {
            family,
            table: table.to_owned(),
            chain: chain.to_owned(),
        }
    }
}

/// A rule that the kernel has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The number by which it is deleted.
    pub handle: u64,
    /// Its comment; empty when there is none.
    pub comment: String,
}

/// nftables: `nft`.
pub trait Nft {
    /// `nft list chain …`: its rules; none when table or chain is not there.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn rules(&self, at: At<'_>, chain: &Chain) -> Result<Vec<Rule>, NetError>;

    /// `nft -f …`: all of `transaction`, or nothing of it.
    ///
    /// # Errors
    /// When the kernel refuses one of its parts.
    fn apply(&self, at: At<'_>, transaction: &Transaction) -> Result<(), NetError>;
}

/// Changes that take effect together.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a transaction does nothing until it is applied"]
pub struct Transaction {
    _steps: Vec<()>,
}
