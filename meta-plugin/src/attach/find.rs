//! Whether every plugin of a plan is there, before the first one runs.
//!
//! One that is missing later could not run its DEL either, and the journal would never be rid of it.

use std::path::PathBuf;

use cni_core::invoke::{Choice, Invoke};
use cni_core::spec::{Error, PluginConf};

use crate::node::Node;
use crate::plan::{self, Plan};

/// Looks for the plugins of all networks.
///
/// # Errors
/// That of the first one that is not there, with its network's name in front of the message.
pub(super) fn plugins(node: &Node, path: &[PathBuf], plan: &Plan) -> Result<(), Error> {
    for attachment in &plan.attachments {
        for plugin in attachment.list.plugins() {
            of(node, path, plugin).map_err(|mut error| {
                error.msg = format!("network {:?}: {}", attachment.network.to_string(), error.msg);
                error
            })?;
        }
    }
    Ok(())
}

/// `plugin`, and the one that it leaves addresses to. What an executable means by `ipam.type` is its own
/// matter: some answer for a type of which there is no file.
fn of(node: &Node, path: &[PathBuf], plugin: &PluginConf) -> Result<(), Error> {
    node.resolver.locate(&plugin.kind, path)?;
    let ours = node.resolver.choice(&plugin.kind) == Choice::Builtin;
    match plan::ipam(plugin).filter(|_| ours) {
        Some(ipam) => node.resolver.locate(&ipam, path),
        None => Ok(()),
    }
}
