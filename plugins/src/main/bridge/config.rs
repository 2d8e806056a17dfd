//! The configuration of `bridge`, and what it comes to for one request.

use cni_core::plugin::{Add, Env};
use cni_core::spec::{Code, Error, IfName, Mac};
use cni_net::Mtu;
use cni_net::link::{NewBridge, NewVeth, Port};
use serde::Deserialize;

use crate::shared::configure::{Dad, Options};
use crate::shared::gateway::{Conflict, Role};
use crate::shared::ipam::{DnsConf, Ipam};
use crate::shared::mac;
use crate::shared::masquerade::Backend;

/// The configuration, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Config {
    /// Name of the bridge.
    pub bridge: String,
    /// Whether the bridge is the containers' gateway.
    pub is_gateway: bool,
    /// Whether it is their default gateway.
    pub is_default_gateway: bool,
    /// Whether another address of the bridge is replaced.
    pub force_address: bool,
    /// Whether the container's address is hidden behind the host's.
    pub ip_masq: bool,
    /// What carries the rules for that; empty for nftables.
    pub ip_masq_backend: String,
    /// MTU in bytes; 0 for the kernel's.
    pub mtu: u32,
    /// Whether a frame may go back out of its port.
    pub hairpin_mode: bool,
    /// Whether the bridge takes every frame.
    pub promisc_mode: bool,
    /// Whether the container reaches no other isolated one.
    pub port_isolation: bool,
    /// Whether frames from other hardware addresses are dropped.
    pub macspoofchk: bool,
    /// Whether duplicate-address detection runs.
    pub enabledad: bool,
    /// Whether the container's end stays down.
    pub disable_container_interface: bool,
    /// Who gives addresses.
    pub ipam: Ipam,
    /// Name servers for the result.
    pub dns: DnsConf,
    /// A hardware address from the runtime's user.
    pub args: mac::Args,
    /// A hardware address by capability.
    pub runtime_config: mac::Asked,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bridge: "cni0".to_owned(),
            is_gateway: false,
            is_default_gateway: false,
            force_address: false,
            ip_masq: false,
            ip_masq_backend: String::new(),
            mtu: 0,
            hairpin_mode: false,
            promisc_mode: false,
            port_isolation: false,
            macspoofchk: false,
            enabledad: false,
            disable_container_interface: false,
            ipam: Ipam::default(),
            dns: DnsConf::default(),
            args: mac::Args::default(),
            runtime_config: mac::Asked::default(),
        }
    }
}

/// A configuration that the plugin cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No interface can have that name.
    #[error("read key \"bridge\"")]
    Bridge(#[source] cni_core::spec::NameError),
    /// Two ways for a frame to come back, which would double it.
    #[error("cannot set hairpin mode and promiscuous mode at the same time")]
    HairpinAndPromisc,
    /// An address for an interface that stays down.
    #[error("cannot use IPAM when DisableContainerInterface flag is set")]
    IpamOnDisabled,
    /// A key that other versions of the plugin have.
    #[error("key {key:?} with value {value} is not supported")]
    Unsupported {
        /// The key.
        key: &'static str,
        /// Its value, as written.
        value: String,
    },
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        let code = match &error {
            ConfigError::Unsupported { .. } => Code::UNSUPPORTED_FIELD,
            ConfigError::Bridge(_) | ConfigError::HairpinAndPromisc | ConfigError::IpamOnDisabled => {
                Code::INVALID_CONFIG
            }
        };
        Self::from_source(code, &error)
    }
}

/// What an ADD is to make: checked.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) bridge: IfName,
    pub(super) mtu: Option<Mtu>,
    pub(super) mac: Option<Mac>,
    pub(super) port: Port,
    pub(super) conflict: Conflict,
    pub(super) options: Options,
    pub(super) masquerade: Option<Backend>,
}

