//! Waiting for duplicate-address detection.

use std::thread::sleep;
use std::time::{Duration, Instant};

use cni_core::spec::Error;
use cni_net::{Addrs, At};

use crate::shared::SharedError;

/// The kernel needs one to two seconds.
const LONGEST: Duration = Duration::from_secs(5);

/// Waits until no address of the interface is tentative.
///
/// # Errors
/// When one is found to be in use, or the kernel takes too long.
pub(super) fn settled<N: Addrs>(net: &N, at: At<'_>, ifname: &str) -> Result<(), Error> {
    let end = Instant::now() + LONGEST;
    loop {
        let addrs = net.addrs(at, ifname)?;
        let ifname = || ifname.to_owned();
        if let Some(failed) = addrs.iter().find(|a| a.dad_failed) {
            let address = failed.address;
            return Err(SharedError::Duplicate {
                ifname: ifname(),
                address,
            }
            .into());
        }
        let Some(tentative) = addrs.iter().find(|a| a.tentative) else {
            return Ok(());
        };
        if Instant::now() >= end {
            let address = tentative.address;
            return Err(SharedError::StillTentative {
                ifname: ifname(),
                address,
            }
            .into());
        }
        sleep(Duration::from_millis(20));
    }
}
