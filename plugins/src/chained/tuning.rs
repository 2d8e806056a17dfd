//! `tuning`: kernel parameters and attributes of an interface that an earlier plugin of the list made.
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `sysctl` | none | parameters below `net` with their values, `"net.ipv4.conf.IFNAME.arp_filter": "1"`; separated by `.` or `/`; the first `IFNAME` stands for the interface |
//! | `mac` | none | hardware address |
//! | `promisc` | `false` | the interface takes every frame; `false` leaves it as it is |
//! | `mtu` | none | MTU in bytes, 68 to 65535; 0 leaves it as it is |
//! | `txQLen` | none | length of the queue for what it sends, in packets |
//! | `allmulti` | none | whether it takes every multicast frame |
//! | `dataDir` | `/run/cni/tuning` | where the earlier values are kept |
//! | `args.cni` | none | all of these but `dataDir` again, each above the one beside it |
//! | `runtimeConfig.mac` | none | hardware address by capability `mac` |
//!
//! Of several hardware addresses that of `args.cni` counts, then `runtimeConfig`, then `MAC` of `CNI_ARGS`,
//! then `mac`.
//!
//! ```json
//! {
//!   "cniVersion": "1.1.0", "name": "blue", "plugins": [
//!     { "type": "bridge", "bridge": "br-blue", "ipam": { "type": "static" }, "capabilities": { "ips": true } },
//!     { "type": "tuning", "mtu": 1400, "sysctl": { "net.core.somaxconn": "500" }, "capabilities": { "mac": true } }
//!   ]
//! }
//! ```
//!
//! Where `/etc/cni/tuning/allowlist.conf` exists, a parameter is set only if its name, as the configuration
//! has it, matches one of the regular expressions there: one a line, found anywhere in the name.
//!
//! # What ADD leaves on the host
//! The file `<container id>_<ifname>.json` in `dataDir`, when it changed an attribute: the values from before,
//! in the reference's format, with whose they are beside them. DEL puts the values back and removes the file;
//! parameters are not put back. A value that the kernel does not take back is logged, and keeps no DEL from
//! succeeding: the interface goes next. GC removes the files of its network's attachments that are not valid; the reference's
//! do not say of which network they are and stay until their DEL.
//!
//! # What is not as in the reference
//! - A failed ADD restores everything that it changed, parameters as well.
//! - A repeated ADD keeps the values from before the first. DEL removes the file when interface or namespace
//!   are gone, and leaves an interface alone that is not the attachment's. The directory is the owner's (0700).
//! - With its hardware address a macvlan device of the reference loses what `macvlan` would know it by; DEL gives it
//!   the alias of our own instead.
//! - The result has the address in lower case, for the container's interface alone, and the MTU.
//! - CHECK takes blanks and tabs between the parts of a parameter for the same and addresses in any case,
//!   looks at promiscuous mode only when that is configured, and passes over what nobody may read.
//! - Parameters are written in the configuration's order; two spellings of one are refused as the same key
//!   twice is. `args.cni.sysctl` needs no `sysctl` beside it.
//!
//! With `macspoofchk` ask `bridge` for the address and not `tuning`: the filter lets the one pass that the
//! interface had when it was made.

mod allowlist;
mod attributes;
mod backup;
mod change;
mod config;
mod error;

use std::path::PathBuf;

use cni_core::plugin::{Add, Check, Del, Gc, Plugin, Rollback};
use cni_core::spec::{Error, IfName, Success};
use cni_net::{At, Links, Namespaces, NetError, Sysctl};

use self::backup::Backup;
use self::config::{Parameter, Settings};
use crate::shared::{SharedError, check, container};

pub use config::{Args, Config, Overrides, Parameters};

/// The plugin `tuning`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tuning<N> {
    /// The kernel's networking.
    pub net: N,
    /// The file that says which parameters may be set; where there is none, all may.
    pub allowlist: PathBuf,
}

impl<N> Tuning<N> {
    /// The plugin with the allowlist in its usual place.
    pub fn new(net: N) -> Self {
        let allowlist = "/etc/cni/tuning/allowlist.conf".into();
        Self { net, allowlist }
    }
}

/// What the plugin needs of the kernel layer.
pub trait Net: Links + Namespaces + Sysctl + Send + Sync {}

impl<N: Links + Namespaces + Sysctl + Send + Sync> Net for N {}

impl<N: Net> Plugin for Tuning<N> {
    type Config = Config;

    const NAME: &'static str = "tuning";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let ifname = &request.id.ifname;
        let settings = Settings::new(&request.config, &request.env.args, ifname)?;
        allowlist::permits(&self.allowlist, &settings.parameters)?;
        let backup = Backup::new(&request.config, &request.env.network, &request.id);
        let mut success = request.prev.ok_or(SharedError::NoPrev)?;
        let netns = self.net.open(&request.netns)?;
        let mut rollback = Rollback::default();
        change::parameters(&self.net, At::Netns(&netns), &settings.parameters, &mut rollback)?;
        if !settings.attributes.is_empty() {
            change::attributes(&self.net, &netns, &settings.attributes, &backup, &mut rollback)?;
        }
        settings.attributes.report(&mut success, ifname);
        rollback.commit();
        Ok(success)
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let backup = Backup::new(&request.config, &request.env.network, &request.id);
        if let Some(saved) = backup.read()?
            && let Some(netns) = container::open(&self.net, request.netns.as_ref())?
        {
            change::restore(&self.net, &netns, &request, &saved)?;
        }
        Ok(backup.remove()?)
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let ifname = &request.id.ifname;
        let settings = Settings::new(&request.config, &request.env.args, ifname)?;
        check::prev(request.prev.as_ref())?;
        let netns = self.net.open(&request.netns)?;
        let at = At::Netns(&netns);
        for parameter in &settings.parameters {
            self.check_parameter(at, parameter)?;
        }
        self.check_attributes(at, ifname, &settings)
    }

    fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        match &request.valid {
            Some(valid) => backup::gc(&request.config.dir(), &request.env.network, valid),
            None => Ok(()),
        }
    }
}

impl<N: Net> Tuning<N> {
    fn check_parameter(&self, at: At<'_>, parameter: &Parameter) -> Result<(), Error> {
        let value = match self.net.sysctl(at, &parameter.path) {
            Err(error) if change::is_unreadable(&error) => return Ok(()),
            value => value?,
        };
        let same = value.split_whitespace().eq(parameter.value.split_whitespace());
        let (subject, wanted) = (format!("sysctl {:?}", parameter.key), &parameter.value);
        Ok(check::ensure(
            same,
            &subject,
            &format!("is {value:?}, not {wanted:?}"),
        )?)
    }

    fn check_attributes(&self, at: At<'_>, ifname: &IfName, settings: &Settings) -> Result<(), Error> {
        let name = ifname.as_str().to_owned();
        let link = self.net.link(at, &name)?;
        let link = link.ok_or(NetError::LinkNotFound { name })?;
        let difference = settings.attributes.difference(&link);
        let problem = difference.as_deref().unwrap_or_default();
        let subject = format!("interface {:?}", ifname.as_str());
        Ok(check::ensure(difference.is_none(), &subject, problem)?)
    }
}
