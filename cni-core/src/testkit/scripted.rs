//! A plugin that does what its configuration says.

mod kept;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;

use self::kept::Kept;
use crate::plugin::{Add, Check, Del, Env, Gc, Plugin, Status};
use crate::spec::{Code, Error, Interface, IpConfig, Object, PluginType, Success};

/// A plugin that changes nothing and does what its configuration says.
///
/// | key | meaning |
/// |---|---|
/// | `log` | a file; a line of JSON that tells what was asked for is added to it for each call |
/// | `keep` | a directory; ADD puts a file for the attachment there, CHECK wants it, DEL and GC remove it |
/// | `label` | what the lines call this plugin |
/// | `interface` | ADD adds an interface of this name to the result of the plugin before |
/// | `address` | ADD adds this address, on that interface |
/// | `fail` | verbs, in upper case, with the error that each shall fail with |
/// | `panic` | a verb that shall panic |
/// | `delegate` | a plugin that does a part of each verb |
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what it does is in its configuration")]
pub struct Scripted;

/// What [`Scripted`] shall do.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ScriptedConfig {
    log: Option<PathBuf>,
    keep: Option<Kept>,
    interface: Option<String>,
    address: Option<String>,
    fail: BTreeMap<String, Error>,
    panic: Option<String>,
    delegate: Option<PluginType>,
}

impl Plugin for Scripted {
    type Config = ScriptedConfig;
    const NAME: &'static str = "scripted";

    fn add(&self, request: Add<'_, ScriptedConfig>) -> Result<Success, Error> {
        let config = &request.config;
        let about = json!({ "id": request.id.to_string(), "netns": request.netns.as_path() });
        config.play("ADD", &request.env, about, request.prev.as_ref())?;
        let delegate = config.delegate.as_ref();
        let delegated = delegate.map(|kind| request.delegate_add(kind)).transpose()?;
        if let Some(kept) = &config.keep {
            kept.add(&request.id)?;
        }
        let mut result = request.prev.unwrap_or_default();
        result.ips.extend(delegated.unwrap_or_default().ips);
        config.extend(&mut result)?;
        Ok(result)
    }

    fn del(&self, request: Del<'_, ScriptedConfig>) -> Result<(), Error> {
        let config = &request.config;
        let netns = request.netns.as_ref().map(|netns| netns.as_path());
        let about = json!({ "id": request.id.to_string(), "netns": netns });
        config.play("DEL", &request.env, about, request.prev.as_ref())?;
        if let Some(kept) = &config.keep {
            kept.del(&request.id)?;
        }
        match &config.delegate {
            Some(kind) => request.delegate_del(kind),
            None => Ok(()),
        }
    }

    fn check(&self, request: Check<'_, ScriptedConfig>) -> Result<(), Error> {
        let config = &request.config;
        let about = json!({ "id": request.id.to_string(), "netns": request.netns.as_path() });
        config.play("CHECK", &request.env, about, request.prev.as_ref())?;
        if let Some(kept) = &config.keep {
            kept.check(&request.id)?;
        }
        match &config.delegate {
            Some(kind) => request.delegate_check(kind),
            None => Ok(()),
        }
    }

    fn status(&self, request: Status<'_, ScriptedConfig>) -> Result<(), Error> {
        let config = &request.config;
        config.play("STATUS", &request.env, json!({}), None)?;
        match &config.delegate {
            Some(kind) => request.delegate_status(kind),
            None => Ok(()),
        }
    }

    fn gc(&self, request: Gc<'_, ScriptedConfig>) -> Result<(), Error> {
        let config = &request.config;
        config.play("GC", &request.env, json!({ "valid": request.valid }), None)?;
        if let Some(kept) = &config.keep {
            kept.gc(request.valid.as_ref())?;
        }
        match &config.delegate {
            Some(kind) => request.delegate_gc(kind),
            None => Ok(()),
        }
    }
}

impl ScriptedConfig {
    /// Notes the call, then fails or panics if it shall.
    fn play(
        &self,
        verb: &str,
        env: &Env<'_>,
        mut about: serde_json::Value,
        prev: Option<&Success>,
    ) -> Result<(), Error> {
        about["verb"] = verb.into();
        about["plugin"] = json!(env.object.parse_key::<String>("label").ok().flatten());
        about["args"] = env.args.to_string().into();
        about["path"] = json!(env.path);
        about["hasDeadline"] = env.deadline.is_some().into();
        about["trace"] = json!([env.trace.parent, env.trace.state, env.trace.baggage]);
        about["runtimeConfig"] = json!(
            env.object
                .parse_key::<serde_json::Value>("runtimeConfig")
                .ok()
                .flatten()
        );
        about["keys"] = keys(&env.object).into();
        about["prev"] = json!(prev.map(|prev| prev.encode(env.version)).transpose()?);
        self.note(&about)
            .map_err(|e| Error::new(Code::IO, "write log").with_details(e.to_string()))?;
        assert!(self.panic.as_deref() != Some(verb), "as the configuration says");
        self.fail.get(verb).cloned().map_or(Ok(()), Err)
    }

    /// Adds the address and the interface that the configuration names.
    fn extend(&self, result: &mut Success) -> Result<(), Error> {
        if let Some(address) = &self.address {
            let bad = |_| Error::new(Code::INVALID_CONFIG, format!("address {address:?}"));
            let mut ip = IpConfig::new(address.parse().map_err(bad)?);
            ip.interface = self.interface.as_ref().map(|_| result.interfaces.len() as i64);
            result.ips.push(ip);
        }
        if let Some(name) = &self.interface {
            let mut interface = Interface::new(name);
            interface.mtu = Some(1400);
            result.interfaces.push(interface);
        }
        Ok(())
    }

    fn note(&self, line: &serde_json::Value) -> std::io::Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        let mut log = OpenOptions::new().create(true).append(true).open(log)?;
        writeln!(log, "{line}")
    }
}

/// The keys that only the runtime or the list can have put there.
fn keys(object: &Object) -> Vec<String> {
    let of_interest = |key: &&str| key.starts_with("cni") || key.starts_with("cap") || *key == "name";
    object
        .iter()
        .map(|(key, _)| key)
        .filter(of_interest)
        .filter(|key| *key != "cni.dev/attachments")
        .map(str::to_owned)
        .collect()
}
