//! `plexus status`: what a runtime is told that asks whether the node's network is ready.

use std::path::PathBuf;

use clap::Args;
use cni_core::chain::{self, Runtime};
use cni_core::invoke::Builtin;
use cni_core::load;
use cni_core::plugin::Plugin;
use cni_core::spec::{Code, ConfList, Error, Version};
use plexus::cni::Meta;
use plexus::config::Policy;
use serde_json::json;

use super::machine::{self, Env, Failure};
use super::{Format, Out};

#[derive(Args)]
pub(crate) struct Options {
    /// The conflist in which the runtime finds Plexus
    #[arg(value_name = "CONFLIST", default_value = "/etc/cni/net.d/00-plexus.conflist")]
    conflist: PathBuf,
    /// The policy of the node, in place of /etc/plexus/config.json
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A line for people, or JSON for programs
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
}

pub(crate) fn run(options: &Options, env: Env<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut meta = Meta::new();
    if let Some(named) = &options.config {
        Policy::read(named)?;
        meta.policy.clone_from(named);
    }
    let list = options.entry()?;
    let plexus = Builtin::new().with(meta);
    chain::status(&list, &Runtime::new(&plexus, machine::plugin_path(env))).map_err(Error::from)?;
    let network = list.name.as_str();
    out.answer(
        &json!({ "network": network, "ready": true }),
        &[vec![format!("network {network:?} is ready")]],
    )
}

impl Options {
    /// The conflist's entry for Plexus alone, to be asked even by a version in which the runtime does not ask.
    fn entry(&self) -> Result<ConfList, Failure> {
        let file = load::from_file(&self.conflist);
        let mut list = file.map_err(|e| Failure::from_source(Code::INVALID_CONFIG, &e))?;
        let entry = list.plugins().find(|plugin| plugin.kind.as_str() == Meta::NAME);
        let Some(entry) = entry.cloned() else {
            let msg = format!("{:?} has no plugin of type {:?}", self.conflist, Meta::NAME);
            return Err(Error::new(Code::INVALID_CONFIG, msg).into());
        };
        list.first = entry;
        list.rest.clear();
        list.version = Version::V1_1_0;
        Ok(list)
    }
}
