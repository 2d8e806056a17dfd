//! Links as the kernel describes them.

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use cni_core::spec::Mac;
use netlink_bindings::rt_link::{
    IfinfoFlags, Ifinfomsg, IterableLinkinfoAttrs, LinkAttrs, LinkinfoMemberDataMsg, OpGetlinkDo,
};
use netlink_bindings::traits::NetlinkRequest;
use netlink_bindings::utils::{ErrorContext, IterableChunks, find_attr, parse_be_u16, parse_ip, parse_u32};

use super::attr;
use crate::link::{Link, LinkKind, MacvlanMode, OperState, Port};

/// Reads a message of type RTM_NEWLINK. What is not known is passed over; nothing comes of a message that
/// is cut short or names no link.
pub(super) fn link(body: &[u8]) -> Option<Link> {
    let (header, attrs) = OpGetlinkDo::decode_reply(body);
    let mut link = blank(&header)?;
    let mut info = None;
    for attr in attrs.flatten() {
        match attr {
            LinkAttrs::Address(mac) => link.mac = mac.try_into().ok().map(Mac),
            LinkAttrs::Group(group) => link.group = group,
            LinkAttrs::Ifalias(alias) => link.alias = Some(alias.to_string_lossy().into_owned()),
            LinkAttrs::Ifname(name) => link.name = name.to_string_lossy().into_owned(),
            LinkAttrs::Link(parent) => link.parent = Some(parent),
            LinkAttrs::Linkinfo(found) => info = Some(found),
            LinkAttrs::Master(master) => link.master = Some(master),
            LinkAttrs::Mtu(mtu) => link.mtu = mtu,
            LinkAttrs::Txqlen(txqlen) => link.txqlen = txqlen,
            LinkAttrs::Operstate(state) => link.state = oper_state(state),
            _ => {}
        }
    }
    if let Some(info) = info {
        link.kind = kind(&info);
        // A vxlan device is the one kind that names its parent elsewhere.
        let beneath = find_attr(data(&info), attr::IFLA_VXLAN_LINK).and_then(parse_u32);
        if matches!(link.kind, LinkKind::Vxlan { .. }) {
            link.parent = beneath.filter(|index| *index != 0);
        }
        link.port = port(&info);
    }
    (!link.name.is_empty()).then_some(link)
}

/// What the fixed header says.
fn blank(header: &Ifinfomsg) -> Option<Link> {
    let flag = |flag: IfinfoFlags| header.ifi_flags & flag as u32 != 0;
    Some(Link {
        index: u32::try_from(header.ifi_index).ok().filter(|index| *index > 0)?,
        name: String::new(),
        mac: None,
        mtu: 0,
        up: flag(IfinfoFlags::Up),
        state: OperState::Unknown,
        promisc: flag(IfinfoFlags::Promisc),
        allmulti: flag(IfinfoFlags::AllMulti),
        txqlen: 0,
        master: None,
        parent: None,
        alias: None,
        group: 0,
        kind: LinkKind::Other(String::new()),
        port: None,
    })
}

/// `IF_OPER_…` of linux/if.h.
fn oper_state(state: u8) -> OperState {
    match state {
        0 => OperState::Unknown,
        2 => OperState::Down,
        3 => OperState::LowerLayerDown,
        6 => OperState::Up,
        _ => OperState::Other,
    }
}

fn kind(info: &IterableLinkinfoAttrs<'_>) -> LinkKind {
    let name = info
        .get_kind()
        .map_or_else(|_| String::new(), |kind| kind.to_string_lossy().into_owned());
    let known = match name.as_str() {
        "bridge" => Some(LinkKind::Bridge),
        "macvlan" => macvlan(data(info)),
        "veth" => Some(LinkKind::Veth),
        "vxlan" => vxlan(data(info)),
        _ => None,
    };
    known.unwrap_or(LinkKind::Other(name))
}

/// What belongs to the kind.
fn data<'a>(info: &IterableLinkinfoAttrs<'a>) -> &'a [u8] {
    find_attr(info.get_buf(), attr::IFLA_INFO_DATA).unwrap_or_default()
}

/// Nothing for a mode that no CNI configuration names (`source`).
fn macvlan(data: &[u8]) -> Option<LinkKind> {
    let mode = match find_attr(data, attr::IFLA_MACVLAN_MODE).and_then(parse_u32)? {
        1 => MacvlanMode::Private,
        2 => MacvlanMode::Vepa,
        4 => MacvlanMode::Bridge,
        8 => MacvlanMode::Passthru,
        _ => return None,
    };
    Some(LinkKind::Macvlan { mode })
}

fn vxlan(data: &[u8]) -> Option<LinkKind> {
    let vni = find_attr(data, attr::IFLA_VXLAN_ID).and_then(parse_u32)?;
    let port = find_attr(data, attr::IFLA_VXLAN_PORT).and_then(parse_be_u16)?;
    let (mut local, mut group, mut external) = (None, None, false);
    for (header, value) in IterableChunks::new(data) {
        match header.r#type {
            attr::IFLA_VXLAN_LOCAL | attr::IFLA_VXLAN_LOCAL6 => local = address(value),
            attr::IFLA_VXLAN_GROUP | attr::IFLA_VXLAN_GROUP6 => group = address(value),
            attr::IFLA_VXLAN_COLLECT_METADATA => external = value.first().is_some_and(|on| *on != 0),
            _ => {}
        }
    }
    Some(LinkKind::Vxlan {
        vni,
        port,
        local,
        group,
        external,
    })
}

/// Nothing for the address that stands for none.
fn address(value: &[u8]) -> Option<IpAddr> {
    parse_ip(value).filter(|address| !address.is_unspecified())
}

fn port(info: &IterableLinkinfoAttrs<'_>) -> Option<Port> {
    let Ok(LinkinfoMemberDataMsg::Bridge(flags)) = info.get_slave_data() else {
        return None;
    };
    let default = Port::default();
    Some(Port {
        hairpin: is_on(flags.get_mode(), default.hairpin),
        isolated: is_on(flags.get_isolated(), default.isolated),
        learning: is_on(flags.get_learning(), default.learning),
        neigh_suppress: is_on(flags.get_neigh_suppress(), default.neigh_suppress),
    })
}

fn is_on(flag: Result<u8, ErrorContext>, default: bool) -> bool {
    flag.map_or(default, |on| on != 0)
}
