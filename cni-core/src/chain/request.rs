//! What each plugin of a list receives: made in one place for every verb.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use super::{ChainError, FailedAdd, FailedDel};
use crate::invoke::{Call, Invoke, Operation, OwnNetns, Target, TraceContext, Verb};
use crate::spec::{
    AttachmentId, CniArgs, ConfList, NetnsPath, Object, ObjectError, PluginConf, Success, ValidAttachment,
};

/// What a runtime decides about its calls, besides list and attachment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Runtime<'a> {
    /// How plugins are run.
    pub invoke: &'a dyn Invoke,
    /// Where executables are looked for: `CNI_PATH`.
    pub path: Vec<PathBuf>,
    /// `CNI_ARGS`.
    pub args: CniArgs,
    /// Capability arguments by capability; each plugin receives those that it declares.
    pub capability_args: Object,
    /// When the caller stops waiting for all plugins together.
    ///
    /// It is handed to each plugin's call, and how firmly it is kept is for [`Runtime::invoke`] to say:
    /// `Exec` ends the plugin, `Builtin` can only tell it.
    pub deadline: Option<Instant>,
    /// What ADD does about its plugins when it fails.
    pub failed_add: FailedAdd,
    /// What DEL does after a plugin has failed.
    pub failed_del: FailedDel,
    /// Whether containers may be in the plugins' own namespace: `CNI_NETNS_OVERRIDE`.
    pub own_netns: OwnNetns,
    /// The trace that the calls belong to.
    pub trace: TraceContext,
}

impl<'a> Runtime<'a> {
    /// A runtime without arguments, deadline and trace, which deals with failures as the specification says.
    pub fn new(invoke: &'a dyn Invoke, path: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            invoke,
            path: path.into_iter().collect(),
            args: CniArgs::default(),
            capability_args: Object::new(),
            deadline: None,
            failed_add: FailedAdd::default(),
            failed_del: FailedDel::default(),
            own_netns: OwnNetns::Refused,
            trace: TraceContext::default(),
        }
    }

    /// What the environment of calls about an attachment says.
    pub(super) fn target(&self, id: &AttachmentId, netns: Option<&NetnsPath>) -> Target {
        Target {
            id: Some(id.clone()),
            netns: netns.cloned(),
            ..self.no_target()
        }
    }

    /// What the environment of calls about a network says.
    pub(super) fn no_target(&self) -> Target {
        Target {
            path: self.path.clone(),
            args: self.args.clone(),
            own_netns: self.own_netns,
            trace: self.trace.clone(),
            ..Target::default()
        }
    }
}

/// One plugin's turn in a list.
pub(super) struct Step<'a> {
    list: &'a ConfList,
    plugin: &'a PluginConf,
    runtime: &'a Runtime<'a>,
    target: &'a Target,
    config: Object,
}

impl<'a> Step<'a> {
    /// A turn that is about an attachment.
    pub(super) fn attachment(
        list: &'a ConfList,
        plugin: &'a PluginConf,
        runtime: &'a Runtime<'a>,
        target: &'a Target,
    ) -> Result<Self, ChainError> {
        let config = attachment_config(list, plugin, &runtime.capability_args);
        Ok(Self {
            list,
            plugin,
            runtime,
            target,
            config: config.map_err(ChainError::Request)?,
        })
    }

    /// A turn that is about the network, for GC with the attachments that are in use.
    pub(super) fn network(
        list: &'a ConfList,
        plugin: &'a PluginConf,
        runtime: &'a Runtime<'a>,
        target: &'a Target,
        valid: Option<&BTreeSet<ValidAttachment>>,
    ) -> Result<Self, ChainError> {
        let config = network_config(list, plugin, valid);
        Ok(Self {
            list,
            plugin,
            runtime,
            target,
            config: config.map_err(ChainError::Request)?,
        })
    }

    pub(super) fn add(&self, prev: Option<&Success>) -> Result<Success, ChainError> {
        let outcome = self.runtime.invoke.add(&self.call(prev));
        outcome.map_err(|error| ChainError::plugin(self.list, self.plugin, Operation::Add, error))
    }

    pub(super) fn run(&self, verb: Verb, prev: Option<&Success>) -> Result<(), ChainError> {
        let outcome = self.runtime.invoke.run(verb, &self.call(prev));
        outcome.map_err(|error| ChainError::plugin(self.list, self.plugin, verb.into(), error))
    }

    fn call<'c>(&'c self, prev: Option<&'c Success>) -> Call<'c> {
        Call {
            plugin: &self.plugin.kind,
            config: &self.config,
            prev,
            target: self.target,
            deadline: self.runtime.deadline,
        }
    }
}

/// The plugin's object with the list's name and version, and without what only runtimes may say.
fn config(list: &ConfList, plugin: &PluginConf) -> Result<Object, ObjectError> {
    let mut config = Object::new();
    config.set("cniVersion", &list.version)?;
    config.set("name", &list.name)?;
    let plugins = plugin
        .object
        .without(&["cniVersion", "name", "capabilities", "prevResult"]);
    let is_runtimes = |key: &str| {
        key.get(..8)
            .is_some_and(|start| start.eq_ignore_ascii_case("cni.dev/"))
    };
    Ok(config.and(plugins.only(|key| !is_runtimes(key))))
}

/// The configuration with the arguments of the capabilities that the plugin declares. Where there are none, a
/// `runtimeConfig` that was written into it by hand stays, as with the reference.
fn attachment_config(
    list: &ConfList,
    plugin: &PluginConf,
    capability_args: &Object,
) -> Result<Object, ObjectError> {
    let mut config = config(list, plugin)?;
    let runtime_config = capability_args.only(|name| plugin.capabilities.contains(name));
    if !runtime_config.is_empty() {
        config.remove("runtimeConfig");
        config.set("runtimeConfig", &runtime_config)?;
    }
    Ok(config)
}

/// The configuration with the attachments that are in use, if they are known.
fn network_config(
    list: &ConfList,
    plugin: &PluginConf,
    valid: Option<&BTreeSet<ValidAttachment>>,
) -> Result<Object, ObjectError> {
    let mut config = config(list, plugin)?;
    config.set_some("cni.dev/valid-attachments", valid)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugins_own_keys_reach_it_as_they_were_written() {
        let plugin = r#"{"type":"a","K":1,"k":2,"x":1.10,"PrevResult":{},"CNI.dev/x":1,"Name":"b"}"#;
        let list = format!(r#"{{"cniVersion":"1.1.0","name":"net","plugins":[{plugin}]}}"#);
        let list = ConfList::from_bytes(list.as_bytes()).unwrap();
        let expected = r#"{"cniVersion":"1.1.0","name":"net","type":"a","K":1,"k":2,"x":1.10}"#;
        assert_eq!(config(&list, &list.first).unwrap().to_string(), expected);
    }
}
