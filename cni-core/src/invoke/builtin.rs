//! Plugins that are linked in: typed values are handed on, and no process is started.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use super::wire::in_time;
use super::{Call, Invoke, Operation, Target, Verb};
use crate::plugin::{Checked, DynPlugin, Unchecked};
use crate::spec::{Code, Error, Object, PluginType, Success, Version, VersionInfo};

/// A table of plugins that are linked in.
///
/// # Guarantees
/// The same checks as for an executable, and the same results: what the configuration's version cannot say
/// is not in them. A panic is an error of its call.
///
/// # Assumptions
/// A plugin ends: no call begins after its deadline, and the plugin is told of it, but nothing can be done
/// about one that ignores it.
#[derive(Default)]
#[must_use]
pub struct Builtin {
    plugins: BTreeMap<&'static str, Box<dyn DynPlugin>>,
}

impl Builtin {
    /// A table without plugins.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with `plugin`, in place of one with its name.
    pub fn with(mut self, plugin: impl DynPlugin + 'static) -> Self {
        self.plugins.insert(plugin.name(), Box::new(plugin));
        self
    }

    /// The plugin of this type.
    pub fn find(&self, name: &str) -> Option<&dyn DynPlugin> {
        self.plugins.get(name).map(|plugin| &**plugin)
    }

    /// The types in the table, in order.
    pub fn types(&self) -> impl Iterator<Item = &'static str> {
        self.plugins.keys().copied()
    }

    /// ADD, with `invoke` for the plugin's own delegates.
    pub(super) fn add_with(&self, call: &Call<'_>, invoke: &dyn Invoke) -> Result<Success, Error> {
        let checked = self.checked(Operation::Add, call, invoke)?;
        let span = checked.span();
        let _entered = span.enter();
        let version = checked.version;
        let prev = call.convert_prev(Operation::Add, |prev| Ok(prev.clone().carried(version)?))?;
        checked.add(prev, |result| result.carried(version))
    }

    /// A verb without a result, with `invoke` for the plugin's own delegates.
    pub(super) fn run_with(&self, verb: Verb, call: &Call<'_>, invoke: &dyn Invoke) -> Result<(), Error> {
        let checked = self.checked(verb.into(), call, invoke)?;
        let span = checked.span();
        let _entered = span.enter();
        let version = checked.version;
        let prev = call.convert_prev(verb.into(), |prev| Ok(prev.clone().carried(version)?))?;
        checked.run(prev)
    }

    fn checked<'a>(
        &'a self,
        operation: Operation,
        call: &Call<'_>,
        invoke: &'a dyn Invoke,
    ) -> Result<Checked<'a>, Error> {
        let plugin = self.plugin(call.plugin)?;
        in_time(call.plugin, operation.as_str(), call.deadline)?;
        let call = Unchecked {
            operation,
            target: call.target.clone(),
            config: call.config.clone(),
            invoke,
            deadline: call.deadline,
        };
        call.check(plugin)
    }

    fn plugin(&self, name: &PluginType) -> Result<&dyn DynPlugin, Error> {
        self.find(name.as_str()).ok_or_else(|| {
            let msg = format!("find built-in plugin {:?}", name.as_str());
            Error::new(Code::INVALID_CONFIG, msg)
        })
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Builtin").field(&self.plugins.keys()).finish()
    }
}

impl Invoke for Builtin {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        self.add_with(call, self)
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        self.run_with(verb, call, self)
    }

    fn version(&self, plugin: &PluginType, _: &Target, _: Option<Instant>) -> Result<VersionInfo, Error> {
        Ok(VersionInfo::new(Version::V1_1_0, self.plugin(plugin)?.versions()))
    }

    fn locate(&self, plugin: &PluginType, config: &Object, _: &[PathBuf]) -> Result<(), Error> {
        let plugin = self.plugin(plugin)?;
        let call = Unchecked {
            operation: Operation::Add,
            target: Target::default(),
            config: config.clone(),
            invoke: self,
            deadline: None,
        };
        call.check(plugin)?;
        plugin.accepts(config)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::plugin::{Add, Check, Del, Plugin};
    use crate::spec::{AttachmentId, Interface, Object};

    /// Keeps what it was given as the previous result.
    struct Seen(&'static Mutex<Option<Success>>);

    impl Plugin for Seen {
        type Config = serde::de::IgnoredAny;
        const NAME: &'static str = "seen";

        fn add(&self, request: Add<'_, Self::Config>) -> Result<Success, Error> {
            Ok(request.prev.unwrap_or_default())
        }

        fn del(&self, request: Del<'_, Self::Config>) -> Result<(), Error> {
            *self.0.lock().unwrap() = request.prev;
            Ok(())
        }

        fn check(&self, _: Check<'_, Self::Config>) -> Result<(), Error> {
            Ok(())
        }
    }

    #[track_caller]
    fn seen(version: &str, expected: Option<Option<u32>>) {
        static SEEN: Mutex<Option<Success>> = Mutex::new(None);
        let mut interface = Interface::new("eth0");
        interface.mtu = Some(1400);
        let mut prev = Success::new();
        prev.interfaces.push(interface);
        let config = format!(r#"{{"cniVersion":"{version}","name":"n"}}"#);
        let id = AttachmentId::new("c".parse().unwrap(), "eth0".parse().unwrap());
        let call = Call {
            plugin: &"seen".parse().unwrap(),
            config: &Object::from_slice(config.as_bytes()).unwrap(),
            prev: Some(&prev),
            target: &Target {
                id: Some(id),
                ..Target::default()
            },
            deadline: None,
        };
        let table = Builtin::new().with(Seen(&SEEN));
        table.run(Verb::Del, &call).unwrap();
        let seen = SEEN.lock().unwrap().take();
        assert_eq!(seen.map(|seen| seen.interfaces[0].mtu), expected, "{version}");
    }

    #[test]
    fn a_plugin_sees_of_a_result_what_its_version_can_say() {
        seen("1.1.0", Some(Some(1400)));
        seen("0.4.0", Some(None));
        seen("0.2.0", None);
    }
}
