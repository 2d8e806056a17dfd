//! CHECK of `bridge`.

use cni_core::plugin::Check;
use cni_core::spec::{Error, Interface, Success};
use cni_net::link::{Link, LinkKind};
use cni_net::{At, Links, NetError};
use ipnet::IpNet;

use super::{Config, Net, macspoof};
use crate::shared::{Attachment, check, masquerade, veth};

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

/// The host's end: ours by its mark, or the one that the result and the container's end tell of.
fn check_port<N: Net>(
    net: &N,
    request: &Check<'_, Config>,
    prev: &Success,
    bridge: &Link,
    container: &Link,
) -> Result<(), Error> {
    let attachment = Attachment::new(&request.env.network, &request.id);
    let ours = veth::find(net, attachment)?;
    let peer = match (ours, container.parent) {
        (Some(link), _) => Some(link),
        (None, Some(index)) => net.link_by_index(At::Host, index)?,
        (None, None) => None,
    };
    let named = |link: &Link| {
        prev.interfaces
            .iter()
            .find(|i| i.sandbox.is_empty() && i.name == link.name)
    };
    let subject = format!("host end of {:?}", container.name);
    let Some((host, expected)) = peer.as_ref().and_then(|link| Some((link, named(link)?))) else {
        let problem = format!("CNI veth created for bridge {} was not found", bridge.name);
        return Ok(check::ensure(false, &subject, &problem)?);
    };
    let config = &request.config;
    check::ensure(Some(host.index) == container.parent, &subject, "is not its peer")?;
    check::ensure(check::same_mac(host, expected), &subject, "has another address")?;
    check::ensure(
        host.master == Some(bridge.index),
        &subject,
        "is no port of the bridge",
    )?;
    let wanted = config.port();
    let flags = host
        .port
        .is_none_or(|port| port.hairpin == wanted.hairpin && port.isolated == wanted.isolated);
    check::ensure(flags, &subject, "has other port flags")?;
    match container.mac.filter(|_| config.macspoofchk) {
        Some(mac) => macspoof::check(net, &request.id, &host.name, mac),
        None => Ok(()),
    }
}
