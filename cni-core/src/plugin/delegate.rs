//! Delegation: a plugin that has another do a part of its work, as IPAM does (specification, section 4).
//!
//! The delegate receives the complete configuration and the same environment as the plugin itself.

use super::{Add, Check, Del, Env, Gc, Status};
use crate::invoke::{Call, Target, Verb};
use crate::spec::{AttachmentId, Error, NetnsPath, PluginType, Success};

impl Env<'_> {
    fn target(&self, id: Option<&AttachmentId>, netns: Option<&NetnsPath>) -> Target {
        Target {
            id: id.cloned(),
            netns: netns.cloned(),
            args: self.args.clone(),
            path: self.path.clone(),
        }
    }

    fn call<'c>(&'c self, plugin: &'c PluginType, target: &'c Target, prev: Option<&'c Success>) -> Call<'c> {
        Call {
            plugin,
            config: &self.object,
            prev,
            target,
            deadline: self.deadline,
        }
    }
}

impl<C> Add<'_, C> {
    /// Has `plugin` do its ADD. When that fails it gets a DEL at once, so that nothing of it is left;
    /// how that ends is only logged.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_add(&self, plugin: &PluginType) -> Result<Success, Error> {
        let target = self.env.target(Some(&self.id), Some(&self.netns));
        let call = self.env.call(plugin, &target, self.prev.as_ref());
        self.env.invoke.add(&call).inspect_err(|_| {
            if let Err(error) = self.env.invoke.run(Verb::Del, &call) {
                tracing::warn!(plugin = plugin.as_str(), %error, "undo the delegate's ADD");
            }
        })
    }

    /// Has `plugin` take its ADD back: the undo of a successful [`Add::delegate_add`].
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_del(&self, plugin: &PluginType) -> Result<(), Error> {
        let target = self.env.target(Some(&self.id), Some(&self.netns));
        let call = self.env.call(plugin, &target, self.prev.as_ref());
        self.env.invoke.run(Verb::Del, &call)
    }
}

impl<C> Check<'_, C> {
    /// Has `plugin` do its CHECK.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_check(&self, plugin: &PluginType) -> Result<(), Error> {
        let target = self.env.target(Some(&self.id), Some(&self.netns));
        let call = self.env.call(plugin, &target, self.prev.as_ref());
        self.env.invoke.run(Verb::Check, &call)
    }
}

impl<C> Del<'_, C> {
    /// Has `plugin` do its DEL, whether or not there is still a namespace.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_del(&self, plugin: &PluginType) -> Result<(), Error> {
        let target = self.env.target(Some(&self.id), self.netns.as_ref());
        let call = self.env.call(plugin, &target, self.prev.as_ref());
        self.env.invoke.run(Verb::Del, &call)
    }
}

impl<C> Gc<'_, C> {
    /// Has `plugin` do its GC, with the same valid attachments.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_gc(&self, plugin: &PluginType) -> Result<(), Error> {
        let target = self.env.target(None, None);
        self.env
            .invoke
            .run(Verb::Gc, &self.env.call(plugin, &target, None))
    }
}

impl<C> Status<'_, C> {
    /// Asks `plugin` for its STATUS.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_status(&self, plugin: &PluginType) -> Result<(), Error> {
        let target = self.env.target(None, None);
        self.env
            .invoke
            .run(Verb::Status, &self.env.call(plugin, &target, None))
    }
}
