//! ADD of `bridge`.

use std::thread::sleep;
use std::time::Duration;

use cni_core::plugin::{Add, Rollback};
use cni_core::spec::{Code, Error, Interface, NetnsPath, Success};
use cni_net::link::{Change, Link, OperState};
use cni_net::{At, Links, Netns};
use ipnet::IpNet;

use super::config::Settings;
use super::{Config, Net, macspoof};
use crate::shared::configure::Plan;
use crate::shared::{Attachment, gateway, masquerade, veth};

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
    let gateways = gateways(config, &mut success)?;
    let plan = Plan::new(&request.id.ifname, &success, CONTAINER, settings.options)?;
    gateway::ensure_addrs(net, &bridge, &gateways, settings.conflict)?;
    gateway::ensure_forwarding(net, &gateways)?;
    bring_up(net, config, &plan, &netns, request)?;
    if settings.masquerade.is_some() {
        masquerade(net, request, &success, &mut rollback)?;
    }
    if !config.disable_container_interface {
        wait_for_port(net, &host)?;
    }
    plan.announce(net, &netns, container.mac);

    // Adding a port may have changed the address of a bridge that somebody else made.
    let bridge = net.link(At::Host, &bridge.name)?.unwrap_or(bridge);
    success.interfaces = vec![
        on_host(&bridge),
        on_host(&host),
        inside(&container, &request.netns),
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

/// Completes gateways and default routes of the result; answers which addresses the bridge must have.
fn gateways(config: &Config, success: &mut Success) -> Result<Vec<IpNet>, Error> {
    if !config.gateway() {
        return Ok(Vec::new());
    }
    let gateways = gateway::assign(&mut success.ips)?;
    if config.is_default_gateway {
        gateway::add_default_routes(success);
    }
    Ok(gateways)
}

fn masquerade<'r, N: Net>(
    net: &'r N,
    request: &'r Add<'_, Config>,
    success: &Success,
    rollback: &mut Rollback<'r>,
) -> Result<(), Error> {
    let (network, id) = (&request.env.network, &request.id);
    let addresses: Vec<IpNet> = success.ips.iter().map(|ip| ip.address).collect();
    if addresses.is_empty() {
        return Ok(());
    }
    rollback.on_failure("masquerade", move || Ok(masquerade::remove(net, network, id)?));
    Ok(masquerade::ensure(net, network, id, &addresses)?)
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

/// Waits until the host's end carries traffic, which the kernel says a moment after the container's end is up.
fn wait_for_port<N: Links>(net: &N, host: &Link) -> Result<(), Error> {
    const PAUSES: [u64; 9] = [0, 1, 2, 5, 20, 100, 400, 1000, 1000];
    let mut state = OperState::Unknown;
    for pause in PAUSES {
        sleep(Duration::from_millis(pause));
        state = net
            .link(At::Host, &host.name)?
            .map_or(OperState::Down, |link| link.state);
        if state == OperState::Up {
            return Ok(());
        }
    }
    let msg = format!("bridge port in error state: {:?} is {state:?}", host.name);
    Err(Error::new(Code(110), msg))
}

fn on_host(link: &Link) -> Interface {
    let mut interface = Interface::new(&link.name);
    interface.mac = link.mac.map(|mac| mac.to_string()).unwrap_or_default();
    interface.mtu = Some(link.mtu);
    interface
}

fn inside(link: &Link, netns: &NetnsPath) -> Interface {
    let mut interface = on_host(link);
    interface.sandbox = netns.to_string();
    interface
}
