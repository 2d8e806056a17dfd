//! The network-status annotation: what a pod has got (specification, 5), as the common Go client writes it.
//!
//! Where that client and the specification differ, readers expect the client: addresses without prefix
//! length, an entry per interface, `gateway` and `mtu`; `dns` is always there, `default` only when true. The
//! specification's own `default-route` stands beside `gateway` where it was asked for.

use std::net::IpAddr;

use cni_core::spec::{Dns, Interface, IpConfig, Success};
use serde::{Deserialize, Serialize};

/// One entry: an interface of an attachment, or an attachment without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkStatus {
    /// `namespace/name` of a NetworkAttachmentDefinition, or the default network's name.
    pub name: String,
    /// The interface in the pod.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub interface: String,
    /// Its addresses, without prefix length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<IpAddr>,
    /// Its hardware address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mac: String,
    /// Its MTU in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Whether it is the pod's default network; true in exactly one entry of a pod.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// Name resolution.
    #[serde(default)]
    pub dns: Dns,
    /// Gateways of the default routes in the attachment's result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateway: Vec<IpAddr>,
    /// Gateways of the default route that this attachment was asked to have.
    #[serde(default, rename = "default-route", skip_serializing_if = "Option::is_none")]
    pub default_route: Option<Vec<IpAddr>>,
}

/// What an attachment's status says besides its result.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The network, as `Attachment::network` prints it.
    pub network: &'a str,
    /// Whether it is the default network.
    pub is_default: bool,
    /// The gateways of the requested default route, if one was requested.
    pub default_route: Option<&'a [IpAddr]>,
}

/// The entries of one attachment: one for each interface in the pod, or else a minimal one.
pub fn entries(about: About<'_>, result: &Success) -> Vec<NetworkStatus> {
    let blank = NetworkStatus {
        name: about.network.to_owned(),
        interface: String::new(),
        ips: Vec::new(),
        mac: String::new(),
        mtu: None,
        default: false,
        dns: result.dns.clone(),
        gateway: default_gateways(result),
        default_route: None,
    };
    let in_pod = in_pod(result);
    let mut entries: Vec<_> = in_pod.iter().map(|(_, i)| of_interface(&blank, i)).collect();
    if entries.is_empty() {
        entries.push(blank);
    }
    share_ips(&mut entries, &in_pod, result);
    if let Some(entry) = entries.get_mut(default_entry(&in_pod, result)) {
        entry.default = about.is_default;
        entry.default_route = about.default_route.map(|asked| match asked {
            [] => entry.gateway.clone(),
            asked => asked.to_vec(),
        });
    }
    entries
}

type InPod<'a> = Vec<(usize, &'a Interface)>;

/// The interfaces in the pod, each with its index in the result.
fn in_pod(result: &Success) -> InPod<'_> {
    let numbered = result.interfaces.iter().enumerate();
    numbered
        .filter(|(_, interface)| !interface.sandbox.is_empty())
        .collect()
}

fn of_interface(blank: &NetworkStatus, interface: &Interface) -> NetworkStatus {
    NetworkStatus {
        interface: interface.name.clone(),
        mac: interface.mac.clone(),
        mtu: interface.mtu.filter(|mtu| *mtu != 0),
        ..blank.clone()
    }
}

/// Gives each entry the addresses of its interface; those that name no interface go to the last entry, and
/// those of interfaces on the host to none.
fn share_ips(entries: &mut [NetworkStatus], in_pod: &InPod<'_>, result: &Success) {
    let last = entries.len() - 1;
    for ip in &result.ips {
        let entry = match index(ip) {
            Some(index) => in_pod.iter().position(|(at, _)| *at == index),
            None => Some(last),
        };
        if let Some(entry) = entry.and_then(|at| entries.get_mut(at)) {
            entry.ips.push(ip.address.addr());
        }
    }
}

fn index(ip: &IpConfig) -> Option<usize> {
    ip.interface.and_then(|index| usize::try_from(index).ok())
}

/// Which entry is the default one, should one be: that of the interface with an address that has a gateway,
/// else the first.
fn default_entry(in_pod: &InPod<'_>, result: &Success) -> usize {
    let with_gateway = result.ips.iter().filter(|ip| ip.gateway.is_some());
    let mut places = with_gateway.filter_map(|ip| {
        let index = index(ip)?;
        in_pod.iter().position(|(at, _)| *at == index)
    });
    places.next().unwrap_or(0)
}

fn default_gateways(result: &Success) -> Vec<IpAddr> {
    let default = result.routes.iter().filter(|route| route.dst.prefix_len() == 0);
    default.filter_map(|route| route.gw).collect()
}

/// The value of the annotation.
pub fn annotation(entries: &[NetworkStatus]) -> String {
    // Strings, numbers and lists alone can always be written.
    serde_json::to_string(entries).unwrap_or_default()
}

#[cfg(test)]
mod tests;
