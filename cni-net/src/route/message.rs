//! The messages of `ip route`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use netlink_bindings::rt_route::{
    IterableRouteAttrs, OpDelrouteDo, OpGetrouteDo, OpGetrouteDump, OpNewrouteDo, PushRouteAttrs, Request,
    RouteAttrs, RtmType, Rtmsg,
};
use netlink_bindings::traits::Pusher;

use super::{Route, TABLE_MAIN};
use crate::family::family;

/// `RTPROT_BOOT`: what `ip route` writes when nothing else is said.
const PROTOCOL_BOOT: u8 = 3;
/// `RT_SCOPE_LINK`.
const SCOPE_LINK: u8 = 253;
/// `RT_SCOPE_NOWHERE`: in a deletion, any scope.
const SCOPE_ANY: u8 = 255;
/// `RTNH_F_ONLINK`.
const ONLINK: u32 = 4;
/// `RTM_F_CLONED`: an entry of the cache.
const CLONED: u32 = 0x200;

/// A route as the kernel has it: with the interface's number, whose name is looked up afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    pub(super) route: Route,
    pub(super) oif: Option<u32>,
}

/// A request for all routes.
pub(super) fn list() -> OpGetrouteDump<'static> {
    Request::new().op_getroute_dump(&Rtmsg::default())
}

/// A request for the route to `destination`.
pub(super) fn lookup(destination: IpAddr) -> OpGetrouteDo<'static> {
    let header = Rtmsg {
        rtm_family: family(destination),
        rtm_dst_len: IpNet::from(destination).prefix_len(),
        ..Rtmsg::default()
    };
    let mut request = Request::new().op_getroute_do(&header);
    request.encode().push_dst(destination).end_nested();
    request
}

/// A request that adds `route` through the interface `oif`, beside others for its destination.
pub(super) fn append(route: &Route, oif: Option<u32>) -> OpNewrouteDo<'static> {
    add(Request::new().set_create().set_append(), route, oif)
}

/// A request that adds `route` through the interface `oif`, in place of the one for its destination.
pub(super) fn replace(route: &Route, oif: Option<u32>) -> OpNewrouteDo<'static> {
    add(Request::new().set_change(), route, oif)
}

fn add(request: Request<'static>, route: &Route, oif: Option<u32>) -> OpNewrouteDo<'static> {
    let without_gateway = if route.gw.is_none() { SCOPE_LINK } else { 0 };
    let header = Rtmsg {
        rtm_protocol: route.protocol.unwrap_or(PROTOCOL_BOOT),
        rtm_scope: route.scope.unwrap_or(without_gateway),
        rtm_type: RtmType::Unicast as u8,
        ..header(route)
    };
    let mut request = request.op_newroute_do(&header);
    push(request.encode(), route, oif);
    request
}

/// A request that removes `route`; what it leaves out may be anything.
pub(super) fn del(route: &Route, oif: Option<u32>) -> OpDelrouteDo<'static> {
    let header = Rtmsg {
        rtm_protocol: route.protocol.unwrap_or(0),
        rtm_scope: route.scope.unwrap_or(SCOPE_ANY),
        ..header(route)
    };
    let mut request = Request::new().op_delroute_do(&header);
    push(request.encode(), route, oif);
    request
}

fn header(route: &Route) -> Rtmsg {
    Rtmsg {
        rtm_family: family(route.dst.addr()),
        rtm_dst_len: route.dst.prefix_len(),
        // A number that does not fit goes into the attribute alone.
        rtm_table: u8::try_from(table(route)).unwrap_or(0),
        rtm_flags: if route.onlink { ONLINK } else { 0 },
        ..Rtmsg::default()
    }
}

fn table(route: &Route) -> u32 {
    route.table.unwrap_or(TABLE_MAIN)
}

