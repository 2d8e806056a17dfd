//! Requests about links.

use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_bindings::rt_link::{self, IfinfoFlags, Ifinfomsg, PushLinkAttrs, RtextFilter};
use netlink_bindings::traits::Pusher;

use super::attr;
use crate::link::{Change, Link, MacvlanMode, NewBridge, NewMacvlan, NewVeth, NewVxlan, POD_GROUP, Port};
use crate::socket::Request;
use cni_core::spec::{IfName, Mac};

const UP: u32 = IfinfoFlags::Up as u32;
const PROMISC: u32 = IfinfoFlags::Promisc as u32;
const ALLMULTI: u32 = IfinfoFlags::AllMulti as u32;

/// The longest name but for an alternative one (`IFNAMSIZ` without the end).
const LONGEST_NAME: usize = 15;

/// Which link a request is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    Index(u32),
    /// By its number, which cannot have come to mean another, with its name for messages.
    Known(&'a Link),
    Name(&'a str),
}

impl Which<'_> {
    /// Whether there can be such a link; the kernel would take a part of a bad name for the name.
    pub(super) fn is_possible(self) -> bool {
        match self {
            Self::Index(index) => i32::try_from(index).is_ok_and(|index| index > 0),
            Self::Known(_) => true,
            Self::Name(name) => (1..128).contains(&name.len()) && !name.contains('\0'),
        }
    }

    fn header(self) -> Ifinfomsg {
        let mut header = Ifinfomsg::new();
        header.ifi_index = match self {
            Self::Index(index) => index.cast_signed(),
            Self::Known(link) => link.index.cast_signed(),
            Self::Name(_) => 0,
        };
        header
    }

    fn push<P: Pusher>(self, attrs: PushLinkAttrs<P>) -> PushLinkAttrs<P> {
        match self {
            Self::Index(_) | Self::Known(_) => attrs,
            Self::Name(name) if name.len() > LONGEST_NAME => attrs.push_alt_ifname_bytes(name.as_bytes()),
            Self::Name(name) => attrs.push_ifname_bytes(name.as_bytes()),
        }
    }
}

pub(super) fn show(which: Which<'_>) -> Request {
    let mut request = rt_link::Request::new().op_getlink_do(&which.header());
    which
        .push(request.encode())
        .push_ext_mask(RtextFilter::SkipStats as u32);
    Request::of(format!("show {which}"), &request)
}

pub(super) fn list() -> Request {
    let mut request = rt_link::Request::new().op_getlink_dump(&Ifinfomsg::new());
    request.encode().push_ext_mask(RtextFilter::SkipStats as u32);
    Request::of("list links", &request)
}

pub(super) fn delete(which: Which<'_>) -> Request {
    let mut request = rt_link::Request::new().op_dellink_do(&which.header());
    which.push(request.encode());
    Request::of(format!("delete {which}"), &request)
}

pub(super) fn delete_group(group: u32) -> Request {
    let mut request = rt_link::Request::new().op_dellink_do(&Ifinfomsg::new());
    request.encode().push_group(group);
    Request::of("delete the container's links", &request)
}

pub(super) fn change(which: Which<'_>, change: &Change) -> Request {
    let mut header = which.header();
    for (wanted, flag) in [
        (change.up, UP),
        (change.promisc, PROMISC),
        (change.allmulti, ALLMULTI),
    ] {
        header.ifi_change |= wanted.map_or(0, |_| flag);
        header.ifi_flags |= wanted.map_or(0, |on| if on { flag } else { 0 });
    }
    let mut request = rt_link::Request::new().op_setlink_do(&header);
    let mut attrs = which.push(request.encode());
    if let Some(mtu) = change.mtu {
        attrs = attrs.push_mtu(mtu.get());
    }
    if let Some(Mac(mac)) = change.mac {
        attrs = attrs.push_address(&mac);
    }
    if let Some(alias) = &change.alias {
        attrs = attrs.push_ifalias_bytes(alias.as_bytes());
    }
    if let Some(txqlen) = change.txqlen {
        attrs = attrs.push_txqlen(txqlen);
    }
    if let Some(group) = change.group {
        attrs = attrs.push_group(group);
    }
    drop(attrs);
    Request::of(format!("change {which}"), &request)
}

