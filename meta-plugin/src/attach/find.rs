//! Whether every plugin of a plan is there and takes its configuration, before the first one runs.
//!
//! One that is missing, or refuses, could not run its DEL either, and the journal would never be rid of it.

use std::path::PathBuf;

use cni_core::invoke::{Choice, Invoke};
use cni_core::spec::{Code, ConfList, Error, Object, ObjectError, PluginConf};

use crate::node::Node;
use crate::plan::{self, Plan};

/// Looks for the plugins of all networks.
///
/// # Errors
/// That of the first one that is not there or does not take its configuration, with its network's name in front
/// of the message.
pub(super) fn plugins(node: &Node, path: &[PathBuf], plan: &Plan) -> Result<(), Error> {
    for attachment in &plan.attachments {
        for plugin in attachment.list.plugins() {
            of(node, path, &attachment.list, plugin).map_err(|mut error| {
                error.msg = format!("network {:?}: {}", attachment.network.to_string(), error.msg);
                error
            })?;
        }
    }
    Ok(())
}

/// `plugin`, and the one that it leaves addresses to. What an executable means by `ipam.type` is its own
/// matter: some answer for a type of which there is no file.
fn of(node: &Node, path: &[PathBuf], list: &ConfList, plugin: &PluginConf) -> Result<(), Error> {
    let config = complete(list, plugin).map_err(|error| Error::from_source(Code::INVALID_CONFIG, &error))?;
    node.resolver.locate(&plugin.kind, &config, path)?;
    let ours = node.resolver.choice(&plugin.kind) == Choice::Builtin;
    match plan::ipam(plugin).filter(|_| ours && cni_plugins::has_ipam(plugin.kind.as_str())) {
        Some(ipam) => node.resolver.locate(&ipam, &config, path),
        None => Ok(()),
    }
}

/// The plugin's object with what the list says for all.
fn complete(list: &ConfList, plugin: &PluginConf) -> Result<Object, ObjectError> {
    let mut config = plugin.object.clone();
    config.set("cniVersion", &list.version)?;
    config.set("name", &list.name)?;
    Ok(config)
}