fn push<P: Pusher>(mut attrs: PushRouteAttrs<P>, route: &Route, oif: Option<u32>) {
    if route.dst.prefix_len() > 0 {
        attrs = attrs.push_dst(route.dst.network());
    }
    if let Some(gw) = route.gw {
        attrs = attrs.push_gateway(gw);
    }
    if let Some(oif) = oif {
        attrs = attrs.push_oif(oif);
    }
    if let Some(src) = route.src {
        attrs = attrs.push_prefsrc(src);
    }
    if let Some(priority) = route.priority {
        attrs = attrs.push_priority(priority);
    }
    if route.mtu.is_some() || route.advmss.is_some() {
        let mut metrics = attrs.nested_metrics();
        if let Some(mtu) = route.mtu {
            metrics = metrics.push_mtu(mtu);
        }
        if let Some(advmss) = route.advmss {
            metrics = metrics.push_advmss(advmss);
        }
        attrs = metrics.end_nested();
    }
    attrs.push_table(table(route)).end_nested();
}

/// Reads one answer: a route for each of its next hops; none for what is no unicast route.
pub(super) fn read(body: &[u8]) -> Vec<Numbered> {
    let Some((header, attrs)) = body.split_at_checked(Rtmsg::len()) else {
        return Vec::new();
    };
    let header = Rtmsg::new_from_zeroed(header);
    let wanted = header.rtm_type == RtmType::Unicast as u8 && header.rtm_flags & CLONED == 0;
    match read_route(&header, &RouteAttrs::new(attrs)) {
        Some(route) if wanted => with_next_hops(route, &header, &RouteAttrs::new(attrs)),
        _ => Vec::new(),
    }
}

/// Reads the answer to a look-up, whatever type of route it is.
pub(super) fn read_lookup(body: &[u8]) -> Option<Numbered> {
    let (header, attrs) = body.split_at_checked(Rtmsg::len())?;
    let header = Rtmsg::new_from_zeroed(header);
    let attrs = RouteAttrs::new(attrs);
    let route = read_route(&header, &attrs)?;
    with_next_hops(route, &header, &attrs).into_iter().next()
}

/// All but the next hop.
fn read_route(header: &Rtmsg, attrs: &IterableRouteAttrs<'_>) -> Option<Route> {
    let any: IpAddr = match header.rtm_family {
        2 => Ipv4Addr::UNSPECIFIED.into(),
        10 => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    let dst = IpNet::new(attrs.get_dst().unwrap_or(any), header.rtm_dst_len).ok()?;
    let metrics = attrs.get_metrics().ok();
    let mut route = Route::new(dst);
    route.src = attrs.get_prefsrc().ok();
    route.priority = attrs.get_priority().ok();
    route.table = Some(attrs.get_table().unwrap_or_else(|_| header.rtm_table.into()));
    route.scope = Some(header.rtm_scope);
    route.mtu = metrics.as_ref().and_then(|m| m.get_mtu().ok());
    route.advmss = metrics.as_ref().and_then(|m| m.get_advmss().ok());
    route.protocol = Some(header.rtm_protocol);
    Some(route)
}

fn with_next_hops(route: Route, header: &Rtmsg, attrs: &IterableRouteAttrs<'_>) -> Vec<Numbered> {
    let hop = |flags: u32, oif: Option<u32>, attrs: &IterableRouteAttrs<'_>| {
        let mut route = route.clone();
        route.gw = attrs.get_gateway().ok();
        route.onlink = flags & ONLINK != 0;
        Numbered { route, oif }
    };
    let Ok(mut rest) = attrs.get_multipath() else {
        return vec![hop(header.rtm_flags, attrs.get_oif().ok(), attrs)];
    };
    // Each is a `struct rtnexthop`: its length, flags, weight, the interface's number, then attributes.
    let mut hops = Vec::new();
    while let [l0, l1, flags, _, i0, i1, i2, i3, ..] = *rest {
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(attrs) = rest.get(8..length) else {
            break;
        };
        let oif = u32::from_ne_bytes([i0, i1, i2, i3]);
        hops.push(hop(flags.into(), Some(oif), &RouteAttrs::new(attrs)));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}

#[cfg(test)]
mod tests;
