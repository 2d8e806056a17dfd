//! The records of format 1.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use cni_core::invoke::Choice;
use cni_core::spec::{ContainerId, Error, IfName, NetName, PluginType};
use cni_net::NetnsId;
use cni_net::route::Route;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// One line of a journal. `at` counts the call's attachments from 0, in the order of ADD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Record {
    /// A call of the runtime was opened: always the first record.
    Call(Call),
    /// The attachment's ADD is about to run.
    Intended(Intended),
    /// The attachment's ADD succeeded, or its result was changed afterwards.
    Done {
        /// Which attachment.
        at: u32,
        /// The result as text, in version 1.1.0.
        result: String,
    },
    /// Default routes are about to be changed on behalf of the attachment.
    Routes(RouteChange),
    /// Every attachment of the call is made; the answer follows.
    Finished,
    /// The call failed; what it made is about to be undone.
    Failed {
        /// What the runtime is told.
        error: Error,
    },
    /// The attachment's DEL is about to run.
    Deleting {
        /// Which attachment.
        at: u32,
    },
    /// The attachment's DEL succeeded.
    Deleted {
        /// Which attachment.
        at: u32,
    },
    /// The attachment's DEL failed.
    DelFailed(Failure),
    /// The runtime is no longer told about the failures of DEL; the next DEL or GC tries again.
    Stuck {
        /// Seconds since 1970.
        time: u64,
    },
}

/// What a call of the runtime said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the format's version says what it holds"
)]
pub struct Call {
    /// The version of the format: [`super::VERSION`].
    pub journal: u32,
    /// The container.
    pub container: ContainerId,
    /// The interface that the runtime named.
    pub ifname: IfName,
    /// The runtime's network, whose GC decides on the call; none for a call by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetName>,
    /// The path of the container's namespace.
    pub netns: PathBuf,
    /// The boot during which `cookie` means anything.
    pub boot: String,
    /// The identity of the container's namespace.
    pub cookie: u64,
    /// `CNI_ARGS` of the call.
    pub args: String,
    /// `CNI_PATH` of the call.
    pub path: Vec<PathBuf>,
    /// What is going to be attached, in order.
    pub planned: Vec<Planned>,
}

impl Call {
    /// Whether `id` is the namespace that the call was about.
    pub fn is_in(&self, id: &NetnsId) -> bool {
        self.boot == id.boot && self.cookie == id.cookie
    }
}

/// An attachment that a call is going to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the format's version says what it holds"
)]
pub struct Planned {
    /// The network as people name it: `<namespace>/<name>`, or the plain name.
    pub network: String,
    /// The interface in the container.
    pub ifname: IfName,
}

/// Everything that a DEL needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::exhaustive_structs,
    reason = "the format's version says what it holds"
)]
pub struct Intended {
    /// Which attachment.
    pub at: u32,
    /// The network as people name it.
    pub network: String,
    /// The interface in the container.
    pub ifname: IfName,
    /// The network list as text, each plugin's object as it came.
    pub list: String,
    /// The capability arguments as text of a JSON object.
    pub capability_args: String,
    /// `CNI_ARGS` of the attachment.
    pub args: String,
    /// Whether it is the default network, whose result the runtime gets.
    pub default: bool,
    /// How each plugin type that the list names is run.
    pub chosen: BTreeMap<PluginType, Choice>,
}

impl Intended {
    /// Whether every plugin that the list names is linked in.
    pub fn is_builtin(&self) -> bool {
        self.chosen.values().all(|choice| *choice == Choice::Builtin)
    }

    /// `error` with the network's name in front of its message; the code stays.
    pub(crate) fn named(&self, mut error: Error) -> Error {
        error.msg = format!("network {:?}: {}", self.network, error.msg);
        error
    }
}

/// A change of the container's default routes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the format's version says what it holds"
)]
pub struct RouteChange {
    /// On behalf of which attachment.
    pub at: u32,
    /// What is taken away.
    pub removed: Vec<RouteRecord>,
    /// What is put in its place.
    pub added: Vec<RouteRecord>,
}

/// A default route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the format's version says what it holds"
)]
pub struct RouteRecord {
    /// Destination.
    pub dst: IpNet,
    /// Next hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gw: Option<IpAddr>,
    /// Interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<String>,
    /// Preferred source address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<IpAddr>,
    /// Metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<u8>,
    /// MTU along the path, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Maximum segment size, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advmss: Option<u32>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    /// Whether the next hop needs no route to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub onlink: bool,
}

impl From<&Route> for RouteRecord {
    fn from(route: &Route) -> Self {
        Self {
            dst: route.dst,
            gw: route.gw,
            dev: route.dev.clone(),
            src: route.src,
            priority: route.priority,
            scope: route.scope,
            mtu: route.mtu,
            advmss: route.advmss,
            protocol: route.protocol,
            onlink: route.onlink,
        }
    }
}

impl From<&RouteRecord> for Route {
    fn from(record: &RouteRecord) -> Self {
        let mut route = Self::new(record.dst);
        route.gw = record.gw;
        route.dev.clone_from(&record.dev);
        route.src = record.src;
        route.priority = record.priority;
        route.scope = record.scope;
        route.mtu = record.mtu;
        route.advmss = record.advmss;
        route.protocol = record.protocol;
        route.onlink = record.onlink;
        route
    }
}

/// A DEL that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the format's version says what it holds"
)]
pub struct Failure {
    /// Which attachment.
    pub at: u32,
    /// Seconds since 1970.
    pub time: u64,
    /// What it said.
    pub error: Error,
}
