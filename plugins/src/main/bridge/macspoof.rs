//! `macspoofchk`: frames from any other hardware address than the container's are dropped.
//!
//! Table, chains and comments are those of the reference plugin, so that either side finds and removes
//! what the other made: in `table bridge nat`, the chain `PREROUTING` sends what comes from the host's end
//! to a chain of the attachment's, and that to another, which lets the container's address return.

use std::collections::BTreeSet;

use cni_core::spec::{AttachmentId, Error, Mac, NetName, ValidAttachment};
use cni_net::nft::{Base, Chain, ChainType, Expr, Family, Hook, Is, Rule};
use cni_net::{At, NetError, Nft};

use crate::shared::{Attachment, SharedError, rules};

const TABLE: &str = "nat";

/// `raw`, the turn before all others.
const RAW: i32 = -300;

/// The longest comment, in bytes.
const LONGEST: usize = 128;

/// Drops what comes in by `host` and is not from `mac`, in place of what was there for `id`.
///
/// # Errors
/// When the kernel refuses; then nothing has changed.
pub(super) fn ensure(net: &impl Nft, id: &AttachmentId, host: &str, mac: Mac) -> Result<(), NetError> {
    let (prerouting, iface, addresses) = (prerouting(), iface(id), addresses(id));
    let comment = comment(id);
    let [into_iface, into_addresses, returns, drops] = expected(id, host, mac);
    rules::change(net, |transaction| {
        transaction.add_table(Family::Bridge, TABLE);
        let base = Base::new(ChainType::Filter, Hook::Prerouting, RAW);
        transaction.add_base_chain(&prerouting, base);
        for chain in [&iface, &addresses] {
            transaction.add_chain(chain);
            transaction.flush_chain(chain);
        }
        for stale in mine(net, id)? {
            transaction.del_rule(&prerouting, stale.handle);
        }
        transaction.add_rule(&prerouting, &into_iface, &comment);
        transaction.add_rule(&iface, &into_addresses, &comment);
        transaction.add_rule(&addresses, &returns, &comment);
        transaction.add_rule(&addresses, &drops, &comment);
        Ok(())
    })
}

/// Removes what is there for `id`, by us or by the reference.
///
/// # Errors
/// When the kernel refuses; that there is nothing is no error.
pub(super) fn remove(net: &impl Nft, id: &AttachmentId) -> Result<(), NetError> {
    let (prerouting, iface, addresses) = (prerouting(), iface(id), addresses(id));
    rules::change(net, |transaction| {
        let mine = mine(net, id)?;
        if mine.is_empty() && net.rules(At::Host, &addresses)?.is_empty() {
            return Ok(());
        }
        for rule in mine {
            transaction.del_rule(&prerouting, rule.handle);
        }
        // Made first where they are missing: to flush or delete what is not there fails.
        for chain in [&iface, &addresses] {
            transaction.add_chain(chain);
            transaction.flush_chain(chain);
        }
        transaction.del_chain(&iface);
        transaction.del_chain(&addresses);
        Ok(())
    })
}

/// Removes what is there for `network` and for no attachment in `valid`.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn gc(
    net: &impl Nft,
    network: &NetName,
    valid: &BTreeSet<ValidAttachment>,
) -> Result<(), NetError> {
    for rule in net.rules(At::Host, &prerouting())? {
        let Some(id) = owner(&rule, network) else {
            continue;
        };
        let (container, ifname) = (id.container.clone(), id.ifname.clone());
        if !valid.contains(&ValidAttachment { container, ifname }) {
            remove(net, &id)?;
        }
    }
    Ok(())
}

/// Compares what is there for `id` with what [`ensure`] makes.
///
/// # Errors
/// [`SharedError::Differs`] when something is missing; else when the kernel refuses.
pub(super) fn check(net: &impl Nft, id: &AttachmentId, host: &str, mac: Mac) -> Result<(), Error> {
    let [into_iface, into_addresses, returns, drops] = expected(id, host, mac);
    let expected = [
        (prerouting(), &into_iface[..]),
        (iface(id), &into_addresses[..]),
        (addresses(id), &returns[..]),
        (addresses(id), &drops[..]),
    ];
    for (chain, exprs) in expected {
        if !net.rules(At::Host, &chain)?.iter().any(|rule| rule.does(exprs)) {
            let (subject, problem) = (format!("MAC filter of {id}"), "a rule is missing".to_owned());
            return Err(SharedError::Differs { subject, problem }.into());
        }
    }
    Ok(())
}

/// The rules of `PREROUTING` that belong to `id`.
fn mine(net: &impl Nft, id: &AttachmentId) -> Result<Vec<Rule>, NetError> {
    let mut rules = net.rules(At::Host, &prerouting())?;
    rules.retain(|rule| is_of(rule, id));
    Ok(rules)
}

fn expected(id: &AttachmentId, host: &str, mac: Mac) -> [Vec<Expr>; 4] {
    [
        into_iface(id, host),
        vec![Expr::Jump(addresses(id).chain)],
        vec![Expr::EtherSource(Is::Equal, mac), Expr::Return],
        vec![Expr::Drop],
    ]
}

fn into_iface(id: &AttachmentId, host: &str) -> Vec<Expr> {
    let from_host_end = Expr::InputInterface(Is::Equal, host.to_owned());
    vec![from_host_end, Expr::Jump(iface(id).chain)]
}

/// Whose a rule of `PREROUTING` is, if it is of `network`.
///
/// The comment has no network's name, but the name of the host's end is made of it; and as both parts of
/// the comment may hold a `-`, each place to divide it is tried.
fn owner(rule: &Rule, network: &NetName) -> Option<AttachmentId> {
    let reference = rule.comment.strip_prefix(PREFIX)?;
    let mut splits = reference.match_indices('-').map(|(at, _)| reference.split_at(at));
    splits.find_map(|(container, ifname)| {
        let ifname = ifname.strip_prefix('-')?.parse().ok()?;
        let id = AttachmentId::new(container.parse().ok()?, ifname);
        let mut hosts = Attachment::new(network, &id).host_names();
        let is_it = hosts.any(|host| rule.does(&into_iface(&id, host.as_str())));
        is_it.then_some(id)
    })
}

const PREFIX: &str = "macspoofchk-";

fn comment(id: &AttachmentId) -> String {
    let mut text = format!("{PREFIX}{}-{}", id.container, id.ifname);
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

fn is_of(rule: &Rule, id: &AttachmentId) -> bool {
    rule.comment == comment(id)
}

fn prerouting() -> Chain {
    Chain::new(Family::Bridge, TABLE, "PREROUTING")
}

fn iface(id: &AttachmentId) -> Chain {
    let name = format!("cni-br-iface-{}-{}", id.container, id.ifname);
    Chain::new(Family::Bridge, TABLE, &name)
}

fn addresses(id: &AttachmentId) -> Chain {
    let name = format!("cni-br-iface-{}-{}-mac", id.container, id.ifname);
    Chain::new(Family::Bridge, TABLE, &name)
}
