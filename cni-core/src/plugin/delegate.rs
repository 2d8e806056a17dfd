//! Delegation: a plugin that has another do a part of its work, as IPAM does (specification, section 4).
//!
//! The delegate receives the complete configuration and the same environment as the plugin itself. That is
//! why a plugin cannot delegate to itself: it would do so for ever.

use std::time::Instant;

use super::{Add, Check, Del, Env, Gc, Status};
use crate::invoke::{Call, Target, Verb, time_to_undo};
use crate::spec::{AttachmentId, Code, Error, NetnsPath, PluginType, Success};

/// What the reference's `host-local` says, and ours, of an attachment that has an address from an earlier ADD, in
/// another namespace perhaps. There is no code for it.
const DUPLICATE: &str = "duplicate allocation is not allowed";

/// What a delegate is called with, but for its type.
struct Delegate<'a> {
    env: &'a Env<'a>,
    target: Target,
    prev: Option<&'a Success>,
    deadline: Option<Instant>,
}

impl Env<'_> {
    fn delegate<'d>(
        &'d self,
        id: Option<&AttachmentId>,
        netns: Option<&NetnsPath>,
        prev: Option<&'d Success>,
    ) -> Delegate<'d> {
        let target = Target {
            id: id.cloned(),
            netns: netns.cloned(),
            args: self.args.clone(),
            path: self.path.clone(),
            own_netns: self.own_netns,
            trace: self.trace.clone(),
        };
        Delegate {
            env: self,
            target,
            prev,
            deadline: self.deadline,
        }
    }
}

impl Delegate<'_> {
    /// The same with the time that a plugin has for taking back what it did, also when that for ADD is over.
    fn undoing(self) -> Self {
        Self {
            deadline: time_to_undo(self.deadline),
            ..self
        }
    }

    fn call<'c>(&'c self, plugin: &'c PluginType) -> Result<Call<'c>, Error> {
        if self.is_itself(plugin) {
            let msg = format!("plugin {:?} cannot delegate to itself", self.env.plugin);
            return Err(Error::new(Code::INVALID_CONFIG, msg));
        }
        Ok(Call {
            plugin,
            config: &self.env.object,
            prev: self.prev,
            target: &self.target,
            deadline: self.deadline,
        })
    }

    fn is_itself(&self, plugin: &PluginType) -> bool {
        plugin.as_str() == self.env.plugin
    }

    fn run(&self, verb: Verb, plugin: &PluginType) -> Result<(), Error> {
        if verb == Verb::Del && self.is_itself(plugin) {
            // Its ADD was refused, so nothing can be there, and a runtime must be able to clean up.
            return Ok(());
        }
        self.env.invoke.run(verb, &self.call(plugin)?)
    }
}

impl<C> Add<'_, C> {
    fn delegate(&self) -> Delegate<'_> {
        self.env
            .delegate(Some(&self.id), Some(&self.netns), self.prev.as_ref())
    }

    /// Has `plugin` do its ADD. When that fails it gets a DEL at once, so that nothing of it is left, and at
    /// least two seconds for it; how that ends is only logged. It gets none when it refused to give the attachment
    /// a second address: that would free the first.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_add(&self, plugin: &PluginType) -> Result<Success, Error> {
        let delegate = self.delegate();
        let added = self.env.invoke.add(&delegate.call(plugin)?);
        added.inspect_err(move |error| {
            if error.msg.contains(DUPLICATE) {
                return;
            }
            if let Err(error) = delegate.undoing().run(Verb::Del, plugin) {
                tracing::warn!(plugin = plugin.as_str(), %error, "undo the delegate's ADD");
            }
        })
    }

    /// Has `plugin` take its ADD back: the undo of a successful [`Add::delegate_add`].
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_del(&self, plugin: &PluginType) -> Result<(), Error> {
        self.delegate().undoing().run(Verb::Del, plugin)
    }
}

impl<C> Check<'_, C> {
    /// Has `plugin` do its CHECK.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_check(&self, plugin: &PluginType) -> Result<(), Error> {
        let delegate = self
            .env
            .delegate(Some(&self.id), Some(&self.netns), self.prev.as_ref());
        delegate.run(Verb::Check, plugin)
    }
}

impl<C> Del<'_, C> {
    /// Has `plugin` do its DEL, whether or not there is still a namespace.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_del(&self, plugin: &PluginType) -> Result<(), Error> {
        let delegate = self
            .env
            .delegate(Some(&self.id), self.netns.as_ref(), self.prev.as_ref());
        delegate.run(Verb::Del, plugin)
    }
}

impl<C> Gc<'_, C> {
    /// Has `plugin` do its GC, with the same valid attachments.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_gc(&self, plugin: &PluginType) -> Result<(), Error> {
        self.env.delegate(None, None, None).run(Verb::Gc, plugin)
    }
}

impl<C> Status<'_, C> {
    /// Asks `plugin` for its STATUS.
    ///
    /// # Errors
    /// The delegate's own, unchanged.
    pub fn delegate_status(&self, plugin: &PluginType) -> Result<(), Error> {
        self.env.delegate(None, None, None).run(Verb::Status, plugin)
    }
}
