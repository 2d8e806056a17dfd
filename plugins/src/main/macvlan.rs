//! `macvlan`: an interface of its own hardware address on one of the host's, with no bridge between.
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `master` | the default route's interface | the interface that it hangs on |
//! | `mode` | `"bridge"` | `bridge`, `private`, `vepa` or `passthru` |
//! | `mtu` | the master's | 0 (the master's) to the master's MTU |
//! | `mac`, `runtimeConfig.mac` | kernel's | hardware address; above `MAC` of `CNI_ARGS`, the latter first |
//! | `linkInContainer` | `false` | the master is looked for in the container's namespace |
//! | `bcqueuelen` | kernel's | length of the queue for broadcasts |
//! | `ipam` | none | the plugin that gives addresses; without it the attachment is layer 2 only |
//! | `dns` | IPAM's | name servers for the result |
//!
//! ```json
//! {
//!   "cniVersion": "1.1.0", "name": "lab", "type": "macvlan", "master": "eth1",
//!   "ipam": { "type": "static", "addresses": [{ "address": "10.1.2.3/24" }] }
//! }
//! ```
//!
//! # What ADD leaves on the host
//! Nothing: the interface is the container's, is born there under its final name, and bears the alias
//! `plexus:<network>/<container>/<ifname>`. DEL also removes one that bears no attachment's alias, as the reference's
//! plugin makes it, if it has name and hardware address of `prevResult`; and looks where that says the interface is,
//! should the request name another namespace or none.

mod attach;
mod config;

use cni_core::plugin::{Add, Check, Del, Gc, Plugin, Status, Teardown};
use cni_core::spec::{Error, Success};
use cni_net::link::{Link, LinkKind, PASSING_NAME, POD_GROUP};
use cni_net::{Addrs, At, Links, Namespaces, Routes, Sysctl};

pub use config::Config;

use crate::shared::{Attachment, check, container};

/// The plugin `macvlan`.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the kernel layer is all that it is made of"
)]
pub struct Macvlan<N> {
    /// The kernel's networking.
    pub net: N,
}

/// What the plugin needs of the kernel layer.
pub trait Net: Addrs + Links + Namespaces + Routes + Sysctl + Send + Sync {}

impl<N: Addrs + Links + Namespaces + Routes + Sysctl + Send + Sync> Net for N {}

impl<N: Net> Plugin for Macvlan<N> {
    type Config = Config;

    const NAME: &'static str = "macvlan";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        attach::add(&self.net, &request)
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let mut teardown = Teardown::default();
        let link = self.del_link(&request);
        // An address must not be given out again while an interface still has it.
        let released = link.is_ok().then(|| request.config.ipam.del(&request));
        teardown.step("macvlan", link);
        teardown.step("IPAM", released.unwrap_or(Ok(())));
        teardown.finish()
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let (config, ifname) = (&request.config, &request.id.ifname);
        let netns = self.net.open(&request.netns)?;
        config.ipam.check(&request)?;
        let prev = check::prev(request.prev.as_ref())?;
        let (index, expected) = check::container(prev, ifname, &request.netns)?;
        let link = check::link(&self.net, At::Netns(&netns), expected)?;
        let master = attach::master(&self.net, config, &netns)?;
        let mode = config.mode()?;
        let subject = format!("interface {:?}", ifname.as_str());
        let right_mode = link.kind == LinkKind::Macvlan { mode };
        check::ensure(
            right_mode,
            &subject,
            "is no macvlan device of the configured mode",
        )?;
        check::ensure(
            link.parent == Some(master.index),
            &subject,
            "hangs on another master",
        )?;
        check::ensure(link.up, &subject, "is down")?;
        check::addresses_and_routes(&self.net, &netns, ifname, prev, index)
    }

    fn status(&self, request: Status<'_, Config>) -> Result<(), Error> {
        request.config.ipam.status(&request)
    }

    /// The links live and die with their containers; only addresses can be left over.
    fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        request.config.ipam.gc(&request)
    }
}

impl<N: Net> Macvlan<N> {
    /// In the namespace of the request also one without a mark, made by an ADD that was killed before it could set it:
    /// the group number is in the creating message.
    ///
    /// Then where the result says that it was made, if that is another place: once its address is free, the next
    /// container gets that.
    fn del_link(&self, request: &Del<'_, Config>) -> Result<(), Error> {
        let attachment = Attachment::new(&request.env.network, &request.id);
        let (prev, ifname) = (request.prev.as_ref(), request.id.ifname.as_str());
        let is_described = |link: &Link| container::describes(prev, link) && !attachment.is_anothers(link);
        let is_known = |link: &Link| is_macvlan(link) && (attachment.owns(link) || is_described(link));
        let is_unmarked = |link: &Link| is_macvlan(link) && link.alias.is_none() && link.group == POD_GROUP;
        let here = request.netns.as_ref();
        if let Some(netns) = container::open(&self.net, here)? {
            container::del_link(&self.net, &netns, &[ifname, PASSING_NAME], |link| {
                is_known(link) || is_unmarked(link)
            })?;
        }
        match container::open_elsewhere(&self.net, prev, ifname, here)? {
            Some(netns) => container::del_link(&self.net, &netns, &[ifname], is_known),
            None => Ok(()),
        }
    }
}

fn is_macvlan(link: &Link) -> bool {
    matches!(link.kind, LinkKind::Macvlan { .. })
}
