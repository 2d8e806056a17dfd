//! The values that have a form of their own.

use std::fmt;
use std::net::IpAddr;
use std::num::{NonZeroU16, NonZeroU64};
use std::str::FromStr;

use cni_core::spec::parse_net;
use serde::{Deserialize, Serialize, Serializer};

use super::ValueError;

/// An address to be assigned, with its prefix length where the pod says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct IpRequest {
    /// The address.
    pub address: IpAddr,
    /// The prefix length.
    pub prefix: Option<u8>,
}

impl FromStr for IpRequest {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let bad = || ValueError::Rule("it is not an IP address with an optional prefix length");
        if text.contains('/') {
            let net = parse_net(text).ok_or_else(bad)?;
            Ok(Self {
                address: net.addr(),
                prefix: Some(net.prefix_len()),
            })
        } else {
            let address = text.parse().map_err(|_| bad())?;
            Ok(Self {
                address,
                prefix: None,
            })
        }
    }
}

impl fmt::Display for IpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        self.prefix.map_or(Ok(()), |prefix| write!(f, "/{prefix}"))
    }
}

impl Serialize for IpRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A gateway of `default-route`.
pub(super) struct Gateway(pub(super) IpAddr);

impl FromStr for Gateway {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        text.parse()
            .map(Self)
            .map_err(|_| ValueError::Rule("it is not a list of IP addresses"))
    }
}

/// An InfiniBand GUID: eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guid([u8; 8]);

impl FromStr for Guid {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let bad = || ValueError::Rule("it is not eight bytes in hexadecimal");
        let separator = if text.contains('-') { '-' } else { ':' };
        let byte = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
            digits.then(|| u8::from_str_radix(part, 16).ok()).flatten()
        };
        let bytes: Option<Vec<u8>> = text.split(separator).map(byte).collect();
        let bytes = bytes.ok_or_else(bad)?.try_into().map_err(|_| bad())?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A port of the host that leads to a port of the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PortMapping {
    /// The port on the host.
    pub host_port: NonZeroU16,
    /// The port in the pod.
    pub container_port: NonZeroU16,
    /// The protocol.
    pub protocol: Protocol,
    /// The host's address, if not all of them.
    #[serde(rename = "hostIP", skip_serializing_if = "Option::is_none")]
    pub host_ip: Option<IpAddr>,
}

/// The protocols of a [`PortMapping`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "the specification has these three")]
pub enum Protocol {
    /// SCTP.
    Sctp,
    /// TCP, where nothing is said.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl FromStr for Protocol {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text.to_ascii_lowercase().as_str() {
            "sctp" => Ok(Self::Sctp),
            "" | "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            _ => Err(ValueError::Rule("a protocol is \"tcp\", \"udp\" or \"sctp\"")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawMapping {
    host_port: NonZeroU16,
    container_port: NonZeroU16,
    #[serde(default)]
    protocol: String,
    #[serde(default, rename = "hostIP")]
    host_ip: String,
}

/// The rules of `portMappings` beyond its type; an empty list stands for an absent key.
pub(super) fn port_mappings(raw: Vec<RawMapping>) -> Result<Vec<PortMapping>, ValueError> {
    let mapping = |raw: RawMapping| {
        let address = |text: String| {
            text.parse()
                .map_err(|_| ValueError::Rule("hostIP is no IP address"))
        };
        Ok(PortMapping {
            host_port: raw.host_port,
            container_port: raw.container_port,
            protocol: raw.protocol.parse()?,
            host_ip: Some(raw.host_ip)
                .filter(|ip| !ip.is_empty())
                .map(address)
                .transpose()?,
        })
    };
    raw.into_iter().map(mapping).collect()
}

/// Limits, in bits and bits per second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Bandwidth {
    /// Into the pod, in bits per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_rate: Option<NonZeroU64>,
    /// Into the pod at once, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_burst: Option<NonZeroU64>,
    /// Out of the pod, in bits per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress_rate: Option<NonZeroU64>,
    /// Out of the pod at once, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress_burst: Option<NonZeroU64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawBandwidth {
    ingress_rate: u64,
    ingress_burst: u64,
    egress_rate: u64,
    egress_burst: u64,
}

/// The rules of `bandwidth` beyond its type; a zero stands for an absent key, since the common Go type
/// writes all four.
pub(super) fn bandwidth(raw: RawBandwidth) -> Result<Bandwidth, ValueError> {
    let limits = Bandwidth {
        ingress_rate: NonZeroU64::new(raw.ingress_rate),
        ingress_burst: NonZeroU64::new(raw.ingress_burst),
        egress_rate: NonZeroU64::new(raw.egress_rate),
        egress_burst: NonZeroU64::new(raw.egress_burst),
    };
    let burst_alone = |burst: Option<_>, rate: Option<_>| burst.is_some() && rate.is_none();
    if limits == Bandwidth::default() {
        Err(ValueError::Rule("no rate is given"))
    } else if burst_alone(limits.ingress_burst, limits.ingress_rate)
        || burst_alone(limits.egress_burst, limits.egress_rate)
    {
        Err(ValueError::Rule("a burst needs its rate"))
    } else {
        Ok(limits)
    }
}
