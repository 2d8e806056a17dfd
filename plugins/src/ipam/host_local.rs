//! `host-local`: addresses from ranges, remembered in files of this node.
//!
//! A drop-in for the reference's plugin of the same name: the same configuration, the same files,
//! the same lock. Both may run at once on one data directory.
//!
//! # Configuration
//!
//! All below `ipam`:
//!
//! | key | default | what it says |
//! |---|---|---|
//! | `type` | | `host-local` |
//! | `ranges` | | list of sets; a set is a list of ranges, and gives one address |
//! | `ranges[][].subnet` | | the network, as `10.1.0.0/16`; at most /30 and /126 |
//! | `ranges[][].rangeStart`, `rangeEnd` | first and last of the subnet | the addresses to hand out, both included |
//! | `ranges[][].gateway` | first of the subnet | never handed out |
//! | `subnet`, `rangeStart`, `rangeEnd`, `gateway` | | one range that stands before `ranges` |
//! | `routes` | none | routes of the result: `dst`, `gw`, `mtu`, `advmss`, `priority`, `table`, `scope` |
//! | `resolvConf` | none | file whose content becomes the result's `dns` |
//! | `dataDir` | `/var/lib/cni/networks` | where the files are, in a directory for each network |
//!
//! An address may be asked for by `IP` in `CNI_ARGS`, `args.cni.ips` and `runtimeConfig.ips`; a
//! prefix length is ignored. `runtimeConfig.ipRanges` are sets that stand before all others.
//!
//! ```json
//! { "cniVersion": "1.1.0", "name": "pods", "type": "bridge",
//!   "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.1.0.0/24" }], [{ "subnet": "fd00:1::/64" }]] } }
//! ```
//!
//! # What ADD leaves on the host
//!
//! In `<dataDir>/<network>`: a file for each address, named by it, with container id and interface
//! name; `last_reserved_ip.<set>`; `lock`. DEL removes the address files. See the module `store` for
//! the order of writing.
//!
//! # Beyond the reference
//!
//! One lock and one look at the directory for a whole ADD. DEL frees addresses also when the ranges
//! are wrong by now, and reports what it could not free. CHECK looks for the very addresses of the
//! result. GC frees those of attachments that are not valid any more, and STATUS says 50 when a
//! set has no address left or the directory cannot be written.

mod allocate;
mod range;
mod resolv;
mod settings;
mod store;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use cni_core::plugin::{Add, Check, Del, Gc, Plugin, Status, Teardown};
use cni_core::spec::{Code, Dns, Error, Success, ValidAttachment};

use self::settings::{Settings, directory};
use self::store::{Owner, Store, StoreError};
use super::Config;
use crate::shared::lock::LockError;

/// The plugin; it has no state but its files.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct HostLocal;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Lock(LockError::Busy { .. }) => Code::TRY_AGAIN,
            StoreError::Lock(LockError::Io { .. }) | StoreError::Io { .. } => Code(143),
        };
        Self::from_source(code, &error)
    }
}

impl Plugin for HostLocal {
    type Config = Config;

    const NAME: &'static str = "host-local";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let settings = Settings::parse(&request.config, &request.env)?;
        let dns = settings.resolv_conf.as_deref().map(read_dns).transpose()?;
        let dir = directory(&request.config, &request.env)?;
        let mut store = Store::open(&dir, request.env.deadline)?;
        let mut success = Success::new();
        success.ips = allocate::allocate(&settings, &mut store, &request.id)?;
        success.routes = settings.routes;
        success.dns = dns.unwrap_or_default();
        Ok(success)
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let dir = directory(&request.config, &request.env)?;
        let Some(mut store) = Store::open_existing(&dir, request.env.deadline)? else {
            return Ok(());
        };
        let mut teardown = Teardown::default();
        let ours = store.addresses_of(&request.id);
        for (ip, error) in store.unreadable() {
            if may_have_got(ip, request.prev.as_ref(), &ours) {
                teardown.step("release address", Err(error.into()));
            }
        }
        for ip in ours {
            teardown.step("release address", store.release(ip).map_err(Error::from));
        }
        teardown.finish()
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let settings = Settings::parse(&request.config, &request.env)?;
        let dir = directory(&request.config, &request.env)?;
        let store = Store::open_existing(&dir, request.env.deadline)?;
        let ours = store
            .map(|store| store.addresses_of(&request.id))
            .unwrap_or_default();
        let container = &request.id.container;
        if ours.is_empty() {
            let msg = format!("host-local: Failed to find address added by container {container}");
            return Err(Error::new(Code(144), msg));
        }
        // Addresses outside every set are another plugin's.
        let in_a_set = |ip| settings.sets.iter().any(|set| set.range_of(ip).is_some());
        for ip in request
            .prev
            .iter()
            .flat_map(|prev| &prev.ips)
            .map(|ip| ip.address.addr())
        {
            if in_a_set(ip) && !ours.contains(&ip) {
                let msg = format!("host-local: Failed to find address {ip} of container {container}");
                return Err(Error::new(Code(144), msg));
            }
        }
        Ok(())
    }

    fn status(&self, request: Status<'_, Config>) -> Result<(), Error> {
        let settings = Settings::parse(&request.config, &request.env)?;
        let dir = directory(&request.config, &request.env)?;
        let unavailable = |error: Error| Error::new(Code::UNAVAILABLE, error.msg).with_details(error.details);
        let store = Store::open(&dir, request.env.deadline);
        let store = store.map_err(|e| unavailable(e.into()))?;
        store.probe().map_err(|e| unavailable(e.into()))?;
        for (number, set) in settings.sets.iter().enumerate() {
            allocate::free(number, set, &store).map_err(|e| unavailable(e.into()))?;
        }
        Ok(())
    }

    fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        let Some(valid) = &request.valid else {
            return Ok(());
        };
        let dir = directory(&request.config, &request.env)?;
        let Some(mut store) = Store::open_existing(&dir, request.env.deadline)? else {
            return Ok(());
        };
        let mut teardown = Teardown::default();
        for (_, error) in store.unreadable() {
            teardown.step("release address", Err(error.into()));
        }
        for ip in store.addresses(|owner| !is_valid(owner, valid)) {
            tracing::debug!(%ip, "release address of no valid attachment");
            teardown.step("release address", store.release(ip).map_err(Error::from));
        }
        teardown.finish()
    }
}

/// Whether an address is in use; one without an interface's name is, if any of its container's is.
fn is_valid(owner: &Owner, valid: &BTreeSet<ValidAttachment>) -> bool {
    match owner {
        Owner::Interface { container, ifname } => valid
            .iter()
            .any(|valid| container == valid.container.as_str() && ifname == valid.ifname.as_str()),
        Owner::Container(container) => valid.iter().any(|valid| container == valid.container.as_str()),
        Owner::Unknown | Owner::Unreadable(_) => true,
    }
}

/// Whether an attachment may have the address of a file that cannot be read: when its result says so, or where
/// there is none, when it has no other.
fn may_have_got(ip: IpAddr, prev: Option<&Success>, ours: &[IpAddr]) -> bool {
    match prev {
        Some(prev) => prev.ips.iter().any(|config| config.address.addr() == ip),
        None => ours.is_empty(),
    }
}

fn read_dns(path: &Path) -> Result<Dns, Error> {
    resolv::read(path).map_err(|source| {
        let msg = format!("read resolvConf {:?}", path.display().to_string());
        Error::new(Code(145), msg).with_details(source.to_string())
    })
}

#[cfg(test)]
mod tests;
