//! What every conversion has in common, on results that nobody thought of.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::super::{Dns, Interface, IpConfig, Route, Success};
use crate::spec::{Object, Version};

/// SplitMix64: the same results for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| make(self))
    }

    fn some<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }

    fn text(&mut self) -> String {
        let texts = ["", "a", "eth0", "/run/netns/x", "<&>", "é\u{2028}\"\\", "0"];
        texts[self.below(texts.len() as u64) as usize].to_owned()
    }

    fn unknown(&mut self) -> Object {
        let objects = [r#"{"x":1.10}"#, r#"{"X":[1,{"y":null}],"z":"é"}"#, "{}", "{}"];
        Object::from_slice(objects[self.below(4) as usize].as_bytes()).unwrap()
    }

    fn address(&mut self) -> IpAddr {
        if self.below(2) == 0 {
            Ipv4Addr::from_bits(self.next() as u32).into()
        } else {
            // Not mapped: that is IPv4 from the first conversion on.
            let bits = u128::from(self.next()) << 64 | u128::from(self.next());
            Ipv6Addr::from_bits(bits | 1 << 127).into()
        }
    }

    fn net(&mut self) -> IpNet {
        let address = self.address();
        let length = self.below(if address.is_ipv4() { 33 } else { 129 }) as u8;
        IpNet::new(address, length).unwrap()
    }

    /// Never 0, which is none for most numbers.
    fn number(&mut self) -> u32 {
        self.next() as u32 | 1
    }

    fn interface(&mut self) -> Interface {
        Interface {
            name: self.text(),
            mac: self.text(),
            mtu: self.maybe(Self::number),
            sandbox: self.text(),
            socket_path: self.text(),
            pci_id: self.text(),
            unknown: self.unknown(),
        }
    }

    fn ip(&mut self) -> IpConfig {
        IpConfig {
            address: self.net(),
            interface: self.maybe(|random| random.below(5) as i64 - 1),
            gateway: self.maybe(Self::address),
            unknown: self.unknown(),
        }
    }

    fn route(&mut self) -> Route {
        Route {
            dst: self.net(),
            gw: self.maybe(Self::address),
            mtu: self.maybe(Self::number),
            advmss: self.maybe(Self::number),
            priority: self.maybe(Self::number),
            table: self.maybe(|random| random.below(3) as u32),
            scope: self.maybe(|random| random.below(3) as u8),
            unknown: self.unknown(),
        }
    }

    fn result(&mut self) -> Success {
        Success {
            interfaces: self.some(Self::interface),
            ips: self.some(Self::ip),
            routes: self.some(Self::route),
            dns: Dns {
                nameservers: self.some(Self::text),
                domain: self.text(),
                search: self.some(Self::text),
                options: self.some(Self::text),
                unknown: self.unknown(),
            },
            unknown: self.unknown(),
        }
    }
}

/// Runs `check` on many results, each with its number.
fn each(check: impl Fn(u64, Success)) {
    for seed in 0..100 {
        check(seed, Random(seed).result());
    }
}

/// The result after `version` has said it; `None` if that cannot.
fn through(result: &Success, version: Version) -> Option<Success> {
    let said = result.encode(version).ok()?;
    Some(Success::decode_strict(version, said.get().as_bytes()).unwrap())
}

/// What cannot be said before 1.0.0.
fn without_1_0_0(mut result: Success) -> Success {
    for interface in &mut result.interfaces {
        (interface.mtu, interface.socket_path, interface.pci_id) = (None, String::new(), String::new());
    }
    result
}

#[test]
fn from_1_0_0_on_nothing_is_lost_and_before_it_three_keys_of_an_interface_are() {
    each(|seed, result| {
        for version in [Version::V1_0_0, Version::V1_1_0] {
            assert_eq!(through(&result, version).as_ref(), Some(&result), "seed {seed}");
        }
        let expected = Some(without_1_0_0(result.clone()));
        for version in [Version::V0_3_0, Version::V0_3_1, Version::V0_4_0] {
            assert_eq!(through(&result, version), expected, "seed {seed}, {version}");
        }
    });
}

#[test]
fn before_0_3_0_one_address_a_family_is_left_with_the_routes_of_its_family() {
    each(|seed, result| {
        let first = |is_v4: bool| {
            let mut ips = result.ips.iter();
            ips.find(|ip| ip.address.addr().is_ipv4() == is_v4)
        };
        for version in [Version::V0_1_0, Version::V0_2_0] {
            let Some(there) = through(&result, version) else {
                assert!(result.ips.is_empty(), "seed {seed}, {version}");
                continue;
            };
            let (mut ips, mut routes) = (Vec::new(), Vec::new());
            for is_v4 in [true, false] {
                let Some(ip) = first(is_v4) else { continue };
                ips.push((ip.address, ip.gateway));
                let of_family = result.routes.iter().filter(|r| r.dst.addr().is_ipv4() == is_v4);
                routes.extend(of_family.map(|route| (route.dst, route.gw)));
            }
            let left: Vec<_> = there.ips.iter().map(|ip| (ip.address, ip.gateway)).collect();
            assert_eq!(left, ips, "seed {seed}, {version}");
            let left: Vec<_> = there.routes.iter().map(|route| (route.dst, route.gw)).collect();
            assert_eq!(left, routes, "seed {seed}, {version}");
            assert_eq!(
                (there.interfaces.len(), &there.dns),
                (0, &result.dns),
                "seed {seed}"
            );
        }
    });
}

#[test]
fn what_a_version_has_said_once_it_says_again_whatever_is_between() {
    each(|seed, result| {
        for &narrow in Version::ALL {
            let Some(there) = through(&result, narrow) else {
                continue;
            };
            let said = there.encode(narrow).unwrap();
            for &wide in Version::ALL.iter().filter(|wide| **wide >= narrow) {
                let back = through(&there, wide).unwrap();
                let again = back.encode(narrow).unwrap();
                assert_eq!(again.get(), said.get(), "seed {seed}, {narrow} by {wide}");
            }
        }
    });
}
