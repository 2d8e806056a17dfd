//! CHECK of `bridge`.

use cni_core::plugin::Check;
use cni_core::spec::{Error, Interface, Success};
use cni_net::link::{Link, LinkKind};
use cni_net::{At, Links, NetError};
use ipnet::IpNet;

use super::{Config, Net, macspoof};
use crate::shared::{Attachment, check, masquerade, port};

/// Compares the attachment with the result of ADD, with or without addresses.
pub(super) fn check<N: Net>(net: &N, request: &Check<'_, Config>) -> Result<(), Error> {
    let (config, ifname) = (&request.config, &request.id.ifname);
    let netns = net.open(&request.netns)?;
    config.ipam.check(request)?;
    let prev = check::prev(request.prev.as_ref())?;
    let bridge = check_bridge(net, config, prev)?;
    let (index, expected) = check::container(prev, ifname, &request.netns)?;
    let container = check::link(net, At::Netns(&netns), expected)?;
    let subject = format!("interface {:?}", ifname.as_str());
    check::ensure(container.kind == LinkKind::Veth, &subject, "is no veth")?;
    let up = container.up || config.disable_container_interface;
    check::ensure(up, &subject, "is down")?;
    check_port(net, request, prev, &bridge, &container)?;
    check::addresses_and_routes(net, &netns, ifname, prev, index)?;
    if !config.ip_masq {
        return Ok(());
    }
    let mine = prev.ips.iter().filter(|ip| ip.interface == Some(index));
    let addresses: Vec<IpNet> = mine.map(|ip| ip.address).collect();
    masquerade::check(net, &request.env.network, &request.id, &addresses)
}

fn check_bridge<N: Links>(net: &N, config: &Config, prev: &Success) -> Result<Link, Error> {
    let name = config.bridge_name()?;
    let mut on_host = prev.interfaces.iter().filter(|i| i.sandbox.is_empty());
    let unnamed = Interface::new(name.as_str());
    let expected = on_host.find(|i| i.name == name.as_str()).unwrap_or(&unnamed);
    let bridge = check::link(net, At::Host, expected)?;
    if bridge.kind != LinkKind::Bridge {
        let (name, wanted) = (bridge.name, "bridge");
        return Err(NetError::WrongKind { name, wanted }.into());
    }
    let promisc = bridge.promisc || !config.promisc_mode;
    check::ensure(
        promisc,
        &format!("bridge {:?}", bridge.name),
        "is not promiscuous",
    )?;
    Ok(bridge)
}

fn check_port<N: Net>(
    net: &N,
    request: &Check<'_, Config>,
    prev: &Success,
    bridge: &Link,
    container: &Link,
) -> Result<(), Error> {
    let config = &request.config;
    let attachment = Attachment::new(&request.env.network, &request.id);
    let host = port::check(net, attachment, prev, bridge, container, config.port())?;
    match container.mac.filter(|_| config.macspoofchk) {
        Some(mac) => macspoof::check(net, &request.id, &host.name, mac),
        None => Ok(()),
    }
}
