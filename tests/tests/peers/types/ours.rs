//! What our types make of a document, in the form that the program in Go answers in.

use std::collections::BTreeMap;

use cni_core::plugin::{Add, Check, Del, Plugin};
use cni_core::spec::{
    CniArgs, Code, ConfList, ContainerId, Error, IfName, NetName, Object, Success, Version,
};
use cni_core::testkit::Invocation;
use serde_json::{Value, json};

use super::{Answer, Document, Kind};

/// What we make of the document, by the version that it is wanted in.
pub(super) fn answers(document: &Document) -> BTreeMap<String, Answer> {
    let answer = |to: &String| (to.clone(), answer(document, to).map_err(|e| e.to_string()));
    document.to.iter().map(answer).collect()
}

type Refusable = Result<Value, Box<dyn std::error::Error>>;

fn answer(document: &Document, to: &str) -> Refusable {
    let text = document.text.as_str();
    match document.kind {
        Kind::Args => args(text),
        Kind::Conf => list(ConfList::from_plugin_bytes(text.as_bytes()).map_err(Error::from)?),
        Kind::Container => Ok(json!(text.parse::<ContainerId>()?.as_str())),
        Kind::Error => error(text),
        Kind::Ifname => Ok(json!(text.parse::<IfName>()?.as_str())),
        Kind::List => list(ConfList::from_bytes(text.as_bytes()).map_err(Error::from)?),
        Kind::Network => Ok(json!(text.parse::<NetName>()?.as_str())),
        Kind::Prev => prev(text),
        Kind::Result => result(document.version.parse()?, text, to),
    }
}

fn result(version: Version, text: &str, to: &str) -> Refusable {
    let success = Success::decode(version, text.as_bytes()).map_err(Error::from)?;
    let encoded = success.encode(to.parse()?).map_err(Error::from)?;
    Ok(serde_json::from_str(encoded.get())?)
}

/// A plugin that answers what the one before it did.
struct Echo;

impl Plugin for Echo {
    type Config = Value;
    const NAME: &'static str = "echo";

    fn add(&self, request: Add<'_, Value>) -> Result<Success, Error> {
        request.prev.ok_or_else(|| Error::new(Code(100), "absent"))
    }

    fn del(&self, _: Del<'_, Value>) -> Result<(), Error> {
        Ok(())
    }

    fn check(&self, _: Check<'_, Value>) -> Result<(), Error> {
        Ok(())
    }
}

fn prev(text: &str) -> Refusable {
    let outcome = Invocation::new("ADD").run(&Echo, text);
    let answer: Value = serde_json::from_str(&outcome.stdout)?;
    if outcome.succeeded() {
        Ok(answer)
    } else if answer["msg"] == "absent" {
        Ok(json!("absent"))
    } else {
        Err(answer.to_string().into())
    }
}

fn error(text: &str) -> Refusable {
    let error: Error = Object::from_slice(text.as_bytes())?.parse()?;
    Ok(json!({"object": serde_json::to_value(&error)?, "text": error.to_string()}))
}

fn list(list: ConfList) -> Refusable {
    let plugin = |plugin: &cni_core::spec::PluginConf| -> Refusable {
        let object: Value = serde_json::from_str(&plugin.object.to_string())?;
        Ok(json!({"type": plugin.kind, "capabilities": plugin.capabilities, "object": object}))
    };
    let plugins: Vec<Value> = list.plugins().map(plugin).collect::<Result<_, _>>()?;
    Ok(json!({
        "name": list.name, "cniVersion": list.version, "disableCheck": list.disable_check,
        "disableGC": list.disable_gc, "loadOnlyInlinedPlugins": list.load_only_inlined_plugins, "plugins": plugins,
    }))
}

fn args(text: &str) -> Refusable {
    const KNOWN: [&str; 3] = ["IP", "MAC", "GATEWAY"];
    let args: CniArgs = text.parse()?;
    args.only(&KNOWN)?;
    let value = |key: &str| (key.to_owned(), json!(args.get(key).unwrap_or_default()));
    Ok(KNOWN.into_iter().map(value).collect())
}
