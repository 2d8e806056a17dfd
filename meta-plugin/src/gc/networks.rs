//! The networks that journals name, and which of their attachments are in use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use cni_core::chain::{self, NoResults, Runtime};
use cni_core::invoke::Choice;
use cni_core::spec::{Code, ConfList, ContainerId, Error, NetName, PluginType, ValidAttachment};

use crate::journal::State;
use crate::node::Node;

/// All that is known of each network, by the name that its plugins know it by.
#[derive(Default)]
pub(super) struct Networks(BTreeMap<NetName, Network>);

#[derive(Default)]
struct Network {
    /// Its configurations by their text: pods that were attached at different times may have different ones.
    lists: BTreeMap<String, Configured>,
    in_use: BTreeSet<ValidAttachment>,
}

struct Configured {
    list: ConfList,
    path: Vec<PathBuf>,
    chosen: BTreeMap<PluginType, Choice>,
}

impl Networks {
    /// Takes in the default network, of which the runtime knows itself what is in use.
    pub(super) fn learn_default(
        &mut self,
        list: &ConfList,
        path: &[PathBuf],
        valid: &BTreeSet<ValidAttachment>,
    ) {
        let network = self.0.entry(list.name.clone()).or_default();
        network.in_use.extend(valid.iter().cloned());
        let (path, chosen) = (path.to_vec(), BTreeMap::new());
        let configured = Configured {
            list: list.clone(),
            path,
            chosen,
        };
        network.lists.insert(String::new(), configured);
    }

    /// Takes in the networks of a call of `container`; its attachments count when the call is in use.
    ///
    /// # Errors
    /// Code 6 when the journal holds a list that is none.
    pub(super) fn learn(
        &mut self,
        container: &ContainerId,
        state: &State,
        in_use: bool,
    ) -> Result<(), Error> {
        let path = state.call.as_ref().map_or(Vec::new(), |call| call.path.clone());
        for intended in state.entries.values().map(|entry| &entry.intended) {
            let list = ConfList::from_bytes(intended.list.as_bytes())
                .map_err(|e| intended.named(Error::from_source(Code::DECODING, &e)))?;
            let network = self.0.entry(list.name.clone()).or_default();
            if in_use {
                let (container, ifname) = (container.clone(), intended.ifname.clone());
                network.in_use.insert(ValidAttachment { container, ifname });
            }
            let (path, chosen) = (path.clone(), intended.chosen.clone());
            let configured = Configured { list, path, chosen };
            network.lists.insert(intended.list.clone(), configured);
        }
        Ok(())
    }

    /// Has the plugins of every network delete what is not in use. Answers the failures.
    pub(super) fn gc(&self, node: &Node, deadline: Instant) -> Vec<Error> {
        let mut failures = Vec::new();
        for (name, network) in &self.0 {
            for configured in network.lists.values() {
                let choices = configured
                    .chosen
                    .iter()
                    .map(|(kind, choice)| (kind.clone(), *choice));
                let resolver = node.resolver.clone().forced(choices);
                let mut runtime = Runtime::new(&resolver, configured.path.iter().cloned());
                runtime.deadline = Some(deadline.max(Instant::now() + node.deadlines.plugin));
                runtime.trace = node.trace.clone();
                let outcome = chain::gc(&configured.list, Some(&network.in_use), &runtime, &NoResults);
                if let Err(failed) = outcome {
                    let mut error = Error::from(failed);
                    error.msg = format!("network {:?}: {}", name.as_str(), error.msg);
                    failures.push(error);
                }
            }
        }
        failures
    }
}
