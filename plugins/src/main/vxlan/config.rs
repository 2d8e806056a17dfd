//! The configuration of `vxlan`, and what it comes to.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cni_core::plugin::Env;
use cni_core::spec::{Error, IfName, Mac};
use cni_net::link::Port;
use cni_net::{Mtu, Vni};
use serde::Deserialize;

use super::error::VxlanError;
use crate::shared::gateway::Role;
use crate::shared::ipam::{DnsConf, Ipam};
use crate::shared::mac;

/// Where locks are unless the configuration says otherwise.
const DATA_DIR: &str = "/run/cni/vxlan";

/// The configuration, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Config {
    /// The segment's network identifier.
    pub vni: Option<u32>,
    /// The UDP port.
    pub port: u16,
    /// The address of this node's tunnel end.
    pub local: String,
    /// The underlay device.
    pub device: String,
    /// MTU in bytes; 0 for what the underlay leaves.
    pub mtu: u32,
    /// The tunnel ends of all nodes; this node's own may be among them.
    pub peers: Option<Vec<String>>,
    /// The multicast group that stands for all tunnel ends.
    pub group: String,
    /// Whether the bridge is the containers' gateway.
    pub is_gateway: bool,
    /// Whether it is their default gateway.
    pub is_default_gateway: bool,
    /// Whether the container's address is hidden behind the host's.
    pub ip_masq: bool,
    /// Whether the container reaches no other isolated one of this node.
    pub port_isolation: bool,
    /// Where locks are; empty for the usual place.
    pub data_dir: String,
    /// Who gives addresses.
    pub ipam: Ipam,
    /// Name servers for the result.
    pub dns: DnsConf,
    /// A hardware address from the runtime's user.
    pub args: mac::Args,
    /// What the runtime says.
    pub runtime_config: Runtime,
}

/// The key `runtimeConfig`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Runtime {
    /// A hardware address by capability.
    pub mac: String,
    /// The seconds for which the caller wants the segment kept after its last container; it removes
    /// the segment itself then, by GC. 0 for a caller that does not.
    pub linger: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vni: None,
            port: 4789,
            local: String::new(),
            device: String::new(),
            mtu: 0,
            peers: None,
            group: String::new(),
            is_gateway: false,
            is_default_gateway: false,
            ip_masq: false,
            port_isolation: false,
            data_dir: String::new(),
            ipam: Ipam::default(),
            dns: DnsConf::default(),
            args: mac::Args::default(),
            runtime_config: Runtime::default(),
        }
    }
}

/// The configuration, checked; nothing of the machine has been looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) vni: Vni,
    pub(super) port: u16,
    pub(super) local: Option<IpAddr>,
    pub(super) device: Option<IfName>,
    pub(super) mtu: Option<Mtu>,
    pub(super) peers: Vec<IpAddr>,
    pub(super) group: Option<IpAddr>,
}

impl Settings {
    /// What `config` asks for.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let number = config.vni.ok_or(VxlanError::NoVni)?;
        let mtu = (config.mtu != 0).then(|| Mtu::try_from(config.mtu));
        let peers = config.peers.iter().flatten().map(|text| address("peers", text));
        let device = Some(config.device.as_str()).filter(|name| !name.is_empty());
        let settings = Self {
            vni: Vni::try_from(number)?,
            port: config.port,
            local: optional("local", &config.local)?,
            device: device.map(str::parse).transpose().map_err(VxlanError::Device)?,
            mtu: mtu.transpose()?,
            peers: peers.collect::<Result<_, _>>()?,
            group: optional("group", &config.group)?,
        };
        settings.consistent()?;
        Ok(settings)
    }

    fn consistent(&self) -> Result<(), VxlanError> {
        if self.port == 0 {
            return Err(VxlanError::Port);
        }
        if self.group.is_some_and(|group| !group.is_multicast()) {
            return Err(VxlanError::Group);
        }
        if self.group.is_some() && self.device.is_none() {
            return Err(VxlanError::GroupWithoutDevice);
        }
        let ends = self.peers.iter().chain(&self.local);
        if ends.clone().any(|ip| ip.is_multicast() || ip.is_unspecified()) {
            return Err(VxlanError::End);
        }
        let mut all = ends.chain(&self.group).map(IpAddr::is_ipv4);
        let first = all.next();
        if all.any(|v4| Some(v4) != first) {
            return Err(VxlanError::MixedFamilies);
        }
        Ok(())
    }

    /// Whether tunnel packets are IPv6 ones.
    pub(super) fn over_ipv6(&self) -> bool {
        let mut all = self.peers.iter().chain(&self.local).chain(&self.group);
        all.next().is_some_and(IpAddr::is_ipv6)
    }
}

