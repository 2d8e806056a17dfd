//! The configuration of `macvlan`.

use cni_core::plugin::Env;
use cni_core::spec::{Code, Error, Mac};
use cni_net::Mtu;
use cni_net::link::MacvlanMode;
use serde::Deserialize;

use crate::shared::ipam::{DnsConf, Ipam};
use crate::shared::mac;

/// The configuration, as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Config {
    /// The interface that it hangs on; empty for the default route's.
    pub master: String,
    /// How its siblings see it; empty for `bridge`.
    pub mode: String,
    /// MTU in bytes; 0 for the master's.
    pub mtu: i64,
    /// Hardware address; empty for the kernel's choice.
    pub mac: String,
    /// Whether the master is in the container's namespace.
    pub link_in_container: bool,
    /// The length of the queue for broadcasts; 0 for the kernel's.
    pub bcqueuelen: u32,
    /// Who gives addresses.
    pub ipam: Ipam,
    /// Name servers for the result.
    pub dns: DnsConf,
    /// A hardware address by capability.
    pub runtime_config: mac::Asked,
}

/// A configuration that the plugin cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No such mode.
    #[error("unknown macvlan mode: {0:?}")]
    Mode(String),
    /// More than the master can carry, or no number of bytes.
    #[error("invalid MTU {mtu}, must be [0, master MTU({most})]")]
    Mtu {
        /// What was asked for.
        mtu: i64,
        /// The master's MTU.
        most: u32,
    },
    /// Neither a master nor a default route to find one by.
    #[error("no default route interface found")]
    NoMaster,
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        let code = match &error {
            ConfigError::Mode(_) | ConfigError::Mtu { .. } => Code::INVALID_CONFIG,
            ConfigError::NoMaster => Code(120),
        };
        Self::from_source(code, &error)
    }
}

impl Config {
    /// How its siblings see it.
    ///
    /// # Errors
    /// [`ConfigError::Mode`].
    pub(super) fn mode(&self) -> Result<MacvlanMode, ConfigError> {
        match &*self.mode {
            "" | "bridge" => Ok(MacvlanMode::Bridge),
            "private" => Ok(MacvlanMode::Private),
            "vepa" => Ok(MacvlanMode::Vepa),
            "passthru" => Ok(MacvlanMode::Passthru),
            other => Err(ConfigError::Mode(other.to_owned())),
        }
    }

    /// The MTU on a master that has `most`.
    ///
    /// # Errors
    /// [`ConfigError::Mtu`], also for a number that no IPv4 link can have.
    pub(super) fn mtu(&self, most: u32) -> Result<Option<Mtu>, Error> {
        let mtu = self.mtu;
        match u32::try_from(mtu) {
            Ok(0) => Ok(None),
            Ok(asked) if asked <= most => Ok(Some(Mtu::try_from(asked)?)),
            _ => Err(ConfigError::Mtu { mtu, most }.into()),
        }
    }

    /// The hardware address asked for.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn mac(&self, env: &Env<'_>) -> Result<Option<Mac>, Error> {
        let places = [
            ("key \"mac\"", &*self.mac),
            ("CNI_ARGS", env.args.get("MAC").unwrap_or_default()),
            ("runtimeConfig", &*self.runtime_config.mac),
        ];
        Ok(mac::choose(&places)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn mtu(asked: i64, expected: Result<Option<u32>, &str>) {
        let config = Config {
            mtu: asked,
            ..Config::default()
        };
        match (config.mtu(1500), expected) {
            (Ok(mtu), Ok(expected)) => assert_eq!(mtu.map(Mtu::get), expected),
            (Err(error), Err(message)) => {
                assert_eq!((error.code, &*error.msg), (Code::INVALID_CONFIG, message));
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_mtu_is_at_most_the_masters() {
        mtu(0, Ok(None));
        mtu(1500, Ok(Some(1500)));
        mtu(1501, Err("invalid MTU 1501, must be [0, master MTU(1500)]"));
        mtu(-1, Err("invalid MTU -1, must be [0, master MTU(1500)]"));
        mtu(67, Err("MTU 67 is not between 68 and 65535"));
    }

    #[test]
    fn a_mode_that_is_none_is_named() {
        let config = Config {
            mode: "l2".to_owned(),
            ..Config::default()
        };
        assert_eq!(
            config.mode().unwrap_err().to_string(),
            "unknown macvlan mode: \"l2\""
        );
        assert_eq!(Config::default().mode().unwrap(), MacvlanMode::Bridge);
    }
}
