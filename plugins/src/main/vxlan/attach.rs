//! ADD of `vxlan`.

use cni_core::plugin::{Add, Rollback};
use cni_core::spec::{Error, Success};
use cni_net::link::{Change, Link};
use cni_net::{At, Mtu, Netns};

use super::config::Settings;
use super::directory::StaticPeers;
use super::segment::{Plan, Segment};
use super::{Config, Net};
use crate::shared::configure::{self, Options};
use crate::shared::gateway::{self, Conflict, Role};
use crate::shared::{Attachment, interface, masquerade, port, veth};

/// Where the container's interface stands in the result: after bridge and host end.
const CONTAINER: i64 = 2;

/// Makes the attachment, and the segment if this is its first. Nothing is left of either if that fails.
pub(super) fn add<N: Net>(net: &N, request: &Add<'_, Config>) -> Result<Success, Error> {
    let config = &request.config;
    config.ipam.fits(request.env.version)?;
    let settings = Settings::new(config)?;
    let segment = Segment::of(&request.env.network)?;
    let netns = net.open(&request.netns)?;
    let mut rollback = Rollback::default();

    let joined = join(net, request, &segment, &settings, &netns)?;
    rollback.on_failure("segment", || leave(net, request, &segment));
    let name = joined.host.name.clone();
    rollback.on_failure("veth", move || Ok(net.del_link(At::Host, &name).map(drop)?));

    let mut success = config.ipam.add(request, &mut rollback)?.unwrap_or_default();
    for ip in &mut success.ips {
        ip.interface = Some(CONTAINER);
    }
    let gateways = gateway::complete(config.role(), &mut success)?;
    let plan = configure::Plan::new(&request.id.ifname, &success, CONTAINER, Options::default())?;
    gateway::ensure_addrs(net, &joined.bridge, &gateways, Conflict::Refuse)?;
    gateway::ensure_forwarding(net, &gateways)?;
    if success.ips.is_empty() {
        net.set_link(At::Netns(&netns), request.id.ifname.as_str(), &Change::up())?;
    } else {
        plan.apply(net, &netns)?;
    }
    if config.ip_masq {
        masquerade::add(net, request, &success, &mut rollback)?;
    }
    port::wait(net, &joined.host)?;
    plan.announce(net, &netns, joined.container.mac);

    let bridge = net.link(At::Host, &joined.bridge.name)?;
    success.interfaces = vec![
        interface::on_host(&bridge.unwrap_or(joined.bridge)),
        interface::on_host(&joined.host),
        interface::inside(&joined.container, &request.netns),
    ];
    success.dns = config.dns.or(success.dns);
    rollback.commit();
    Ok(success)
}

/// A container's pair, and the bridge that it is a port of.
struct Joined {
    bridge: Link,
    host: Link,
    container: Link,
}

/// Makes the segment if need be and the port on it: under one lock, so that no DEL finds it without a port
/// in between.
fn join<N: Net>(
    net: &N,
    request: &Add<'_, Config>,
    segment: &Segment<'_>,
    settings: &Settings,
    netns: &Netns,
) -> Result<Joined, Error> {
    let config = &request.config;
    let mac = config.mac(&request.env)?;
    let directory = StaticPeers(&settings.peers);
    let plan = Plan {
        settings,
        gateway: config.role() != Role::Switch,
    };
    let lock = segment.lock(&config.lock_dir(), request.env.deadline)?;
    let bridge = segment.ensure(net, &plan, &directory, &lock)?;
    let attachment = Attachment::new(&request.env.network, &request.id);
    let mtu = Mtu::try_from(bridge.mtu)?;
    let made = veth::add(net, attachment, netns, |new| {
        new.mac = mac;
        new.mtu = Some(mtu);
        new.master = Some(bridge.index);
        new.port = config.port_flags();
    });
    let (host, container) = made.inspect_err(|_| segment.undo(net, &lock))?;
    Ok(Joined {
        bridge,
        host,
        container,
    })
}

/// Takes the segment back if nobody else has joined it meanwhile.
fn leave<N: Net>(net: &N, request: &Add<'_, Config>, segment: &Segment<'_>) -> Result<(), Error> {
    let lock = segment.lock(&request.config.lock_dir(), request.env.deadline)?;
    segment.remove_if_empty(net, &lock)
}
