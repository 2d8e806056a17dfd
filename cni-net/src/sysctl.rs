//! Kernel parameters of a network namespace: `sysctl net.…`.

use crate::{At, NetError};

/// Kernel parameters: `sysctl`.
pub trait Sysctl {
    /// Reads `/proc/sys/net/KEY`, without the line end.
    ///
    /// # Errors
    /// When there is no such key, or it cannot be read.
    fn sysctl(&self, at: At<'_>, key: &str) -> Result<String, NetError>;

    /// Writes `/proc/sys/net/KEY` for each pair, in order, on one entry into the namespace.
    ///
    /// # Errors
    /// When there is no such key, or it cannot be written; later pairs are then not written.
    fn set_sysctls(&self, at: At<'_>, values: &[(String, String)]) -> Result<(), NetError>;
}
