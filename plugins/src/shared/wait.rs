//! Waiting for the kernel: duplicate-address detection, carrier.

use std::thread::sleep;
use std::time::{Duration, Instant};

use cni_core::spec::Error;
use cni_net::link::OperState;
use cni_net::{Addrs, At, Links, NetError, Routes};
use ipnet::IpNet;

use crate::shared::SharedError;

/// Duplicate-address detection needs one to two seconds.
const LONGEST: Duration = Duration::from_secs(5);

/// Waits until no address of the interface is tentative.
///
/// # Errors
/// When one is found to be in use, or the kernel takes too long.
pub(crate) fn settled<N: Addrs>(net: &N, at: At<'_>, ifname: &str) -> Result<(), Error> {
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
            return Err(SharedError::NotUsable {
                ifname: ifname(),
                address,
            }
            .into());
        }
        sleep(Duration::from_millis(20));
    }
}

/// Waits until `addresses` receive: the kernel completes an IPv6 address on a work queue of its own, which on
/// a busy machine takes a while, and drops what arrives before. The address's local route comes last.
///
/// # Errors
/// When the kernel refuses or takes too long.
pub(crate) fn usable<N: Routes>(
    net: &N,
    at: At<'_>,
    ifname: &str,
    addresses: impl Iterator<Item = IpNet>,
) -> Result<(), Error> {
    /// `RT_TABLE_LOCAL`.
    const LOCAL: u32 = 255;
    let end = Instant::now() + LONGEST;
    for address in addresses.filter(|a| a.addr().is_ipv6()) {
        while net.route_to(at, address.addr())?.and_then(|route| route.table) != Some(LOCAL) {
            if Instant::now() >= end {
                let ifname = ifname.to_owned();
                return Err(SharedError::NotUsable { ifname, address }.into());
            }
            sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// Waits, a moment at most, until the kernel has noticed the interface's carrier: before that IPv6 sends nothing.
///
/// From Linux 6.8 on, to look at the interface makes it notice.
///
/// # Errors
/// When the kernel refuses. That there is no carrier is no error: a parent may be down.
pub(crate) fn carrier<N: Links>(net: &N, at: At<'_>, ifname: &str) -> Result<(), NetError> {
    const PAUSES: [u64; 6] = [1, 2, 5, 10, 20, 50];
    for pause in PAUSES {
        match net.link(at, ifname)?.map(|link| link.state) {
            Some(OperState::Down | OperState::Other) => sleep(Duration::from_millis(pause)),
            _ => break,
        }
    }
    Ok(())
}
