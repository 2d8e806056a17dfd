//! nftables by netlink: `nft`.

use std::fmt;

use netlink_bindings::nftables::Nfgenmsg;

use crate::{At, NetError};

mod base;
mod comment;
mod expr;
mod kernel;
mod op;
mod transaction;

pub use base::{Base, ChainType, Hook, Policy};
pub use expr::{Expr, Is};
#[cfg(feature = "fake")]
pub(crate) use transaction::Step;
pub use transaction::Transaction;

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

impl Family {
    /// `NFPROTO_*`.
    fn number(self) -> u8 {
        match self {
            Self::Bridge => 7,
            Self::Inet => 1,
            Self::Ip => 2,
            Self::Ip6 => 10,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bridge => "bridge",
            Self::Inet => "inet",
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
        })
    }
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

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, table, chain } = self;
        write!(f, "chain {chain:?} of table {family} {table:?}")
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
    family: Family,
    /// What it does; `None` where that includes what we have no word for.
    ops: Option<Vec<op::Op>>,
}

impl Rule {
    /// The rule `exprs` of a table of `family`.
    pub fn new(family: Family, handle: u64, exprs: &[Expr], comment: &str) -> Self {
        let ops = Some(expr::lower(family, exprs));
        let comment = comment.to_owned();
        Self {
            handle,
            comment,
            family,
            ops,
        }
    }

    /// Whether it does what `exprs` say, and nothing else.
    pub fn does(&self, exprs: &[Expr]) -> bool {
        self.ops.as_deref() == Some(&expr::lower(self.family, exprs))
    }
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
    /// When the kernel refuses one of its parts; the message names the part.
    fn apply(&self, at: At<'_>, transaction: &Transaction) -> Result<(), NetError>;
}

/// The head of a request about `family`.
fn header(family: Family) -> Nfgenmsg {
    Nfgenmsg {
        nfgen_family: family.number(),
        ..Nfgenmsg::default()
    }
}
