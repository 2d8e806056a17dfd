//! One type of request for each verb, so that a method cannot ask for what its verb does not have.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use crate::invoke::{Invoke, OwnNetns, TraceContext};
use crate::spec::{AttachmentId, CniArgs, NetName, NetnsPath, Object, Success, ValidAttachment, Version};

/// What surrounds every request, whatever its verb.
#[derive(Debug)]
#[non_exhaustive]
pub struct Env<'a> {
    /// The network's name.
    pub network: NetName,
    /// The configuration's version; the result is written in it.
    pub version: Version,
    /// `CNI_ARGS`.
    pub args: CniArgs,
    /// `CNI_PATH`, split.
    pub path: Vec<PathBuf>,
    /// The whole configuration as it came, without `prevResult`: what a delegate receives.
    pub object: Object,
    /// `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`; delegates receive them.
    pub trace: TraceContext,
    /// How other plugins are run.
    pub invoke: &'a dyn Invoke,
    /// When the caller stops waiting; `None` if it did not say.
    pub deadline: Option<Instant>,
    /// `CNI_NETNS_OVERRIDE`, which delegates inherit.
    pub(super) own_netns: OwnNetns,
    /// The plugin's own type. It may not delegate to itself: with the same configuration that would never end.
    pub(super) plugin: &'static str,
}

/// ADD: make an attachment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Add<'a, C> {
    /// Which interface of which container.
    pub id: AttachmentId,
    /// The container's namespace; never the plugin's own.
    pub netns: NetnsPath,
    /// The configuration.
    pub config: C,
    /// The result of the plugin before this one.
    pub prev: Option<Success>,
    /// What surrounds the request.
    pub env: Env<'a>,
}

/// DEL: remove an attachment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Del<'a, C> {
    /// Which interface of which container.
    pub id: AttachmentId,
    /// The container's namespace, if the runtime still knows one; it may be gone already.
    pub netns: Option<NetnsPath>,
    /// The configuration.
    pub config: C,
    /// The final result of ADD, if the runtime still has it.
    pub prev: Option<Success>,
    /// What surrounds the request.
    pub env: Env<'a>,
}

/// CHECK: compare an attachment with its result.
#[derive(Debug)]
#[non_exhaustive]
pub struct Check<'a, C> {
    /// Which interface of which container.
    pub id: AttachmentId,
    /// The container's namespace; never the plugin's own.
    pub netns: NetnsPath,
    /// The configuration.
    pub config: C,
    /// The final result of ADD, if the runtime sent it. A plugin that needs it to compare with fails without.
    pub prev: Option<Success>,
    /// What surrounds the request.
    pub env: Env<'a>,
}

/// STATUS: could ADD be served?
#[derive(Debug)]
#[non_exhaustive]
pub struct Status<'a, C> {
    /// The configuration.
    pub config: C,
    /// What surrounds the request.
    pub env: Env<'a>,
}

/// GC: delete what belongs to no valid attachment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Gc<'a, C> {
    /// The configuration.
    pub config: C,
    /// The attachments of this network that are still in use. `None` when the caller did not say:
    /// then nothing may be deleted. An empty set means that none is in use.
    pub valid: Option<BTreeSet<ValidAttachment>>,
    /// What surrounds the request.
    pub env: Env<'a>,
}
