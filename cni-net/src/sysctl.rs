//! Kernel parameters of a network namespace: `sysctl net.…`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use cni_core::spec::Error;

use crate::netns::Place;
use crate::{At, Kernel, NetError};

/// Kernel parameters: `sysctl`.
pub trait Sysctl {
    /// Reads `/proc/sys/net/KEY`, without the line end: `ipv4/ip_forward` for instance.
    ///
    /// # Errors
    /// When there is no such key, or it cannot be read.
    fn sysctl(&self, at: At<'_>, key: &str) -> Result<String, NetError>;

    /// Writes `/proc/sys/net/KEY` for each pair, in order, on one entry into the namespace.
    ///
    /// # Errors
    /// When there is no such key, or it cannot be written and has another value; later pairs are then not written.
    /// [`NetError::Value`] when a key leads out of there; then nothing is written.
    fn set_sysctls(&self, at: At<'_>, values: &[(String, String)]) -> Result<(), NetError>;
}

/// By `/proc/sys/net`, which shows the namespace of the thread that looks.
impl Sysctl for Kernel {
    fn sysctl(&self, at: At<'_>, key: &str) -> Result<String, NetError> {
        let file = file(key)?;
        let failed = |source| NetError::Request {
            what: format!("read sysctl {key:?}"),
            source,
        };
        let text = self.place(at)?.run(|| fs::read_to_string(file))?;
        Ok(text.map_err(failed)?.trim_end().to_owned())
    }

    fn set_sysctls(&self, at: At<'_>, values: &[(String, String)]) -> Result<(), NetError> {
        let place = self.place(at)?;
        if values.is_empty() {
            return Ok(());
        }
        // All keys are looked at before the first is written.
        let files: Vec<_> = values
            .iter()
            .map(|(key, _)| file(key))
            .collect::<Result<_, _>>()?;
        place.run(|| {
            let mut pairs = files.iter().zip(values);
            pairs.try_for_each(|(file, (key, value))| write(file, key, value))
        })?
    }
}

/// Makes a link of ours deaf to router advertisements. It works without: where IPv6 is off, or `/proc/sys`
/// read-only, that is only logged.
pub(crate) fn ignore_router_advertisements(place: &Place, link: &str) -> Result<(), NetError> {
    let key = format!("ipv6/conf/{link}/accept_ra");
    let file = file(&key)?;
    if let Err(error) = place.run(|| write(&file, &key, "0"))? {
        tracing::debug!(link, error = %Error::from(error), "ignore router advertisements");
    }
    Ok(())
}

/// The file of `key`, which cannot lead elsewhere.
pub(crate) fn file(key: &str) -> Result<PathBuf, NetError> {
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    if key.split('/').all(plain) && !key.contains('\0') {
        return Ok(Path::new("/proc/sys/net").join(key));
    }
    Err(NetError::Value {
        what: "sysctl",
        value: format!("{key:?}"),
        rule: "is not a path below /proc/sys/net",
    })
}

fn write(file: &Path, key: &str, value: &str) -> Result<(), NetError> {
    // Neither created nor truncated: a key exists or it does not.
    let opened = OpenOptions::new().write(true).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(value.as_bytes()));
    match written {
        // Where /proc/sys is read-only, as in many containers, what is right already need not be written.
        Err(_) if fs::read_to_string(file).is_ok_and(|there| there.trim_end() == value) => Ok(()),
        written => written.map_err(|source| NetError::Request {
            what: format!("write {value:?} to sysctl {key:?}"),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::file;

    #[test]
    fn a_key_stays_below_its_root() {
        for good in [
            "ipv4/ip_forward",
            "ipv6/conf/eth0.100/accept_ra",
            "ipv4/conf/a..b/rp_filter",
        ] {
            assert!(file(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "../kernel/core_pattern",
            "ipv4/../../kernel/x",
            "ipv4//x",
            "ipv4/",
            "./x",
            "a\0",
        ] {
            assert!(file(bad).is_err(), "{bad:?}");
        }
    }
}
