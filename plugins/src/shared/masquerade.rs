//! Masquerade (`ipMasq`): what a container sends beyond its subnet leaves with the host's address.
//!
//! Table, chains and comments are those of the reference plugins' nftables backend, so that what one side
//! made the other finds and removes: in `table inet cni_plugins_masquerade`, the chain `masq_checks` has a
//! rule for each address of each attachment, known by the beginning of its comment; `postrouting` leads
//! there, for all but multicast. Table and chains stay once they are there.

use std::collections::{BTreeSet, VecDeque};

use cni_core::plugin::{Add, Rollback};
use cni_core::spec::{AttachmentId, Error, NetName, Success, ValidAttachment};
use cni_net::nft::{Base, Chain, ChainType, Expr, Family, Hook, Is, Rule, Transaction};
use cni_net::{At, NetError, Nft};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use sha2::{Digest, Sha512};

use super::{SharedError, rules};

const TABLE: &str = "cni_plugins_masquerade";

/// The longest comment, in bytes.
const LONGEST: usize = 128;

/// `srcnat`, the turn of source translation.
const SRCNAT: i32 = 100;

/// What carries the rules (`ipMasqBackend`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// nftables.
    Nftables,
}

impl Backend {
    /// The backend of that name; nftables when it is empty.
    ///
    /// # Errors
    /// [`SharedError::MasqueradeIptables`] for iptables, [`SharedError::MasqueradeBackend`] for what is none.
    pub fn parse(name: &str) -> Result<Self, SharedError> {
        match name {
            "" | "nftables" => Ok(Self::Nftables),
            "iptables" => Err(SharedError::MasqueradeIptables),
            _ => Err(SharedError::MasqueradeBackend {
                name: name.to_owned(),
            }),
        }
    }
}

/// Masquerades what `addresses` send beyond their subnets, in place of what was there for `id`.
///
/// # Errors
/// When the kernel refuses; then nothing has changed.
pub fn ensure(
    net: &impl Nft,
    network: &NetName,
    id: &AttachmentId,
    addresses: &[IpNet],
) -> Result<(), NetError> {
    let checks = checks();
    let comment = comment(network, id);
    replace(net, is_of(network, id), |transaction| {
        lead_to_checks(transaction);
        for address in addresses {
            transaction.add_rule(&checks, &rule(*address), &comment);
        }
    })
}

/// [`ensure`] for the addresses of `success`, the result of an ADD; they are removed again if that fails later.
///
/// # Errors
/// As for [`ensure`].
pub fn add<'r, N: Nft, C>(
    net: &'r N,
    request: &'r Add<'_, C>,
    success: &Success,
    rollback: &mut Rollback<'r>,
) -> Result<(), Error> {
    let (network, id) = (&request.env.network, &request.id);
    let addresses: Vec<IpNet> = success.ips.iter().map(|ip| ip.address).collect();
    if addresses.is_empty() {
        return Ok(());
    }
    rollback.on_failure("masquerade", move || Ok(remove(net, network, id)?));
    Ok(ensure(net, network, id, &addresses)?)
}

/// Removes what is there for `id`, by us or by the reference; needs neither addresses nor the container.
///
/// # Errors
/// When the kernel refuses; that there is nothing is no error.
pub fn remove(net: &impl Nft, network: &NetName, id: &AttachmentId) -> Result<(), NetError> {
    replace(net, is_of(network, id), |_| ())
}

/// Removes what is there for `network` and for no attachment in `valid`.
///
/// # Errors
/// When the kernel refuses.
pub fn gc(net: &impl Nft, network: &NetName, valid: &BTreeSet<ValidAttachment>) -> Result<(), NetError> {
    let kept: BTreeSet<String> = valid
        .iter()
        .map(|v| instance(network, &AttachmentId::new(v.container.clone(), v.ifname.clone())))
        .collect();
    let network = format!("{}-", h16(network.as_str()));
    let is_orphan = |rule: &Rule| {
        let key = rule.comment.split(',').next().unwrap_or_default();
        key.starts_with(&network) && !kept.contains(key)
    };
    replace(net, is_orphan, |_| ())
}

/// Compares what is there for `id` with what [`ensure`] makes.
///
/// # Errors
/// [`SharedError::Differs`] when something is missing; else when the kernel refuses.
pub fn check(net: &impl Nft, network: &NetName, id: &AttachmentId, addresses: &[IpNet]) -> Result<(), Error> {
    let differs = |problem| SharedError::Differs {
        subject: format!("masquerade of {id}"),
        problem,
    };
    let mut there: VecDeque<Rule> = net.rules(At::Host, &checks())?.into();
    there.retain(is_of(network, id));
    for address in addresses {
        // They are in the addresses' order, so that the first is the one.
        let wanted = rule(*address);
        let found = there.iter().position(|rule| rule.does(&wanted));
        let at = found.ok_or_else(|| differs(format!("the rule for {address} is missing")))?;
        there.remove(at);
    }
    let leads = |rule: &Rule| rule.does(&[Expr::Goto(checks().chain)]);
    if !net.rules(At::Host, &postrouting())?.iter().any(leads) {
        return Err(differs("nothing leads to its rules".to_owned()).into());
    }
    Ok(())
}

