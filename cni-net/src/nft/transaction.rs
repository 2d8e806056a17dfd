//! Changes that take effect together, and the messages that ask for them.

use std::fmt;

use netlink_bindings::nftables::{
    Nfgenmsg, OpNewchainDo, OpNewruleDo, OpNewtableDo, PushChainAttrs, PushRuleAttrs, Request as New,
};
use netlink_bindings::traits::Pusher;

use super::{Base, Chain, Expr, Family, comment, expr, header, op};
use crate::NetError;
use crate::socket::Request;

/// Changes that take effect together.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a transaction does nothing until it is applied"]
pub struct Transaction {
    steps: Vec<Step>,
}

impl Transaction {
    /// `add table FAMILY TABLE`; one that is there stays as it is.
    pub fn add_table(&mut self, family: Family, table: &str) {
        let table = table.to_owned();
        self.steps.push(Step::AddTable { family, table });
    }

    /// `add chain …` without a hook: a chain that is jumped to; one that is there stays as it is.
    pub fn add_chain(&mut self, chain: &Chain) {
        let (chain, base) = (chain.clone(), None);
        self.steps.push(Step::AddChain { chain, base });
    }

    /// `add chain … { type … hook … priority …; policy …; }`; it fails where the chain is there with
    /// another type, hook or priority.
    pub fn add_base_chain(&mut self, chain: &Chain, base: Base) {
        let (chain, base) = (chain.clone(), Some(base));
        self.steps.push(Step::AddChain { chain, base });
    }

    /// `flush chain …`: removes its rules; it fails where there is no such chain.
    pub fn flush_chain(&mut self, chain: &Chain) {
        self.steps.push(Step::FlushChain(chain.clone()));
    }

    /// `add rule … EXPRS comment COMMENT`, as the last of the chain; without a comment where it is empty.
    pub fn add_rule(&mut self, chain: &Chain, exprs: &[Expr], comment: &str) {
        let (chain, exprs, comment) = (chain.clone(), exprs.to_vec(), comment.to_owned());
        self.steps.push(Step::AddRule {
            chain,
            exprs,
            comment,
        });
    }

    /// `delete rule … handle HANDLE`; it fails where there is no such rule.
    pub fn del_rule(&mut self, chain: &Chain, handle: u64) {
        let chain = chain.clone();
        self.steps.push(Step::DelRule { chain, handle });
    }

    /// `delete chain …`; it fails where there is none, or something jumps to it.
    pub fn del_chain(&mut self, chain: &Chain) {
        self.steps.push(Step::DelChain(chain.clone()));
    }

    /// `delete table FAMILY TABLE` with all that is in it; it fails where there is none.
    pub fn del_table(&mut self, family: Family, table: &str) {
        let table = table.to_owned();
        self.steps.push(Step::DelTable { family, table });
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Its parts, in order.
    #[cfg(feature = "fake")]
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The requests, in order, between those that begin and end them.
    ///
    /// # Errors
    /// When a comment is longer than its place.
    pub(crate) fn requests(&self) -> Result<Vec<Request>, NetError> {
        /// The part of netfilter that the batch is for.
        const SUBSYS_NFTABLES: u16 = 10;
        // nfgenmsg's field for it is in the order of the network.
        let header = Nfgenmsg {
            _res_id_be: SUBSYS_NFTABLES.to_be(),
            ..Nfgenmsg::default()
        };
        let begin = Request::of(
            "begin an nftables transaction",
            &New::new().op_batch_begin_do(&header),
        );
        let end = Request::of(
            "end an nftables transaction",
            &New::new().op_batch_end_do(&header),
        );
        let mut requests = vec![begin.unacknowledged()];
        for step in &self.steps {
            requests.push(step.request()?);
        }
        requests.push(end.unacknowledged());
        Ok(requests)
    }
}

/// A part of a [`Transaction`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    AddChain {
        chain: Chain,
        base: Option<Base>,
    },
    AddRule {
        chain: Chain,
        exprs: Vec<Expr>,
        comment: String,
    },
    AddTable {
        family: Family,
        table: String,
    },
    DelChain(Chain),
    DelRule {
        chain: Chain,
        handle: u64,
    },
    DelTable {
        family: Family,
        table: String,
    },
    FlushChain(Chain),
}

