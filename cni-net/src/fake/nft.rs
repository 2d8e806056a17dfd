//! [`Nft`] of the fake.

use std::collections::BTreeMap;

use rustix::io::Errno;

use super::{FakeNet, refused};
use crate::nft::{Base, Chain, Expr, Family, Nft, Rule, Step, Transaction};
use crate::{At, NetError};

/// The tables of a namespace, by family and name.
pub(super) type Tables = BTreeMap<(String, String), Table>;

/// A table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) chains: BTreeMap<String, Content>,
    last: u64,
}

/// What is in a chain, and where the kernel calls it.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    base: Option<Base>,
    pub(super) rules: Vec<Rule>,
    /// Where each rule leads, in the order of the rules.
    jumps: Vec<Vec<String>>,
}

impl Nft for FakeNet {
    fn rules(&self, at: At<'_>, chain: &Chain) -> Result<Vec<Rule>, NetError> {
        let (world, space) = self.at(at)?;
        let table = world.space(space)?.tables.get(&key(chain.family, &chain.table));
        let content = table.and_then(|table| table.chains.get(&chain.chain));
        Ok(content.map(|content| content.rules.clone()).unwrap_or_default())
    }

    fn apply(&self, at: At<'_>, transaction: &Transaction) -> Result<(), NetError> {
        transaction.requests()?;
        let (mut world, space) = self.at(at)?;
        let space = world.space_mut(space)?;
        let mut tables = space.tables.clone();
        for step in transaction.steps() {
            take(&mut tables, step).map_err(|errno| refused(step.to_string(), errno))?;
        }
        space.tables = tables;
        Ok(())
    }
}

fn key(family: Family, table: &str) -> (String, String) {
    (family.to_string(), table.to_owned())
}

fn take(tables: &mut Tables, step: &Step) -> Result<(), Errno> {
    match step {
        Step::AddTable { family, table } => {
            tables.entry(key(*family, table)).or_default();
        }
        Step::DelTable { family, table } => {
            tables.remove(&key(*family, table)).ok_or(Errno::NOENT)?;
        }
        Step::AddChain { chain, base } => add_chain(table(tables, chain)?, chain, *base)?,
        Step::AddRule {
            chain,
            exprs,
            comment,
        } => add_rule(table(tables, chain)?, chain, exprs, comment)?,
        Step::DelChain(chain) => del_chain(table(tables, chain)?, chain)?,
        Step::DelRule { chain, handle } => {
            let content = content(table(tables, chain)?, chain)?;
            let at = content.rules.iter().position(|rule| rule.handle == *handle);
            let at = at.ok_or(Errno::NOENT)?;
            content.rules.remove(at);
            content.jumps.remove(at);
        }
        Step::FlushChain(chain) => {
            let content = content(table(tables, chain)?, chain)?;
            content.rules.clear();
            content.jumps.clear();
        }
    }
    Ok(())
}

fn table<'t>(tables: &'t mut Tables, chain: &Chain) -> Result<&'t mut Table, Errno> {
    tables
        .get_mut(&key(chain.family, &chain.table))
        .ok_or(Errno::NOENT)
}

fn content<'t>(table: &'t mut Table, chain: &Chain) -> Result<&'t mut Content, Errno> {
    table.chains.get_mut(&chain.chain).ok_or(Errno::NOENT)
}

fn add_chain(table: &mut Table, chain: &Chain, base: Option<Base>) -> Result<(), Errno> {
    let place = |base: &Base| (base.kind, base.hook, base.priority);
    match table.chains.get_mut(&chain.chain) {
        None => {
            let content = Content {
                base,
                ..Content::default()
            };
            table.chains.insert(chain.chain.clone(), content);
        }
        Some(there) => match (&mut there.base, base) {
            (_, None) => {}
            (Some(old), Some(new)) if place(old) == place(&new) => old.policy = new.policy,
            _ => return Err(Errno::OPNOTSUPP),
        },
    }
    Ok(())
}

fn add_rule(table: &mut Table, chain: &Chain, exprs: &[Expr], comment: &str) -> Result<(), Errno> {
    let targets = exprs.iter().filter_map(|expr| match expr {
        Expr::Goto(chain) | Expr::Jump(chain) => Some(chain.clone()),
        _ => None,
    });
    let targets: Vec<String> = targets.collect();
    table.chains.get(&chain.chain).ok_or(Errno::NOENT)?;
    for target in &targets {
        let target = table.chains.get(target).ok_or(Errno::NOENT)?;
        if target.base.is_some() {
            return Err(Errno::OPNOTSUPP);
        }
    }
    table.last += 1;
    let rule = Rule::new(chain.family, table.last, exprs, comment);
    let content = content(table, chain)?;
    content.rules.push(rule);
    content.jumps.push(targets);
    Ok(())
}

fn del_chain(table: &mut Table, chain: &Chain) -> Result<(), Errno> {
    table.chains.get(&chain.chain).ok_or(Errno::NOENT)?;
    let mut others = table.chains.iter().filter(|(name, _)| **name != chain.chain);
    if others.any(|(_, content)| {
        content
            .jumps
            .iter()
            .flatten()
            .any(|target| *target == chain.chain)
    }) {
        return Err(Errno::BUSY);
    }
    table.chains.remove(&chain.chain);
    Ok(())
}