pub(super) fn port(which: Which<'_>, port: Port) -> Request {
    let mut request = rt_link::Request::new().op_newlink_do(&which.header());
    which
        .push(request.encode())
        .nested_linkinfo()
        .nested_slave_data_bridge()
        .push_mode(port.hairpin.into())
        .push_learning(port.learning.into())
        .push_neigh_suppress(port.neigh_suppress.into())
        .push_isolated(port.isolated.into());
    Request::of(format!("set the port flags of {which}"), &request)
}

/// Gives a link its final name, of which it must be told while it is down.
pub(super) fn rename(from: &str, index: u32, to: &IfName) -> Request {
    let mut request = rt_link::Request::new().op_setlink_do(&Which::Index(index).header());
    request.encode().push_ifname_bytes(to.as_str().as_bytes());
    let to = to.as_str();
    Request::of(format!("rename link {from:?} to {to:?}"), &request)
}

pub(super) fn bridge(new: &NewBridge, mac: Mac) -> Request {
    let mut request = creation().op_newlink_do(&born_up());
    let mut attrs = request
        .encode()
        .push_ifname_bytes(new.name.as_str().as_bytes())
        .push_address(&mac.0);
    if let Some(mtu) = new.mtu {
        attrs = attrs.push_mtu(mtu.get());
    }
    let mut data = attrs.nested_linkinfo().nested_data_bridge();
    if !new.mcast_snooping {
        data = data.push_mcast_snooping(0);
    }
    drop(data);
    Request::of(format!("create bridge {:?}", new.name.as_str()), &request)
}

/// Both ends in one message: the host end up and where the request is sent, the other down and in `netns`.
pub(super) fn veth(new: &NewVeth<'_>, netns: BorrowedFd<'_>) -> Request {
    let mut request = creation().op_newlink_do(&born_up());
    let mut attrs = request
        .encode()
        .push_ifname_bytes(new.host.as_str().as_bytes())
        .push_group(new.birth_group)
        .push_txqlen(0);
    if let Some(mtu) = new.mtu {
        attrs = attrs.push_mtu(mtu.get());
    }
    if let Some(master) = new.master {
        attrs = attrs.push_master(master);
    }
    let mut info = attrs.nested_linkinfo().push_kind(c"veth");
    attr::nest(info.as_vec_mut(), attr::IFLA_INFO_DATA, |data| {
        attr::nest(data, attr::VETH_INFO_PEER, |peer| container_end(peer, new, netns));
    });
    drop(info);
    let (host, container) = (new.host.as_str(), new.container.as_str());
    Request::of(format!("create veth {host:?} with peer {container:?}"), &request)
}

fn container_end(buffer: &mut Vec<u8>, new: &NewVeth<'_>, netns: BorrowedFd<'_>) {
    buffer.extend(Ifinfomsg::new().as_slice());
    let attrs = PushLinkAttrs::new(buffer).push_ifname_bytes(new.container.as_str().as_bytes());
    let attrs = in_container(attrs, netns, new.mac);
    if let Some(mtu) = new.mtu {
        attrs.push_mtu(mtu.get());
    }
}

