//! `vxlan`: a layer-2 segment of containers that spans nodes, over any IP network between them.
//!
//! Each node has, for each network, a bridge and on it a vxlan device (RFC 7348). The first container
//! of the network makes them, the last one's DEL removes them.
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `vni` | | the segment's number, 1 to 16777215; the same on every node, and no other network's |
//! | `port` | `4789` | UDP port |
//! | `peers` | none | addresses of the nodes; a node's own may be among them, so that one list serves all |
//! | `group` | none | multicast group that stands for all nodes, where the underlay has multicast |
//! | `device` | none | underlay interface: needed with `group`; else only the place to take the MTU from |
//! | `local` | see below | address that this node's packets come from |
//! | `mtu` | see below | MTU of containers and bridge; 68 to 65535 |
//! | `isGateway` | `false` | the bridge gets the gateway's address of each subnet, and the host forwards |
//! | `isDefaultGateway` | `false` | `isGateway`, and the container's default routes lead there |
//! | `ipMasq` | `false` | what the container sends beyond its subnet leaves with the host's address |
//! | `portIsolation` | `false` | the container reaches other nodes and the bridge, and no other isolated container of its node |
//! | `ipam` | none | the plugin that gives addresses; without it the attachment is layer 2 only |
//! | `dns` | IPAM's | name servers for the result |
//! | `dataDir` | `/run/cni/vxlan` | where the networks' locks are |
//! | `args.cni.mac`, `runtimeConfig.mac` | kernel's | the container's hardware address; above `MAC` of `CNI_ARGS`, the latter first |
//! | `runtimeConfig.linger` | `0` | not 0: the segment stays after its last container, until a GC without it |
//!
//! ```json
//! {
//!   "cniVersion": "1.1.0", "name": "green", "type": "vxlan", "vni": 4200,
//!   "peers": ["192.0.2.11", "192.0.2.12", "192.0.2.13"],
//!   "ipam": { "type": "static" }, "capabilities": { "ips": true, "mac": true }
//! }
//! ```
//!
//! # What is chosen where nothing is said
//! - `local`: the address among `peers` that is this node's; else the source address of the route to the
//!   first peer; without peers the kernel chooses for each packet.
//! - `mtu`: the smallest on the routes to the peers, less 50 bytes over IPv4 and 70 over IPv6; without
//!   peers that of `device`, or of the default route. It is fixed when the segment is made.
//!
//! # How frames find their way
//! What has no known place goes to every peer. The device learns from what arrives which address is behind
//! which node, since `peers` name nodes and no containers: without, every frame would go to all of them.
//! Peers that come and go in the configuration are brought up to date by the next ADD.
//!
//! With `isGateway` every node's bridge has the same IP and hardware address (anycast), so that a container
//! always leaves by its own node, and a gateway's answer from another node does no harm. The kernel may log
//! that a bridge received a packet with its own address; that is such an answer.
//!
//! # What ADD leaves on the host
//! Bridge `vb` and device `vx`, each with 12 hexadecimal digits of a hash of the network's name, their alias
//! `plexus:<network>`; a veth end as `bridge` has it; rules for `ipMasq`; forwarding for gateways; and the
//! file `<network>.lock` in `dataDir`. All but forwarding goes with the last container's DEL.
//!
//! # What is refused
//! A VNI that another device has on the same port, and a port that a device for every VNI, one of other
//! packets, or another program has; the message names it. A change of `vni`, `port`, `group` or `local` while
//! containers are attached.

mod attach;
mod check;
mod config;
mod conflict;
mod directory;
mod error;
mod segment;
mod shape;
mod underlay;

use cni_core::plugin::{Add, Check, Del, Env, Gc, Plugin, Status, Teardown};
use cni_core::spec::{Code, Error, Success};
use cni_net::{Addrs, At, Links, Namespaces, Neighbours, Nft, Routes, Sysctl};

use self::config::Settings;
use self::segment::Segment;
use crate::shared::{Attachment, mark, masquerade, veth};

pub use config::{Config, Runtime};

/// The plugin `vxlan`.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the kernel layer is all that it is made of"
)]
pub struct Vxlan<N> {
    /// The kernel's networking.
    pub net: N,
}

/// What the plugin needs of the kernel layer.
pub trait Net: Addrs + Links + Namespaces + Neighbours + Nft + Routes + Sysctl + Send + Sync {}

impl<N: Addrs + Links + Namespaces + Neighbours + Nft + Routes + Sysctl + Send + Sync> Net for N {}

impl<N: Net> Plugin for Vxlan<N> {
    type Config = Config;

    const NAME: &'static str = "vxlan";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        attach::add(&self.net, &request)
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let attachment = Attachment::new(&request.env.network, &request.id);
        let mut teardown = Teardown::default();
        let link = veth::del(&self.net, attachment).map(drop);
        // An address must not be given out again while an interface still has it.
        let released = link.is_ok().then(|| request.config.ipam.del(&request));
        teardown.step("veth", link);
        teardown.step("IPAM", released.unwrap_or(Ok(())));
        // Also without `ipMasq`: the configuration may have been another at the time of the ADD.
        let rules = masquerade::remove(&self.net, attachment.network, attachment.id);
        teardown.step("masquerade", rules.map_err(Error::from));
        teardown.step("segment", self.sweep(&request.config, &request.env));
        teardown.finish()
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        check::check(&self.net, &request)
    }

    fn status(&self, request: Status<'_, Config>) -> Result<(), Error> {
        let settings = Settings::new(&request.config)?;
        let segment = Segment::of(&request.env.network)?;
        segment
            .available(&self.net, &settings)
            .map_err(|error| Error::new(Code::UNAVAILABLE, error.msg).with_details(error.details))?;
        request.config.ipam.status(&request)
    }

    fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        let mut teardown = Teardown::default();
        if let Some(valid) = &request.valid {
            let network = &request.env.network;
            let links = self.net.links(At::Host).map_err(Error::from);
            let links = links.unwrap_or_else(|error| {
                teardown.step("list links", Err(error));
                Vec::new()
            });
            for orphan in mark::orphans(links, network, valid) {
                let deleted = self.net.del_link(At::Host, &orphan.name);
                teardown.step("veth", deleted.map(drop).map_err(Error::from));
            }
            let rules = masquerade::gc(&self.net, network, valid);
            teardown.step("masquerade", rules.map_err(Error::from));
            teardown.step("segment", self.sweep(&request.config, &request.env));
        }
        teardown.step("IPAM", request.config.ipam.gc(&request));
        teardown.finish()
    }
}

impl<N: Net> Vxlan<N> {
    /// Removes the segment if it is there, has no container any more, and is not to linger.
    fn sweep(&self, config: &Config, env: &Env<'_>) -> Result<(), Error> {
        let segment = Segment::of(&env.network)?;
        let dir = config.lock_dir();
        if config.lingers() || !segment.exists(&self.net, &dir)? {
            return Ok(());
        }
        let lock = segment.lock(&dir, env.deadline)?;
        segment.remove_if_empty(&self.net, &lock)
    }
}
