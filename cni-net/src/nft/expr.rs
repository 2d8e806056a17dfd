//! The words of a rule, and the kernel operations that they stand for.

use std::net::IpAddr;

use cni_core::spec::Mac;
use ipnet::IpNet;
use netlink_bindings::nftables::{MetaKeys, PayloadBase, VerdictCode};

use super::Family;
use super::op::Op;

/// Whether a match asks for the value, or for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a match is either taken as it is or negated"
)]
pub enum Is {
    /// `== VALUE`.
    Equal,
    /// `!= VALUE`.
    Not,
}

/// A match or a statement of a rule, evaluated in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expr {
    /// `accept`.
    Accept,
    /// `ip daddr NET` or `ip6 daddr NET`; the host bits of the network are ignored.
    Destination(Is, IpNet),
    /// `drop`.
    Drop,
    /// `ether saddr MAC`; in a table of another family than bridge it reads what no such header need have.
    EtherSource(Is, Mac),
    /// `goto CHAIN`.
    Goto(String),
    /// `iifname NAME`.
    InputInterface(Is, String),
    /// `jump CHAIN`.
    Jump(String),
    /// `masquerade`.
    Masquerade,
    /// `oifname NAME`.
    OutputInterface(Is, String),
    /// `return`.
    Return,
    /// `ip saddr NET` or `ip6 saddr NET`; the host bits of the network are ignored.
    Source(Is, IpNet),
}

/// The kernel's length of an interface's name, the closing zero included.
const IFNAMSIZ: usize = 16;

/// `NFPROTO_IPV4` and `NFPROTO_IPV6`.
const NFPROTO: [u8; 2] = [2, 10];

/// `ETH_P_IP` and `ETH_P_IPV6`.
const ETHERTYPE: [[u8; 2]; 2] = [[0x08, 0x00], [0x86, 0xdd]];

/// The operations for `exprs` in a table of `family`, in the form that `nft` gives them.
pub(super) fn lower(family: Family, exprs: &[Expr]) -> Vec<Op> {
    let mut ops = Vec::new();
    // An address is read only after the protocol was found to be the right one, once for each rule.
    let mut protocol = None;
    for expr in exprs {
        match expr {
            Expr::Accept => ops.push(verdict(VerdictCode::Accept, None)),
            Expr::Destination(is, net) => {
                ops.extend(require_protocol(family, net, &mut protocol));
                ops.extend(address(*is, net, End::Destination));
            }
            Expr::Drop => ops.push(verdict(VerdictCode::Drop, None)),
            Expr::EtherSource(is, mac) => ops.extend(ether_source(*is, mac)),
            Expr::Goto(chain) => ops.push(verdict(VerdictCode::Goto, Some(chain))),
            Expr::InputInterface(is, name) => ops.extend(interface(*is, MetaKeys::Iifname, name)),
            Expr::Jump(chain) => ops.push(verdict(VerdictCode::Jump, Some(chain))),
            Expr::Masquerade => ops.push(Op::Masquerade),
            Expr::OutputInterface(is, name) => ops.extend(interface(*is, MetaKeys::Oifname, name)),
            Expr::Return => ops.push(verdict(VerdictCode::Return, None)),
            Expr::Source(is, net) => {
                ops.extend(require_protocol(family, net, &mut protocol));
                ops.extend(address(*is, net, End::Source));
            }
        }
    }
    ops
}

/// Which address of a packet.
#[derive(Clone, Copy)]
enum End {
    Destination,
    Source,
}

fn verdict(code: VerdictCode, chain: Option<&String>) -> Op {
    Op::Verdict {
        code: code as u32,
        chain: chain.cloned(),
    }
}

fn interface(is: Is, key: MetaKeys, name: &str) -> [Op; 2] {
    let mut data = name.as_bytes().to_vec();
    data.resize(IFNAMSIZ, 0);
    [Op::Meta { key: key as u32 }, cmp(is, data)]
}

/// Bytes 6 to 11 of the Ethernet header.
fn ether_source(is: Is, mac: &Mac) -> [Op; 2] {
    let (base, offset, len) = (PayloadBase::LinkLayerHeader as u32, 6, 6);
    [Op::Payload { base, offset, len }, cmp(is, mac.0.to_vec())]
}

/// The check that `net`'s protocol needs in `family`, unless `known` says that it was made.
fn require_protocol(family: Family, net: &IpNet, known: &mut Option<bool>) -> Vec<Op> {
    let v6 = matches!(net, IpNet::V6(_));
    let implied = match family {
        Family::Bridge | Family::Inet => None,
        Family::Ip => Some(false),
        Family::Ip6 => Some(true),
    };
    if known.or(implied) == Some(v6) {
        return Vec::new();
    }
    *known = Some(v6);
    let which = usize::from(v6);
    let (key, data) = match family {
        Family::Bridge => (MetaKeys::Protocol, ETHERTYPE[which].to_vec()),
        Family::Inet | Family::Ip | Family::Ip6 => (MetaKeys::Nfproto, vec![NFPROTO[which]]),
    };
    vec![Op::Meta { key: key as u32 }, cmp(Is::Equal, data)]
}

