//! VNIs and ports that others have: found before anything is made, or told from the kernel's refusal.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use cni_core::spec::Error;
use cni_net::link::{Link, LinkKind};
use cni_net::{At, Links, NetError};

use super::config::Settings;
use super::error::VxlanError;
use super::segment::Segment;

/// Refuses a VNI that another device has, and a port that a device for every VNI has.
pub(super) fn refuse<N: Links>(net: &N, segment: &Segment<'_>, settings: &Settings) -> Result<(), Error> {
    match find(&net.links(At::Host)?, segment, settings) {
        Some(conflict) => Err(conflict.into()),
        None => Ok(()),
    }
}

/// As [`refuse`], and also tries the port where no vxlan device has it: for STATUS, which makes nothing.
///
/// The port is tried in the namespace of the calling thread, which is a plugin's own.
pub(super) fn foresee<N: Links>(net: &N, segment: &Segment<'_>, settings: &Settings) -> Result<(), Error> {
    let links = net.links(At::Host)?;
    if let Some(conflict) = find(&links, segment, settings) {
        return Err(conflict.into());
    }
    let shared = |link: &Link| matches!(link.kind, LinkKind::Vxlan { port, .. } if port == settings.port);
    if links.iter().any(shared) {
        return Ok(());
    }
    let any = if settings.over_ipv6() {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    } else {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    };
    match UdpSocket::bind((any, settings.port)) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Err(port_taken(segment, settings, "another program".to_owned()).into())
        }
        _ => Ok(()),
    }
}

/// The reason behind the kernel's refusal to make the device.
pub(super) fn explain<N: Links>(
    net: &N,
    segment: &Segment<'_>,
    settings: &Settings,
    refusal: NetError,
) -> Error {
    let in_use =
        matches!(&refusal, NetError::Request { source, .. } if source.kind() == io::ErrorKind::AddrInUse);
    if !in_use && !refusal.is_exists() {
        return refusal.into();
    }
    let links = net.links(At::Host).unwrap_or_default();
    let found = find(&links, segment, settings);
    let unknown = || in_use.then(|| port_taken(segment, settings, holder(&links, settings.port)));
    found.or_else(unknown).map_or_else(|| refusal.into(), Error::from)
}

/// The kernel lets devices share a port only if they treat packets alike, and does not say who differs.
fn holder(links: &[Link], port: u16) -> String {
    let shared = |link: &&Link| matches!(link.kind, LinkKind::Vxlan { port: p, .. } if p == port);
    match links.iter().find(shared) {
        Some(link) => format!("device {:?}, whose packets have another form", link.name),
        None => "another program".to_owned(),
    }
}

fn find(links: &[Link], segment: &Segment<'_>, settings: &Settings) -> Option<VxlanError> {
    let others = links.iter().filter(|link| link.name != segment.device.as_str());
    others.filter_map(|link| clash(link, segment, settings)).next()
}

fn clash(link: &Link, segment: &Segment<'_>, settings: &Settings) -> Option<VxlanError> {
    let LinkKind::Vxlan {
        vni, port, external, ..
    } = link.kind
    else {
        return None;
    };
    if port != settings.port {
        return None;
    }
    if external {
        let holder = format!("device {:?}, which takes packets of every VNI", link.name);
        return Some(port_taken(segment, settings, holder));
    }
    (vni == settings.vni.get()).then(|| VxlanError::VniTaken {
        network: segment.network().to_string(),
        vni,
        port,
        device: named(link),
    })
}

/// The device's name in quotes, and whose it is where it says so.
fn named(link: &Link) -> String {
    match link.alias.as_deref().filter(|alias| !alias.is_empty()) {
        Some(alias) => format!("{:?} (alias {alias:?})", link.name),
        None => format!("{:?}", link.name),
    }
}

fn port_taken(segment: &Segment<'_>, settings: &Settings, holder: String) -> VxlanError {
    VxlanError::PortTaken {
        network: segment.network().to_string(),
        port: settings.port,
        holder,
    }
}