/// A device named `name`, down and in `netns`, on a parent where the request is sent.
pub(super) fn macvlan(new: &NewMacvlan<'_>, name: &str, netns: BorrowedFd<'_>) -> Request {
    let mut request = creation().op_newlink_do(&Ifinfomsg::new());
    let attrs = request.encode().push_ifname_bytes(name.as_bytes());
    let mut attrs = in_container(attrs, netns, new.mac).push_link(new.parent);
    if let Some(mtu) = new.mtu {
        attrs = attrs.push_mtu(mtu.get());
    }
    let mut info = attrs.nested_linkinfo().push_kind(c"macvlan");
    attr::nest(info.as_vec_mut(), attr::IFLA_INFO_DATA, |data| {
        attr::push(data, attr::IFLA_MACVLAN_MODE, &mode(new.mode).to_ne_bytes());
        if let Some(length) = new.bcqueuelen {
            attr::push(data, attr::IFLA_MACVLAN_BC_QUEUE_LEN, &length.to_ne_bytes());
        }
    });
    drop(info);
    Request::of(format!("create macvlan {:?}", new.name.as_str()), &request)
}

/// `MACVLAN_MODE_…` of linux/if_link.h.
fn mode(mode: MacvlanMode) -> u32 {
    match mode {
        MacvlanMode::Private => 1,
        MacvlanMode::Vepa => 2,
        MacvlanMode::Bridge => 4,
        MacvlanMode::Passthru => 8,
    }
}

pub(super) fn vxlan(new: &NewVxlan) -> Request {
    let mut request = creation().op_newlink_do(&born_up());
    let mut attrs = request.encode().push_ifname_bytes(new.name.as_str().as_bytes());
    if let Some(mtu) = new.mtu {
        attrs = attrs.push_mtu(mtu.get());
    }
    if let Some(Mac(mac)) = new.mac {
        attrs = attrs.push_address(&mac);
    }
    if let Some(master) = new.master {
        attrs = attrs.push_master(master);
    }
    let mut info = attrs.nested_linkinfo().push_kind(c"vxlan");
    attr::nest(info.as_vec_mut(), attr::IFLA_INFO_DATA, |data| tunnel(data, new));
    drop(info);
    let (name, vni) = (new.name.as_str(), new.vni.get());
    Request::of(format!("create vxlan {name:?} with VNI {vni}"), &request)
}

fn tunnel(data: &mut Vec<u8>, new: &NewVxlan) {
    attr::push(data, attr::IFLA_VXLAN_ID, &new.vni.get().to_ne_bytes());
    attr::push(data, attr::IFLA_VXLAN_PORT, &new.port.to_be_bytes());
    attr::push(data, attr::IFLA_VXLAN_LEARNING, &[new.learning.into()]);
    attr::push(data, attr::IFLA_VXLAN_UDP_CSUM, &[1]);
    if let Some(local) = new.local {
        attr::push_ip(data, attr::IFLA_VXLAN_LOCAL, attr::IFLA_VXLAN_LOCAL6, local);
    }
    if let Some(group) = new.group {
        attr::push_ip(data, attr::IFLA_VXLAN_GROUP, attr::IFLA_VXLAN_GROUP6, group);
    }
    if let Some(device) = new.device {
        attr::push(data, attr::IFLA_VXLAN_LINK, &device.to_ne_bytes());
    }
}

/// A request that makes, and takes nothing that is there already.
fn creation() -> rt_link::Request<'static> {
    rt_link::Request::new().set_create().set_excl()
}

/// Up from the start: if that fails, the kernel takes the link away again.
fn born_up() -> Ifinfomsg {
    let mut header = Ifinfomsg::new();
    header.ifi_flags = UP;
    header.ifi_change = UP;
    header
}

fn in_container<P: Pusher>(
    attrs: PushLinkAttrs<P>,
    netns: BorrowedFd<'_>,
    mac: Option<Mac>,
) -> PushLinkAttrs<P> {
    let attrs = attrs
        .push_group(POD_GROUP)
        .push_net_ns_fd(netns.as_raw_fd().cast_unsigned());
    match mac {
        Some(Mac(mac)) => attrs.push_address(&mac),
        None => attrs,
    }
}

impl std::fmt::Display for Which<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(index) => write!(f, "link number {index}"),
            Self::Known(link) => write!(f, "link {:?}", link.name),
            Self::Name(name) => write!(f, "link {name:?}"),
        }
    }
}
