//! Changing nftables while others do.
//!
//! There is no lock for a table: the kernel applies a transaction whole or not at all, one after the other, and
//! the reference plugins, which share our tables, would know of no lock of ours. What can go wrong is that a
//! rule that was listed is gone when it is to be deleted; then the transaction is built anew.

use cni_net::nft::Transaction;
use cni_net::{At, NetError, Nft};

/// How often a transaction is built. Only those who change the same attachment are in each other's way.
const TRIES: u32 = 5;

/// Applies what `build` makes of the rules as it finds them; nothing is an empty transaction.
///
/// # Errors
/// When the kernel refuses; then nothing has changed.
pub(crate) fn change(
    net: &impl Nft,
    build: impl Fn(&mut Transaction) -> Result<(), NetError>,
) -> Result<(), NetError> {
    let mut tries = 1;
    loop {
        let mut transaction = Transaction::default();
        build(&mut transaction)?;
        match net.apply(At::Host, &transaction) {
            // Somebody else deleted a rule since it was listed.
            Err(error) if error.is_absent() && tries < TRIES => tries += 1,
            outcome => return outcome,
        }
    }
}