impl Settings {
    /// What `request` asks for.
    ///
    /// # Errors
    /// When it cannot be served; nothing has been touched.
    pub(super) fn new(request: &Add<'_, Config>) -> Result<Self, Error> {
        let config = &request.config;
        refuse_vlans(&request.env)?;
        if config.hairpin_mode && config.promisc_mode {
            return Err(ConfigError::HairpinAndPromisc.into());
        }
        if config.disable_container_interface && config.ipam.plugin.is_some() {
            return Err(ConfigError::IpamOnDisabled.into());
        }
        config.ipam.fits(request.env.version)?;
        let mtu = (config.mtu != 0).then(|| Mtu::try_from(config.mtu));
        let masquerade = config.ip_masq.then(|| Backend::parse(&config.ip_masq_backend));
        Ok(Self {
            bridge: config.bridge_name()?,
            mtu: mtu.transpose()?,
            mac: config.mac(&request.env)?,
            port: config.port(),
            conflict: config.conflict(),
            options: config.options(),
            masquerade: masquerade.transpose()?,
        })
    }

    /// The bridge to make where there is none.
    pub(super) fn new_bridge(&self) -> NewBridge {
        let mut new = NewBridge::new(self.bridge.clone());
        new.mtu = self.mtu;
        new
    }

    /// Sets what the pair is to have besides its names.
    pub(super) fn shape(&self, new: &mut NewVeth<'_>, bridge: u32) {
        new.mac = self.mac;
        new.mtu = self.mtu;
        new.master = Some(bridge);
        new.port = self.port;
    }
}

impl Config {
    /// Name of the bridge.
    ///
    /// # Errors
    /// [`ConfigError::Bridge`].
    pub(super) fn bridge_name(&self) -> Result<IfName, ConfigError> {
        let name = if self.bridge.is_empty() {
            "cni0"
        } else {
            &self.bridge
        };
        name.parse().map_err(ConfigError::Bridge)
    }

    /// What the bridge is to its containers.
    pub(super) fn role(&self) -> Role {
        Role::new(self.is_gateway, self.is_default_gateway)
    }

    /// The flags of the host's end as a port.
    pub(super) fn port(&self) -> Port {
        let mut port = Port::default();
        port.hairpin = self.hairpin_mode;
        port.isolated = self.port_isolation;
        port
    }

    fn conflict(&self) -> Conflict {
        if self.force_address {
            Conflict::Replace
        } else {
            Conflict::Refuse
        }
    }

    fn options(&self) -> Options {
        let dad = if self.enabledad { Dad::Detect } else { Dad::Skip };
        Options { dad }
    }

    fn mac(&self, env: &Env<'_>) -> Result<Option<Mac>, Error> {
        let places = [
            ("CNI_ARGS", env.args.get("MAC").unwrap_or_default()),
            ("args.cni", &*self.args.cni.mac),
            ("runtimeConfig", &*self.runtime_config.mac),
        ];
        Ok(mac::choose(&places)?)
    }
}

/// Refuses the keys for VLANs, unless they say what their absence does.
fn refuse_vlans(env: &Env<'_>) -> Result<(), ConfigError> {
    for (key, default) in [
        ("vlan", "0"),
        ("vlanTrunk", "null"),
        ("preserveDefaultVlan", "false"),
    ] {
        if let Some(value) = env.object.get(key).map(|raw| raw.get())
            && value != default
            && value != "null"
        {
            let value = value.to_owned();
            return Err(ConfigError::Unsupported { key, value });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cni_core::spec::Object;

    use super::*;

    #[test]
    fn absent_keys_have_their_defaults_and_keys_match_in_any_case() {
        let object =
            Object::from_slice(br#"{"ISgateway":true,"ipam":{"type":"static"},"mtu":null}"#).unwrap();
        let config: Config = object.parse().unwrap();
        assert_eq!(config.bridge_name().unwrap().as_str(), "cni0");
        assert_eq!(config.role(), Role::Gateway);
        assert_eq!((config.mtu, config.port()), (0, Port::default()));
        assert_eq!(config.ipam.plugin.unwrap().as_str(), "static");
    }

    #[test]
    fn a_bridge_that_no_interface_can_be_called_is_refused() {
        let object = Object::from_slice(br#"{"bridge":"a-name-of-sixteen"}"#).unwrap();
        let config: Config = object.parse().unwrap();
        assert!(config.bridge_name().is_err());
    }
}
