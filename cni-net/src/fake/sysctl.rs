//! [`Sysctl`] of the fake.

use rustix::io::Errno;

use super::world::Space;
use super::{FakeNet, refused};
use crate::sysctl::{Sysctl, file};
use crate::{At, NetError};

/// The parameters of an interface, and of `all` and `default`: family, name, usual value.
const OF_INTERFACES: [(&str, &str, &str); 10] = [
    ("ipv4", "arp_notify", "0"),
    ("ipv4", "proxy_arp", "0"),
    ("ipv4", "rp_filter", "0"),
    ("ipv6", "accept_dad", "1"),
    ("ipv6", "accept_ra", "1"),
    ("ipv6", "disable_ipv6", "0"),
    ("ipv6", "enhanced_dad", "1"),
    ("ipv6", "keep_addr_on_down", "0"),
    ("ipv6", "ndisc_notify", "0"),
    ("ipv6", "proxy_ndp", "0"),
];

impl Sysctl for FakeNet {
    fn sysctl(&self, at: At<'_>, key: &str) -> Result<String, NetError> {
        file(key)?;
        let (world, space) = self.at(at)?;
        let value = world.space(space)?.parameter(key).map(str::to_owned);
        value.ok_or_else(|| refused(format!("read sysctl {key:?}"), Errno::NOENT))
    }

    fn set_sysctls(&self, at: At<'_>, values: &[(String, String)]) -> Result<(), NetError> {
        let (mut world, space) = self.at(at)?;
        values.iter().try_for_each(|(key, _)| file(key).map(drop))?;
        let space = world.space_mut(space)?;
        for (key, value) in values {
            let refuse = |errno| refused(format!("write {value:?} to sysctl {key:?}"), errno);
            if space.parameter(key).is_none() {
                return Err(refuse(Errno::NOENT));
            }
            if value.parse::<i32>().is_err() {
                return Err(refuse(Errno::INVAL));
            }
            space.set_parameter(key, value);
        }
        Ok(())
    }
}

impl Space {
    /// The value of a parameter that there is.
    pub(super) fn parameter(&self, key: &str) -> Option<&str> {
        let usual = self.usual(key)?;
        Some(self.sysctls.get(key).map_or(usual, String::as_str))
    }

    pub(super) fn set_parameter(&mut self, key: &str, value: &str) {
        if self.usual(key) == Some(value) {
            self.sysctls.remove(key);
        } else {
            self.sysctls.insert(key.to_owned(), value.to_owned());
        }
    }

    /// Those of an interface that goes.
    pub(super) fn forget_parameters(&mut self, interface: &str) {
        self.sysctls
            .retain(|key, _| key.split('/').nth(2) != Some(interface));
    }

    fn usual(&self, key: &str) -> Option<&'static str> {
        if matches!(key, "ipv4/ip_forward" | "ipv6/conf/all/forwarding") {
            return Some("0");
        }
        let mut parts = key.split('/');
        let (family, conf, interface, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let there = matches!(interface, "all" | "default") || self.index(interface).is_some();
        if conf != "conf" || !there || parts.next().is_some() {
            return None;
        }
        let mut known = OF_INTERFACES.iter();
        known.find_map(|(of, called, usual)| ((*of, *called) == (family, name)).then_some(*usual))
    }
}
