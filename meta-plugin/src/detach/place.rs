//! Where a DEL or CHECK acts: in the namespace of ADD time, or in none.

use std::path::PathBuf;

use cni_core::spec::{ContainerId, Error, NetnsPath};
use cni_net::{NetError, Netns};

use crate::journal::State;
use crate::node::Node;

/// Where the elements of one call act.
pub(crate) struct Place {
    /// The container.
    pub(crate) container: ContainerId,
    /// The container's namespace, if it is still the one of ADD time.
    pub(crate) netns: Option<Netns>,
    /// The path that led there at ADD time.
    pub(crate) recorded: NetnsPath,
    /// `CNI_PATH` of ADD time.
    pub(crate) path: Vec<PathBuf>,
}

impl Place {
    /// Where the call of `state` was made. Of the path that the caller names and the recorded one the first
    /// counts that leads to the namespace of ADD time: a path that came to mean another one is passed over.
    /// Where the record of the call is damaged, nothing tells whether it is: then only our own plugins get
    /// the path, since they act on what bears their mark alone.
    ///
    /// # Errors
    /// When a namespace is there but cannot be opened.
    pub(crate) fn find(
        node: &Node,
        container: &ContainerId,
        state: &State,
        named: Option<&NetnsPath>,
    ) -> Result<Self, Error> {
        let container = container.clone();
        let Some(call) = &state.call else {
            let builtin = state.entries.values().all(|entry| entry.intended.is_builtin());
            let netns = match named.filter(|_| builtin) {
                Some(path) => open(node, path)?,
                None => None,
            };
            let (recorded, path) = (NetnsPath::new(""), Vec::new());
            return Ok(Self {
                container,
                netns,
                recorded,
                path,
            });
        };
        let recorded = NetnsPath::new(call.netns.clone());
        let mut netns = None;
        for path in named.into_iter().chain([&recorded]) {
            netns = open(node, path)?.filter(|here| call.is_in(here.id()));
            if netns.is_some() {
                break;
            }
        }
        let path = call.path.clone();
        Ok(Self {
            container,
            netns,
            recorded,
            path,
        })
    }
}

/// The namespace at `path`; `None` when there is none any more.
fn open(node: &Node, path: &NetnsPath) -> Result<Option<Netns>, Error> {
    if path.as_path().as_os_str().is_empty() {
        return Ok(None);
    }
    match node.net.open(path) {
        Ok(netns) => Ok(Some(netns)),
        Err(NetError::NetnsGone { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
