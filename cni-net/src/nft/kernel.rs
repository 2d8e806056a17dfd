//! nftables as the kernel has it.

use netlink_bindings::nftables::{Nfgenmsg, Request as New, RuleAttrs};

use super::{Chain, Nft, Rule, Transaction, comment, header, op};
use crate::socket::Request;
use crate::{At, Kernel, NetError};

impl Nft for Kernel {
    fn rules(&self, at: At<'_>, chain: &Chain) -> Result<Vec<Rule>, NetError> {
        let mut request = New::new().op_getrule_dump(&header(chain.family));
        let attrs = request.encode().push_table_bytes(chain.table.as_bytes());
        attrs.push_chain_bytes(chain.chain.as_bytes()).end_nested();
        let request = Request::of(format!("list the rules of {chain}"), &request);
        match self.netfilter(at)?.dump(&request) {
            Err(error) if error.is_absent() => Ok(Vec::new()),
            replies => Ok(replies?.iter().filter_map(|body| read(body, chain)).collect()),
        }
    }

    fn apply(&self, at: At<'_>, transaction: &Transaction) -> Result<(), NetError> {
        if transaction.is_empty() {
            return Ok(());
        }
        let requests = transaction.requests()?;
        self.netfilter(at)?.transaction(&requests).map(drop)
    }
}

/// Reads one answer of a list; `None` for a rule of another chain.
fn read(body: &[u8], chain: &Chain) -> Option<Rule> {
    let attrs = RuleAttrs::new(body.get(Nfgenmsg::len()..)?);
    let in_chain = attrs.get_table().ok()?.to_bytes() == chain.table.as_bytes()
        && attrs.get_chain().ok()?.to_bytes() == chain.chain.as_bytes();
    in_chain.then_some(())?;
    Some(Rule {
        handle: attrs.get_handle().ok()?,
        comment: comment::decode(attrs.get_userdata().unwrap_or_default()),
        family: chain.family,
        ops: attrs.get_expressions().ok().and_then(op::decode),
    })
}
