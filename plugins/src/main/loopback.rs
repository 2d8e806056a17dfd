//! `loopback`: the container's `lo`, up.
//!
//! It has no keys of its own, and takes no notice of `CNI_IFNAME`: the interface is always `lo`.
//!
//! ```json
//! { "cniVersion": "1.1.0", "name": "lo", "type": "loopback" }
//! ```
//!
//! # What ADD leaves on the host
//! Nothing.

use cni_core::plugin::{Add, Check, Del, Plugin, Rollback};
use cni_core::spec::{Code, Error, Interface, IpConfig, NetnsPath, Success};
use cni_net::link::Change;
use cni_net::{Addr, Addrs, At, Links, Namespaces, NetError};
use serde::Deserialize;

use crate::shared::{check, container};

const LO: &str = "lo";

/// The plugin `loopback`.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the kernel layer is all that it is made of"
)]
pub struct Loopback<N> {
    /// The kernel's networking.
    pub net: N,
}

/// The configuration: nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[non_exhaustive]
pub struct Config {}

impl<N: Links + Addrs + Namespaces + Send + Sync> Plugin for Loopback<N> {
    type Config = Config;

    const NAME: &'static str = "loopback";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let netns = self.net.open(&request.netns)?;
        let at = At::Netns(&netns);
        // Looked at first, so that nothing is changed for an error.
        only_loopback(&self.net.addrs(at, LO)?)?;
        let was_up = self.net.link(at, LO)?.is_some_and(|lo| lo.up);
        let mut rollback = Rollback::default();
        self.net.set_link(at, LO, &Change::up())?;
        if !was_up {
            rollback.on_failure("lo", || Ok(self.net.set_link(at, LO, &Change::down())?));
        }
        let success = match request.prev {
            Some(prev) => prev,
            None => result(&self.net.addrs(at, LO)?, &request.netns),
        };
        rollback.commit();
        Ok(success)
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let Some(netns) = container::open(&self.net, request.netns.as_ref())? else {
            return Ok(());
        };
        // A namespace's path may have come to name the host's own, whose programs need their `lo`.
        if *netns.id() == self.net.host_id()? {
            return Ok(());
        }
        match self.net.set_link(At::Netns(&netns), LO, &Change::down()) {
            Err(error) if error.is_absent() => Ok(()),
            outcome => Ok(outcome?),
        }
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let netns = self.net.open(&request.netns)?;
        let name = || LO.to_owned();
        let link = self.net.link(At::Netns(&netns), LO)?;
        let link = link.ok_or_else(|| NetError::LinkNotFound { name: name() })?;
        Ok(check::ensure(link.up, "interface \"lo\"", "is down")?)
    }
}

fn only_loopback(addrs: &[Addr]) -> Result<(), Error> {
    match addrs.iter().find(|a| !a.address.addr().is_loopback()) {
        None => Ok(()),
        Some(foreign) => {
            let msg = "loopback interface found with non-loopback address";
            Err(Error::new(Code(155), format!("{msg} {}", foreign.address)))
        }
    }
}

/// The interface with its first address of each family.
fn result(addrs: &[Addr], netns: &NetnsPath) -> Success {
    let mut interface = Interface::new(LO);
    interface.mac = "00:00:00:00:00:00".to_owned();
    interface.sandbox = netns.to_string();
    let mut success = Success::new();
    success.interfaces.push(interface);
    for v4 in [true, false] {
        if let Some(addr) = addrs.iter().find(|a| a.address.addr().is_ipv4() == v4) {
            let mut ip = IpConfig::new(addr.address);
            ip.interface = Some(0);
            success.ips.push(ip);
        }
    }
    success
}
