//! `bridge`: a veth pair between the container and a Linux bridge of the host.
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `bridge` | `"cni0"` | name of the bridge; made if there is none |
//! | `isGateway` | `false` | the bridge gets the gateway's address of each subnet, and the host forwards |
//! | `isDefaultGateway` | `false` | `isGateway`, and the container's default routes lead there |
//! | `forceAddress` | `false` | another address of the bridge is replaced, where it would be an error |
//! | `ipMasq` | `false` | what the container sends beyond its subnet leaves with the host's address |
//! | `ipMasqBackend` | `"nftables"` | what carries the rules for that; no other is there yet |
//! | `mtu` | kernel's | MTU of both ends, and of the bridge when it is made; 68 to 65535 |
//! | `hairpinMode` | `false` | a frame may go back out of the port that it came in by |
//! | `promiscMode` | `false` | the bridge takes every frame; not together with `hairpinMode` |
//! | `portIsolation` | `false` | the container reaches the bridge and no other isolated container |
//! | `macspoofchk` | `false` | frames from any other hardware address than the container's are dropped |
//! | `enabledad` | `false` | duplicate-address detection of IPv6 addresses runs, and ADD waits for it |
//! | `disableContainerInterface` | `false` | the container's end stays down; only without `ipam` |
//! | `ipam` | none | the plugin that gives addresses; without it the attachment is layer 2 only |
//! | `dns` | IPAM's | name servers for the result |
//! | `args.cni.mac`, `runtimeConfig.mac` | kernel's | the container's hardware address; above `MAC` of `CNI_ARGS`, the latter first |
//!
//! `vlan`, `vlanTrunk` and `preserveDefaultVlan` are refused with code 2.
//!
//! ```json
//! {
//!   "cniVersion": "1.1.0", "name": "blue", "type": "bridge", "bridge": "br-blue",
//!   "isDefaultGateway": true, "ipMasq": true,
//!   "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.22.0.0/16" }]] }
//! }
//! ```
//!
//! # What ADD leaves on the host
//! The bridge, which stays when the last container goes, with its gateway addresses; `ip_forward` and
//! `ipv6.conf.all.forwarding`, with `accept_ra` 2 on interfaces that listened to router advertisements;
//! a veth end `veth` + 8 hexadecimal digits whose alias is `plexus:<network>/<container>/<ifname>`; rules
//! for `ipMasq` and `macspoofchk`. All but bridge and forwarding go with the DEL.
//!
//! DEL also removes what the reference's plugin made, which has no alias: the pair whose host end `prevResult` tells
//! of, whatever name and address later plugins have given the container's end.

mod attach;
mod check;
mod config;
mod macspoof;

use std::collections::BTreeSet;

use cni_core::plugin::{Add, Check, Del, Gc, Plugin, Status, Teardown};
use cni_core::spec::{Error, NetName, Success, ValidAttachment, with_causes};
use cni_net::{Addrs, At, Links, Namespaces, Nft, Routes, Sysctl};

pub use config::Config;

use crate::shared::{Attachment, container, mark, masquerade, veth};

/// The plugin `bridge`.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the kernel layer is all that it is made of"
)]
pub struct Bridge<N> {
    /// The kernel's networking.
    pub net: N,
}

/// What the plugin needs of the kernel layer.
pub trait Net: Addrs + Links + Namespaces + Nft + Routes + Sysctl + Send + Sync {}

impl<N: Addrs + Links + Namespaces + Nft + Routes + Sysctl + Send + Sync> Net for N {}

impl<N: Net> Plugin for Bridge<N> {
    type Config = Config;

    const NAME: &'static str = "bridge";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        attach::add(&self.net, &request)
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let attachment = Attachment::new(&request.env.network, &request.id);
        let mut teardown = Teardown::default();
        let link = self.del_link(&request, attachment);
        // An address must not be given out again while an interface still has it.
        let released = link.is_ok().then(|| request.config.ipam.del(&request));
        teardown.step("veth", link);
        teardown.step("IPAM", released.unwrap_or(Ok(())));
        self.del_rules(&request, &mut teardown);
        teardown.finish()
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        check::check(&self.net, &request)
    }

    fn status(&self, request: Status<'_, Config>) -> Result<(), Error> {
        request.config.ipam.status(&request)
    }

    fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        let mut teardown = Teardown::default();
        if let Some(valid) = &request.valid {
            self.gc_kernel(&request.env.network, valid, &mut teardown);
        }
        teardown.step("IPAM", request.config.ipam.gc(&request));
        teardown.finish()
    }
}

impl<N: Net> Bridge<N> {
    /// The host's end takes the container's along. Without one of ours, there may be one of the reference plugin,
    /// and the result tells of it.
    fn del_link(&self, request: &Del<'_, Config>, attachment: Attachment<'_>) -> Result<(), Error> {
        if veth::del(&self.net, attachment)? {
            return Ok(());
        }
        let Some(prev) = &request.prev else {
            return Ok(());
        };
        let inner = container::link(&self.net, request)?;
        veth::del_told_of(&self.net, prev, inner.as_ref())
    }

    /// Also where the configuration asks for none: it may have been another at the time of the ADD. A kernel
    /// without nftables has no rules, so a failure then counts only if they were asked for.
    fn del_rules(&self, request: &Del<'_, Config>, teardown: &mut Teardown) {
        let (network, id, config) = (&request.env.network, &request.id, &request.config);
        let steps = [
            (
                config.ip_masq,
                "masquerade",
                masquerade::remove(&self.net, network, id),
            ),
            (config.macspoofchk, "MAC filter", macspoof::remove(&self.net, id)),
        ];
        for (wanted, what, outcome) in steps {
            match outcome {
                Err(error) if !wanted => tracing::debug!(what, error = %with_causes(&error), "delete rules"),
                outcome => teardown.step(what, outcome.map_err(Error::from)),
            }
        }
    }

    fn gc_kernel(&self, network: &NetName, valid: &BTreeSet<ValidAttachment>, teardown: &mut Teardown) {
        let orphans = self
            .net
            .links(At::Host)
            .map(|links| mark::orphans(links, network, valid));
        match orphans.map_err(Error::from) {
            Err(error) => teardown.step("list links", Err(error)),
            Ok(orphans) => {
                for orphan in orphans {
                    let deleted = self.net.del_link(At::Host, &orphan.name);
                    teardown.step("veth", deleted.map(drop).map_err(Error::from));
                }
            }
        }
        let rules = masquerade::gc(&self.net, network, valid);
        teardown.step("masquerade", rules.map_err(Error::from));
        let rules = macspoof::gc(&self.net, network, valid);
        teardown.step("MAC filter", rules.map_err(Error::from));
    }
}