impl Step {
    fn request(&self) -> Result<Request, NetError> {
        let what = self.to_string();
        Ok(match self {
            Self::AddChain { chain, base } => Request::of(what, &add_chain(chain, *base)),
            Self::AddRule {
                chain,
                exprs,
                comment,
            } => Request::of(what, &add_rule(chain, exprs, comment)?),
            Self::AddTable { family, table } => Request::of(what, &add_table(*family, table)),
            Self::DelChain(chain) => {
                let mut request = New::new().op_delchain_do(&header(chain.family));
                name_chain(request.encode(), chain).end_nested();
                Request::of(what, &request)
            }
            Self::DelRule { chain, handle } => {
                let mut request = New::new().op_delrule_do(&header(chain.family));
                let attrs = name_rules(request.encode(), chain);
                attrs.push_handle(*handle).end_nested();
                Request::of(what, &request)
            }
            Self::DelTable { family, table } => {
                let mut request = New::new().op_deltable_do(&header(*family));
                let attrs = request.encode().push_name_bytes(table.as_bytes());
                attrs.end_nested();
                Request::of(what, &request)
            }
            // Deleting a rule without saying which deletes all of the chain.
            Self::FlushChain(chain) => {
                let mut request = New::new().op_delrule_do(&header(chain.family));
                name_rules(request.encode(), chain).end_nested();
                Request::of(what, &request)
            }
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddChain { chain, .. } => write!(f, "add {chain}"),
            Self::AddRule { chain, .. } => write!(f, "add a rule to {chain}"),
            Self::AddTable { family, table } => write!(f, "add table {family} {table:?}"),
            Self::DelChain(chain) => write!(f, "delete {chain}"),
            Self::DelRule { chain, handle } => write!(f, "delete rule {handle} of {chain}"),
            Self::DelTable { family, table } => write!(f, "delete table {family} {table:?}"),
            Self::FlushChain(chain) => write!(f, "flush {chain}"),
        }
    }
}

fn add_table(family: Family, table: &str) -> OpNewtableDo<'static> {
    let mut request = New::new().set_create().op_newtable_do(&header(family));
    let attrs = request.encode().push_name_bytes(table.as_bytes());
    attrs.push_flags(0).end_nested();
    request
}

fn add_chain(chain: &Chain, base: Option<Base>) -> OpNewchainDo<'static> {
    let mut request = New::new().set_create().op_newchain_do(&header(chain.family));
    let mut attrs = name_chain(request.encode(), chain);
    if let Some(base) = base {
        attrs = attrs.push_policy(base.policy.verdict());
        attrs = attrs.push_type_bytes(base.kind.name().as_bytes());
        let hook = attrs.nested_hook().push_num(base.hook.number());
        attrs = hook.push_priority(base.priority).end_nested();
    }
    attrs.end_nested();
    request
}

fn add_rule(chain: &Chain, exprs: &[Expr], comment: &str) -> Result<OpNewruleDo<'static>, NetError> {
    if comment.len() > comment::LONGEST {
        return Err(NetError::Value {
            what: "nftables comment",
            value: format!("{comment:?}"),
            rule: "is longer than 128 bytes",
        });
    }
    let request = New::new().set_create().set_append();
    let mut request = request.op_newrule_do(&header(chain.family));
    let list = name_rules(request.encode(), chain).nested_expressions();
    let mut attrs = op::encode(list, &expr::lower(chain.family, exprs)).end_nested();
    if !comment.is_empty() {
        attrs = attrs.push_userdata(&comment::encode(comment));
    }
    attrs.end_nested();
    Ok(request)
}

fn name_chain<P: Pusher>(attrs: PushChainAttrs<P>, chain: &Chain) -> PushChainAttrs<P> {
    let attrs = attrs.push_table_bytes(chain.table.as_bytes());
    attrs.push_name_bytes(chain.chain.as_bytes())
}

fn name_rules<P: Pusher>(attrs: PushRuleAttrs<P>, chain: &Chain) -> PushRuleAttrs<P> {
    let attrs = attrs.push_table_bytes(chain.table.as_bytes());
    attrs.push_chain_bytes(chain.chain.as_bytes())
}
