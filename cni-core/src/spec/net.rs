//! Addresses with their prefix length, as text.

use std::fmt;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

/// An address with its prefix length, as text in JSON: `"10.0.0.5/24"`. What a plugin's configuration names an address
/// or a subnet by.
///
/// The bits of the host stay, IPv4 mapped into IPv6 counts as IPv4, and what [`parse_net`] refuses is refused.
///
/// ```
/// use cni_core::spec::Cidr;
///
/// let subnet: Cidr = serde_json::from_str(r#""10.0.0.5/24""#)?;
/// assert_eq!(subnet.net().network().to_string(), "10.0.0.0");
/// assert!(serde_json::from_str::<Cidr>(r#""10.0.0.5""#).is_err());
/// assert_eq!("::ffff:10.0.0.5/120".parse(), Ok(subnet));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr(IpNet);

impl Cidr {
    /// The address and its subnet, to reckon with.
    pub fn net(self) -> IpNet {
        self.0
    }

    pub(super) fn is_v4(self) -> bool {
        matches!(self.0, IpNet::V4(_))
    }
}

impl From<IpNet> for Cidr {
    fn from(net: IpNet) -> Self {
        let mapped = match net {
            IpNet::V4(_) => None,
            IpNet::V6(v6) => {
                let length = v6.prefix_len().checked_sub(96);
                let address = v6.addr().to_ipv4_mapped();
                address
                    .zip(length)
                    .and_then(|(a, length)| Ipv4Net::new(a, length).ok())
            }
        };
        Self(mapped.map_or(net, IpNet::V4))
    }
}

impl From<Cidr> for IpNet {
    fn from(cidr: Cidr) -> Self {
        cidr.0
    }
}

/// Text that is not an address with its prefix length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address with its prefix length")]
pub struct CidrError(String);

impl FromStr for Cidr {
    type Err = CidrError;
    fn from_str(text: &str) -> Result<Self, CidrError> {
        parse_net(text)
            .map(Self::from)
            .ok_or_else(|| CidrError(text.chars().take(80).collect()))
    }
}

impl TryFrom<String> for Cidr {
    type Error = CidrError;
    fn try_from(text: String) -> Result<Self, CidrError> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads an address with its prefix length, `10.0.0.5/24`; the bits of the host stay. [`Cidr`] does in a configuration.
///
/// Unlike [`IpNet`]'s own parser, and like the reference's, it refuses `10.0.0.010`, which is 10.0.0.8 to some programs
/// and 10.0.0.10 to others.
pub fn parse_net(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let digits = length.bytes().all(|b| b.is_ascii_digit());
    let length = length.parse().ok().filter(|_| digits)?;
    IpNet::new(address.parse().ok()?, length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_programs_may_read_differently_is_no_address() {
        for good in ["10.0.0.5/24", "0.0.0.0/0", "fd00::5/128", "::ffff:10.0.0.5/120"] {
            assert_eq!(parse_net(good).map(|net| net.to_string()).as_deref(), Some(good));
        }
        for bad in [
            "10.0.0.010/24",
            "010.0.0.1/24",
            "10.0.0.5",
            "10.0.0.5/",
            "10.0.0.5/33",
            "10.0.0.5/+8",
            "10.0.0.5/-1",
            "10.0.0/24",
            "fd00::5/129",
            "fd00::5%eth0/64",
            " 10.0.0.5/24",
            "10.0.0.5/24/24",
            "/24",
            "",
        ] {
            assert_eq!(parse_net(bad), None, "{bad}");
        }
    }
}