/// Reads no more bytes than the prefix covers, and masks what is left over.
fn address(is: Is, net: &IpNet, end: End) -> Vec<Op> {
    let (offset, address) = match (net.network(), end) {
        (IpAddr::V4(a), End::Source) => (12, a.octets().to_vec()),
        (IpAddr::V4(a), End::Destination) => (16, a.octets().to_vec()),
        (IpAddr::V6(a), End::Source) => (8, a.octets().to_vec()),
        (IpAddr::V6(a), End::Destination) => (24, a.octets().to_vec()),
    };
    let prefix = usize::from(net.prefix_len());
    let whole_bytes = prefix > 0 && prefix % 8 == 0;
    let len = if whole_bytes { prefix / 8 } else { address.len() };
    let base = PayloadBase::NetworkHeader as u32;
    let mut ops = vec![Op::Payload {
        base,
        offset,
        len: len as u32,
    }];
    if !whole_bytes {
        ops.push(Op::Mask(mask(prefix, len)));
    }
    ops.push(cmp(is, address.into_iter().take(len).collect()));
    ops
}

/// `len` bytes of which the first `prefix` bits are ones.
fn mask(prefix: usize, len: usize) -> Vec<u8> {
    let ones_in = |byte: usize| prefix.saturating_sub(byte * 8).min(8);
    (0..len).map(|byte| !(0xff_u16 >> ones_in(byte)) as u8).collect()
}

fn cmp(is: Is, data: Vec<u8>) -> Op {
    Op::Compare {
        equal: is == Is::Equal,
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes operations as `nft --debug=netlink` does, bytes in the order of the wire.
    fn show(ops: &[Op]) -> String {
        let hex = |data: &[u8]| data.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let one = |op: &Op| match op {
            Op::Compare { equal: true, data } => format!("eq {}", hex(data)),
            Op::Compare { equal: false, data } => format!("neq {}", hex(data)),
            Op::Mask(mask) => format!("& {}", hex(mask)),
            Op::Masquerade => "masq".to_owned(),
            Op::Meta { key } => format!("meta {key}"),
            Op::Payload { base, offset, len } => format!("{len}b@{base}+{offset}"),
            Op::Verdict { code, chain } => {
                format!("{} {}", *code as i32, chain.as_deref().unwrap_or_default())
            }
        };
        ops.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    #[track_caller]
    fn check(family: Family, exprs: &[Expr], expected: &str) {
        assert_eq!(show(&lower(family, exprs)), expected);
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_become_what_nft_makes_of_them() {
        let source = |n| Expr::Source(Is::Equal, net(n));
        let beyond = |n| Expr::Destination(Is::Not, net(n));
        let v4 = "meta 15; eq 02; 4b@1+12; eq 0a010203";
        let rule = [source("10.1.2.3/32"), beyond("10.1.2.0/24"), Expr::Masquerade];
        check(Family::Inet, &rule, &format!("{v4}; 3b@1+16; neq 0a0102; masq"));
        check(
            Family::Inet,
            &[source("10.1.2.3/32"), beyond("10.1.2.3/20")],
            &format!("{v4}; 4b@1+16; & fffff000; neq 0a010000"),
        );
        let v6 =
            "meta 15; eq 0a; 16b@1+8; eq fd000000000000000000000000000003; 8b@1+24; neq fd00000000000000";
        check(Family::Inet, &[source("fd00::3/128"), beyond("fd00::/64")], v6);
        check(
            Family::Inet,
            &[Expr::Destination(Is::Equal, net("ff00::/8")), Expr::Return],
            "meta 15; eq 0a; 1b@1+24; eq ff; -5 ",
        );
        check(
            Family::Inet,
            &[beyond("0.0.0.0/0")],
            "meta 15; eq 02; 4b@1+16; & 00000000; neq 00000000",
        );
    }

    #[test]
    fn the_protocol_is_checked_where_the_family_leaves_it_open() {
        let v4 = [Expr::Source(Is::Equal, net("10.0.0.1/32"))];
        let v6 = [Expr::Source(Is::Equal, net("fd00::1/128"))];
        check(Family::Ip, &v4, "4b@1+12; eq 0a000001");
        check(Family::Bridge, &v4, "meta 1; eq 0800; 4b@1+12; eq 0a000001");
        check(Family::Ip6, &v6, "16b@1+8; eq fd000000000000000000000000000001");
        // Such a rule can match nothing; without the check it would read the wrong bytes.
        check(Family::Ip6, &v4, "meta 15; eq 02; 4b@1+12; eq 0a000001");
    }

    #[test]
    fn interfaces_and_verdicts() {
        let exprs = [
            Expr::InputInterface(Is::Equal, "eth0".into()),
            Expr::OutputInterface(Is::Not, "lo".into()),
            Expr::Jump("x".into()),
        ];
        let expected =
            "meta 6; eq 65746830000000000000000000000000; meta 7; neq 6c6f0000000000000000000000000000; -3 x";
        check(Family::Bridge, &exprs, expected);
        check(
            Family::Inet,
            &[Expr::Goto("masq_checks".into())],
            "-4 masq_checks",
        );
        check(
            Family::Bridge,
            &[
                Expr::EtherSource(Is::Equal, Mac([2, 0, 0, 0, 0, 9])),
                Expr::Return,
            ],
            "6b@0+6; eq 020000000009; -5 ",
        );
        check(Family::Inet, &[Expr::Accept], "1 ");
        check(Family::Inet, &[Expr::Drop], "0 ");
    }
}