fn optional(key: &'static str, text: &str) -> Result<Option<IpAddr>, VxlanError> {
    let text = Some(text).filter(|text| !text.is_empty());
    text.map(|text| address(key, text)).transpose()
}

fn address(key: &'static str, text: &str) -> Result<IpAddr, VxlanError> {
    let bad = |_| VxlanError::Address {
        key,
        value: text.chars().take(80).collect(),
    };
    text.parse().map_err(bad)
}

impl Config {
    /// What the bridge is to its containers.
    pub(super) fn role(&self) -> Role {
        Role::new(self.is_gateway, self.is_default_gateway)
    }

    /// The flags of a container's port.
    pub(super) fn port_flags(&self) -> Port {
        let mut port = Port::default();
        port.isolated = self.port_isolation;
        port
    }

    /// Where locks are.
    pub(super) fn lock_dir(&self) -> PathBuf {
        let given = Some(&*self.data_dir).filter(|dir| !dir.is_empty());
        Path::new(given.unwrap_or(DATA_DIR)).to_owned()
    }

    /// Whether the segment stays when its last container goes.
    pub(super) fn lingers(&self) -> bool {
        self.runtime_config.linger != 0
    }

    /// The hardware address that the request asks for.
    pub(super) fn mac(&self, env: &Env<'_>) -> Result<Option<Mac>, Error> {
        let places = [
            ("CNI_ARGS", env.args.get("MAC").unwrap_or_default()),
            ("args.cni", &*self.args.cni.mac),
            ("runtimeConfig", &*self.runtime_config.mac),
        ];
        Ok(mac::choose(&places)?)
    }
}

#[cfg(test)]
mod tests {
    use cni_core::spec::Object;

    use super::*;

    fn settings(json: &str) -> Result<Settings, Error> {
        let config = Object::from_slice(json.as_bytes()).unwrap().parse().unwrap();
        Settings::new(&config)
    }

    #[track_caller]
    fn refused(json: &str, message: &str) {
        let error = settings(json).unwrap_err();
        assert!(error.msg.contains(message), "{error}");
        assert_eq!(error.code.0, 7, "{error}");
    }

    #[test]
    fn what_cannot_make_a_segment_is_refused_before_anything_is_touched() {
        refused("{}", "missing \"vni\"");
        refused(r#"{"vni":0}"#, "VNI 0");
        refused(r#"{"vni":16777216}"#, "VNI 16777216");
        refused(r#"{"vni":7,"port":0}"#, "\"port\"");
        refused(r#"{"vni":7,"mtu":20}"#, "MTU 20");
        refused(r#"{"vni":7,"peers":["x"]}"#, "\"peers\"");
        refused(
            r#"{"vni":7,"peers":["192.0.2.1","2001:db8::1"]}"#,
            "one address family",
        );
        refused(r#"{"vni":7,"peers":["224.0.0.5"]}"#, "one node's");
        refused(r#"{"vni":7,"local":"0.0.0.0"}"#, "one node's");
        refused(r#"{"vni":7,"group":"192.0.2.1","device":"eth0"}"#, "multicast");
        refused(r#"{"vni":7,"group":"239.1.1.1"}"#, "\"device\"");
    }

    #[test]
    fn absent_keys_have_their_defaults_and_keys_match_in_any_case() {
        let settings = settings(r#"{"VNI":7,"Peers":["192.0.2.1"],"device":""}"#).unwrap();
        assert_eq!((settings.vni.get(), settings.port), (7, 4789));
        assert_eq!(settings.peers.len(), 1);
        assert!(settings.local.is_none() && settings.device.is_none());
        assert!(!settings.over_ipv6());
    }
}
