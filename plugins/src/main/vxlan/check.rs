//! CHECK of `vxlan`.

use cni_core::plugin::Check;
use cni_core::spec::Error;
use cni_net::At;
use cni_net::link::{Link, LinkKind};
use ipnet::IpNet;

use super::config::Settings;
use super::directory::{Directory, StaticPeers};
use super::segment::{Kind, Segment};
use super::shape::Shape;
use super::underlay::Underlay;
use super::{Config, Net};
use crate::shared::{Attachment, SharedError, check, masquerade, port};

/// Compares the segment with the configuration, and the attachment with the result of ADD.
pub(super) fn check<N: Net>(net: &N, request: &Check<'_, Config>) -> Result<(), Error> {
    let (config, ifname) = (&request.config, &request.id.ifname);
    let netns = net.open(&request.netns)?;
    config.ipam.check(request)?;
    let prev = check::prev(request.prev.as_ref())?;
    let bridge = check_segment(net, request)?;
    let (index, expected) = check::container(prev, ifname, &request.netns)?;
    let container = check::link(net, At::Netns(&netns), expected)?;
    let subject = format!("interface {ifname:?}");
    check::ensure(container.kind == LinkKind::Veth, &subject, "is no veth")?;
    check::ensure(container.up, &subject, "is down")?;
    let attachment = Attachment::new(&request.env.network, &request.id);
    port::check(net, attachment, prev, &bridge, &container, config.port_flags())?;
    if config.ip_masq {
        let mine = prev.ips.iter().filter(|ip| ip.interface == Some(index));
        let addresses: Vec<IpNet> = mine.map(|ip| ip.address).collect();
        masquerade::check(net, &request.env.network, &request.id, &addresses)?;
    }
    check::addresses_and_routes(net, &netns, ifname, prev, index)
}

/// The bridge, if the whole segment is as it should be.
fn check_segment<N: Net>(net: &N, request: &Check<'_, Config>) -> Result<Link, Error> {
    let settings = Settings::new(&request.config)?;
    let network = &request.env.network;
    let segment = Segment::of(network)?;
    let Some(bridge) = segment.ours(net, Kind::Bridge)? else {
        return Err(differs(format!("bridge {:?}", segment.bridge), "is missing").into());
    };
    let subject = format!("vxlan device {:?}", segment.device);
    let Some(device) = segment.ours(net, Kind::Vxlan)? else {
        return Err(differs(subject, "is missing").into());
    };
    if let Some((present, wanted)) = Shape::differing(&device.kind, &settings) {
        return Err(differs(subject, &format!("has {present}, not {wanted}")).into());
    }
    check::ensure(device.up, &subject, "is down")?;
    let is_port = device.master == Some(bridge.index);
    check::ensure(is_port, &subject, "is no port of the bridge")?;
    let nodes = StaticPeers(&settings.peers).nodes(network)?;
    let flooded = segment.flooded(net)?;
    for node in &Underlay::look_up(net, &settings, &nodes)?.remotes {
        let problem = format!("does not flood to {node}");
        check::ensure(flooded.contains(node), &subject, &problem)?;
    }
    Ok(bridge)
}

fn differs(subject: String, problem: &str) -> SharedError {
    let problem = problem.to_owned();
    SharedError::Differs { subject, problem }
}
