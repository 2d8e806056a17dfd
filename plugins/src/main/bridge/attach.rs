//! ADD of `bridge`.

use cni_core::plugin::{Add, Rollback};
use cni_core::spec::{Error, Success};
use cni_net::link::{Change, Link};
use cni_net::{At, Links, Netns};

use super::config::Settings;
use super::{Config, Net, macspoof};
use crate::shared::configure::Plan;
use crate::shared::{Attachment, gateway, interface, masquerade, port, veth};

/// Where the container's interface stands in the result: after bridge and host end.
pub(super) const CONTAINER: i64 = 2;

/// Makes the attachment. Nothing but the bridge is left if that fails.
pub(super) fn add<N: Net>(net: &N, request: &Add<'_, Config>) -> Result<Success, Error> {
    let config = &request.config;
    let settings = Settings::new(request)?;
    let netns = net.open(&request.netns)?;
    let attachment = Attachment::new(&request.env.network, &request.id);
    let mut rollback = Rollback::default();

    // Every container on the node shares the bridge, so no ADD ever takes it away again.
    let bridge = ensure_bridge(net, &settings, config)?;
    let (host, container) = veth::add(net, attachment, &netns, |new| settings.shape(new, bridge.index))?;
    let name = host.name.clone();
    rollback.on_failure("veth", move || Ok(net.del_link(At::Host, &name).map(drop)?));
    if let (true, Some(mac)) = (config.macspoofchk, container.mac) {
        rollback.on_failure("MAC filter", || Ok(macspoof::remove(net, &request.id)?));
        macspoof::ensure(net, &request.id, &host.name, mac)?;
    }

    let mut success = config.ipam.add(request, &mut rollback)?.unwrap_or_default();
    for ip in &mut success.ips {
        ip.interface = Some(CONTAINER);
    }
    let gateways = gateway::complete(config.role(), &mut success)?;
    let plan = Plan::new(&request.id.ifname, &success, CONTAINER, settings.options)?;
    gateway::ensure_addrs(net, &bridge, &gateways, settings.conflict)?;
    gateway::ensure_forwarding(net, &gateways)?;
    bring_up(net, config, &plan, &netns, request)?;
    if settings.masquerade.is_some() {
        masquerade::add(net, request, &success, &mut rollback)?;
    }
    if !config.disable_container_interface {
        port::wait(net, &host)?;
    }
    plan.announce(net, &netns, container.mac);

    // Adding a port may have changed the address of a bridge that somebody else made.
    let bridge = net.link(At::Host, &bridge.name)?.unwrap_or(bridge);
    success.interfaces = vec![
        interface::on_host(&bridge),
        interface::on_host(&host),
        interface::inside(&container, &request.netns),
    ];
    success.dns = config.dns.or(success.dns);
    rollback.commit();
    Ok(success)
}

fn ensure_bridge<N: Links>(net: &N, settings: &Settings, config: &Config) -> Result<Link, Error> {
    let bridge = net.ensure_bridge(&settings.new_bridge())?;
    if config.promisc_mode && !bridge.promisc {
        let mut promisc = Change::default();
        promisc.promisc = Some(true);
        net.set_link(At::Host, &bridge.name, &promisc)?;
    }
    Ok(bridge)
}

fn bring_up<N: Net>(
    net: &N,
    config: &Config,
    plan: &Plan,
    netns: &Netns,
    request: &Add<'_, Config>,
) -> Result<(), Error> {
    if config.ipam.plugin.is_some() {
        return plan.apply(net, netns);
    }
    if !config.disable_container_interface {
        net.set_link(At::Netns(netns), request.id.ifname.as_str(), &Change::up())?;
    }
    Ok(())
}
