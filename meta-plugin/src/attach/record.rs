//! What the journal keeps of an attachment before its plugins run.

use std::collections::BTreeMap;

use cni_core::invoke::{Choice, Resolver};
use cni_core::spec::{Code, Error, PluginType};

use crate::journal::Intended;
use crate::plan::{self, Attachment};

/// The record of `attachment`, the call's number `at`.
///
/// # Errors
/// Code 7 when the list cannot be written as JSON.
pub(super) fn intended(resolver: &Resolver, at: u32, attachment: &Attachment) -> Result<Intended, Error> {
    let list = attachment.list.to_object();
    let list = list.map_err(|e| Error::from_source(Code::INVALID_CONFIG, &e))?;
    Ok(Intended {
        at,
        network: attachment.network.to_string(),
        ifname: attachment.ifname.clone(),
        list: list.to_string(),
        capability_args: attachment.capability_args.to_string(),
        args: attachment.args.to_string(),
        default: attachment.is_default,
        chosen: chosen(resolver, attachment),
    })
}

/// How each plugin of the list is run, and the one that each leaves addresses to.
fn chosen(resolver: &Resolver, attachment: &Attachment) -> BTreeMap<PluginType, Choice> {
    let types = attachment.list.plugins().flat_map(plan::types);
    let with = |kind: PluginType| (kind.clone(), resolver.choice(&kind));
    types.map(with).collect()
}