/// In one transaction, deletes the rules that `stale` picks and makes what `fresh` adds.
fn replace(
    net: &impl Nft,
    stale: impl Fn(&Rule) -> bool,
    fresh: impl Fn(&mut Transaction),
) -> Result<(), NetError> {
    let checks = checks();
    rules::change(net, |transaction| {
        fresh(transaction);
        for rule in net.rules(At::Host, &checks)?.iter().filter(|rule| stale(rule)) {
            transaction.del_rule(&checks, rule.handle);
        }
        Ok(())
    })
}

/// Makes table and chains where they are missing, and the way to the rules anew.
fn lead_to_checks(transaction: &mut Transaction) {
    let (checks, postrouting) = (checks(), postrouting());
    transaction.add_table(Family::Inet, TABLE);
    transaction.add_chain(&checks);
    transaction.add_base_chain(&postrouting, Base::new(ChainType::Nat, Hook::Postrouting, SRCNAT));
    transaction.flush_chain(&postrouting);
    for multicast in [
        IpNet::V4(Ipv4Net::new_assert([224, 0, 0, 0].into(), 4)),
        IpNet::V6(Ipv6Net::new_assert([0xff00, 0, 0, 0, 0, 0, 0, 0].into(), 8)),
    ] {
        let passes = [Expr::Destination(Is::Equal, multicast), Expr::Return];
        transaction.add_rule(&postrouting, &passes, "");
    }
    transaction.add_rule(&postrouting, &[Expr::Goto(checks.chain)], "");
}

fn rule(address: IpNet) -> [Expr; 3] {
    [
        Expr::Source(Is::Equal, address.addr().into()),
        Expr::Destination(Is::Not, address.trunc()),
        Expr::Masquerade,
    ]
}

fn checks() -> Chain {
    Chain::new(Family::Inet, TABLE, "masq_checks")
}

fn postrouting() -> Chain {
    Chain::new(Family::Inet, TABLE, "postrouting")
}

/// Whether a rule is the attachment's.
fn is_of(network: &NetName, id: &AttachmentId) -> impl Fn(&Rule) -> bool + use<> {
    let instance = instance(network, id);
    move |rule| rule.comment.starts_with(&instance)
}

/// The key of an attachment's rules, and then, as far as there is room, whose they are.
fn comment(network: &NetName, id: &AttachmentId) -> String {
    let AttachmentId { container, ifname } = id;
    let key = instance(network, id);
    let mut text = format!("{key}, net: {network}, if: {ifname}, id: {container}");
    text.retain(|c| c != '"');
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

fn instance(network: &NetName, id: &AttachmentId) -> String {
    let AttachmentId { container, ifname } = id;
    format!(
        "{}-{}",
        h16(network.as_str()),
        h16(&format!("{ifname}:{container}"))
    )
}

/// The first 16 digits of the SHA-512.
fn h16(text: &str) -> String {
    let digest = Sha512::digest(text);
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(container: &str, ifname: &str) -> AttachmentId {
        AttachmentId::new(container.parse().unwrap(), ifname.parse().unwrap())
    }

    #[test]
    fn comments_are_those_of_the_reference() {
        let network: NetName = "mynet".parse().unwrap();
        let expected = "d23676b4f2d9fe04-f4d01f2ef4b92245, net: mynet, if: eth0, id: c1";
        assert_eq!(comment(&network, &id("c1", "eth0")), expected);
        let long = comment(&network, &id(&"c".repeat(200), "eth0"));
        assert_eq!(long.len(), LONGEST);
        // Cut in the middle of nothing, and without what nft could not quote.
        let quoted = comment(&network, &id("c1", "e\"é"));
        assert!(quoted.ends_with(", net: mynet, if: eé, id: c1"), "{quoted}");
    }

    #[test]
    fn the_backend_is_nftables_unless_named_otherwise() {
        assert_eq!(Backend::parse("").unwrap(), Backend::Nftables);
        assert_eq!(Backend::parse("nftables").unwrap(), Backend::Nftables);
        let wire = |name| Error::from(Backend::parse(name).unwrap_err());
        assert_eq!(wire("iptables").code.0, 2);
        assert!(wire("iptables").msg.contains(r#"ipMasqBackend "iptables""#));
        assert_eq!(wire("pf").msg, r#"unknown ipmasq backend "pf""#);
    }
}
