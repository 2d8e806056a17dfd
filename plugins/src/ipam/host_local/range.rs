//! Ranges of addresses, and sets of ranges that are walked as one ring.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Deserialize;

use crate::ipam::conf::{self, ConfError};

/// A range as a configuration has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RangeConf {
    pub(super) subnet: Option<String>,
    range_start: Option<String>,
    range_end: Option<String>,
    gateway: Option<String>,
}

/// Addresses `start` to `end`, both included, of one subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) subnet: IpNet,
    pub(super) start: IpAddr,
    pub(super) end: IpAddr,
    pub(super) gateway: IpAddr,
}

/// Ranges of one family that do not overlap; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RangeSet {
    first: Range,
    rest: Vec<Range>,
}

impl Range {
    fn parse(conf: &RangeConf) -> Result<Self, ConfError> {
        let subnet = subnet(conf.subnet.as_deref().unwrap_or_default())?;
        let bound = |what, text: &Option<String>, default: u128| match text {
            Some(text) => conf::address(what, text),
            None => Ok(address(default, subnet.addr())),
        };
        let (lowest, highest) = (number(subnet.network()) + 1, last(&subnet));
        let start = bound("rangeStart", &conf.range_start, lowest)?;
        let end = bound("rangeEnd", &conf.range_end, highest)?;
        let gateway = bound("gateway", &conf.gateway, lowest)?;
        for (what, ip) in [("RangeStart", start), ("RangeEnd", end)] {
            if !subnet.contains(&ip) {
                return Err(ConfError::Rule(format!("{what} {ip} not in network {subnet}")));
            }
        }
        if start > end {
            let rule = format!("RangeStart {start} is higher than RangeEnd {end}");
            return Err(ConfError::Rule(rule));
        }
        Ok(Self {
            subnet,
            start,
            end,
            gateway,
        })
    }

    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.start.is_ipv4() && (self.start..=self.end).contains(&ip)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.start.is_ipv4() == other.start.is_ipv4() && self.start <= other.end && other.start <= self.end
    }
}

fn subnet(text: &str) -> Result<IpNet, ConfError> {
    let net = conf::cidr("subnet", text)?;
    if net.prefix_len() > net.max_prefix_len() - 2 {
        let rule = format!("Network {net} too small to allocate from");
        return Err(ConfError::Rule(rule));
    }
    if net.addr() != net.network() {
        return Err(ConfError::Rule(format!(
            "Network has host bits set. For a subnet mask of length {} the network address is {}",
            net.prefix_len(),
            net.network()
        )));
    }
    Ok(net)
}

/// The last address that can be handed out: IPv6 has no broadcast address to leave out.
fn last(subnet: &IpNet) -> u128 {
    match subnet {
        IpNet::V4(net) => u128::from(u32::from(net.broadcast())) - 1,
        IpNet::V6(net) => u128::from(net.broadcast()),
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// The address with that number, of the family of `like`.
fn address(number: u128, like: IpAddr) -> IpAddr {
    match like {
        // Numbers of this family come from addresses of it, so that nothing is cut off.
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(number as u32)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(number)),
    }
}

impl RangeSet {
    /// Reads a set and checks that its ranges go together.
    pub(super) fn parse(confs: &[RangeConf]) -> Result<Self, ConfError> {
        let ranges = confs.iter().map(Range::parse).collect::<Result<Vec<_>, _>>()?;
        let is_v4 = |range: &Range| range.start.is_ipv4();
        let first = ranges.first().map(is_v4);
        if ranges.iter().any(|range| Some(is_v4(range)) != first) {
            return Err(ConfError::Rule("mixed address families".to_owned()));
        }
        if let Some([(a, ()), (b, ())]) = overlapping(ranges.iter().map(|range| (range, ()))) {
            let (a, b) = (Shown(a), Shown(b));
            return Err(ConfError::Rule(format!("subnets {a} and {b} overlap")));
        }
        let mut ranges = ranges.into_iter();
        let first = ranges.next();
        let first = first.ok_or_else(|| ConfError::Rule("empty range set".to_owned()))?;
        Ok(Self {
            first,
            rest: ranges.collect(),
        })
    }

    pub(super) fn ranges(&self) -> impl Iterator<Item = &Range> + Clone {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// An address of the set's family.
    pub(super) fn sample(&self) -> IpAddr {
        self.first.start
    }

    /// The range that holds `ip`.
    pub(super) fn range_of(&self, ip: IpAddr) -> Option<&Range> {
        self.ranges().find(|range| range.contains(ip))
    }

    /// Every address of the set but its range's own gateway, once, in the order of the ring that
    /// starts behind `last`; without one, or with one that is outside, at the first range's start.
    pub(super) fn ring(&self, last: Option<IpAddr>) -> impl Iterator<Item = (IpAddr, &Range)> {
        let found = last.and_then(|ip| self.ranges().position(|range| range.contains(ip)).zip(Some(ip)));
        let at = found.map_or(0, |(at, _)| at);
        let split = found.map(|(_, ip)| number(ip));
        // Behind `last` to its range's end, all other ranges, then its range's start to `last`.
        let head = self.ranges().skip(at).take(1).flat_map(move |range| {
            let from = split.unwrap_or_else(|| number(range.start));
            walk(range, from, number(range.end)).skip(usize::from(split.is_some()))
        });
        let others = self.ranges().cycle().skip(at + 1).take(self.rest.len());
        let others = others.flat_map(|range| walk(range, number(range.start), number(range.end)));
        let tail = self.ranges().skip(at).take(usize::from(split.is_some()));
        let tail = tail.flat_map(move |range| {
            let to = split.unwrap_or_else(|| number(range.end));
            walk(range, number(range.start), to)
        });
        let all = head.chain(others).chain(tail);
        all.filter(|(ip, range)| *ip != range.gateway)
    }
}

/// The addresses numbered `from` to `to` of `range`, lazily: a range may hold 2¹²⁸.
fn walk(range: &Range, from: u128, to: u128) -> impl Iterator<Item = (IpAddr, &Range)> {
    (from..=to).map(move |n| (address(n, range.start), range))
}

/// Two ranges that overlap, if any do, each with what comes with it. There may be as many as a configuration has room
/// for, so that not every two are compared.
pub(super) fn overlapping<'a, T>(
    ranges: impl Iterator<Item = (&'a Range, T)>,
) -> Option<[(&'a Range, T); 2]> {
    let mut ranges: Vec<_> = ranges.collect();
    ranges.sort_by_key(|(range, _)| range.start);
    let mut ranges = ranges.into_iter();
    let mut before = ranges.next()?;
    // Up to the first overlap each range ends behind the one before it.
    for range in ranges {
        if before.0.overlaps(range.0) {
            return Some([before, range]);
        }
        before = range;
    }
    None
}

struct Shown<'a>(&'a Range);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.start, self.0.end)
    }
}

impl fmt::Display for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.ranges().enumerate() {
            let separator = if at == 0 { "" } else { "," };
            write!(f, "{separator}{}", Shown(range))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
