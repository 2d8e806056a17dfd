//! A call that has passed the checks, on its way into a plugin.

use std::collections::BTreeSet;
use std::time::Instant;

use tracing::Span;

use super::checks::{foreign_netns, network, undecodable, version};
use super::erased::perform_caught;
use super::{Add, Check, Del, DynPlugin, Env, Gc, Request, Status};
use crate::invoke::{Invoke, Operation, OwnNetns, Target, time_to_undo};
use crate::spec::{
    AttachmentId, Code, Error, NetName, NetnsPath, Object, ResultError, Success, ValidAttachment, Version,
};

/// A call as it came: by environment and stdin, or from a caller in the same process.
pub(crate) struct Unchecked<'a> {
    pub(crate) operation: Operation,
    pub(crate) target: Target,
    /// The configuration without `prevResult`.
    pub(crate) config: Object,
    pub(crate) invoke: &'a dyn Invoke,
    pub(crate) deadline: Option<Instant>,
}

/// A call whose network, version and namespace are good.
pub(crate) struct Checked<'a> {
    call: Unchecked<'a>,
    plugin: &'a dyn DynPlugin,
    network: NetName,
    pub(crate) version: Version,
}

impl<'a> Unchecked<'a> {
    /// Checks the call in the order of the reference.
    pub(crate) fn check(self, plugin: &'a dyn DynPlugin) -> Result<Checked<'a>, Error> {
        let network = network(&self.config)?;
        let version = version(plugin, self.operation, &self.config)?;
        if let (Some(netns), OwnNetns::Refused) = (&self.target.netns, self.target.own_netns) {
            foreign_netns(netns)?;
        }
        Ok(Checked {
            call: self,
            plugin,
            network,
            version,
        })
    }
}

impl Checked<'_> {
    /// The span of the verb: everything that is logged for the call belongs to it.
    pub(crate) fn span(&self) -> Span {
        let Target { id, trace, .. } = &self.call.target;
        tracing::info_span!(
            "cni",
            verb = self.call.operation.as_str(),
            plugin = self.plugin.name(),
            network = self.network.as_str(),
            container = id.as_ref().map(|id| id.container.as_str()),
            ifname = id.as_ref().map(|id| id.ifname.as_str()),
            traceparent = trace.parent.as_deref(),
            tracestate = trace.state.as_deref(),
            baggage = trace.baggage.as_deref(),
        )
    }

    /// Runs ADD; `convert` brings the result into the configuration's version.
    ///
    /// If that version has no place for the result, ADD has failed, and what was made is removed again.
    pub(crate) fn add<T>(
        self,
        prev: Option<Success>,
        convert: impl FnOnce(Success) -> Result<T, ResultError>,
    ) -> Result<T, Error> {
        told(|| {
            let success = self.perform(prev)?.unwrap_or_default();
            convert(success).map_err(|error| {
                self.undo();
                error.into()
            })
        })
    }

    /// Runs any other verb.
    pub(crate) fn run(self, prev: Option<Success>) -> Result<(), Error> {
        told(|| self.perform(prev)).map(drop)
    }

    fn perform(&self, prev: Option<Success>) -> Result<Option<Success>, Error> {
        perform_caught(self.plugin, self.request(prev)?)
    }

    /// DELs what ADD made. The result cannot be its `prev`: a delegate that is an executable gets that in the
    /// configuration's version, which has no place for it.
    fn undo(mut self) {
        self.call.operation = Operation::Del;
        self.call.deadline = time_to_undo(self.call.deadline);
        let plugin = self.plugin.name();
        if let Err(error) = self.perform(None) {
            tracing::warn!(plugin, %error, "undo ADD");
        }
    }

    fn request(&self, prev: Option<Success>) -> Result<Request<'_>, Error> {
        let (env, config) = (self.env(), ());
        Ok(match self.call.operation {
            Operation::Add => Request::Add(Add {
                id: self.id()?,
                netns: self.netns()?,
                config,
                prev,
                env,
            }),
            Operation::Check => Request::Check(Check {
                id: self.id()?,
                netns: self.netns()?,
                config,
                prev,
                env,
            }),
            Operation::Del => Request::Del(Del {
                id: self.id()?,
                netns: self.call.target.netns.clone(),
                config,
                prev,
                env,
            }),
            Operation::Gc => Request::Gc(Gc {
                config,
                valid: valid(&self.call.config)?,
                env,
            }),
            Operation::Status => Request::Status(Status { config, env }),
        })
    }

    fn env(&self) -> Env<'_> {
        Env {
            network: self.network.clone(),
            version: self.version,
            args: self.call.target.args.clone(),
            path: self.call.target.path.clone(),
            own_netns: self.call.target.own_netns,
            trace: self.call.target.trace.clone(),
            plugin: self.plugin.name(),
            object: self.call.config.clone(),
            invoke: self.call.invoke,
            deadline: self.call.deadline,
        }
    }

    fn id(&self) -> Result<AttachmentId, Error> {
        self.call
            .target
            .id
            .clone()
            .ok_or_else(|| missing("CNI_CONTAINERID,CNI_IFNAME"))
    }

    fn netns(&self) -> Result<NetnsPath, Error> {
        self.call.target.netns.clone().ok_or_else(|| missing("CNI_NETNS"))
    }
}

/// Runs a call, and tells at `debug` how it ended and what time it took. Nobody looks at a clock for less.
fn told<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let begun = tracing::enabled!(tracing::Level::DEBUG).then(Instant::now);
    let outcome = call();
    if let Some(begun) = begun {
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        match &outcome {
            Ok(_) => tracing::debug!(micros, "the plugin succeeded"),
            Err(error) => tracing::debug!(code = error.code.0, micros, "the plugin failed"),
        }
    }
    outcome
}

/// The error for variables that the verb needs and that are not there.
pub(super) fn missing(names: &str) -> Error {
    Error::new(
        Code::INVALID_ENVIRONMENT,
        format!("required env variables [{names}] missing"),
    )
}

/// The valid attachments of a GC.
///
/// Absent means that the caller did not say; `null` is how runtimes in Go write the empty list. One
/// entry that cannot be read fails them all: passing over it would delete what is in use.
fn valid(config: &Object) -> Result<Option<BTreeSet<ValidAttachment>>, Error> {
    // The second is what the reference library wrote by mistake before it knew the first.
    let keys = ["cni.dev/valid-attachments", "cni.dev/attachments"];
    let Some(key) = keys.into_iter().find(|key| config.get(key).is_some()) else {
        return Ok(None);
    };
    let valid = config.parse_key(key).map_err(|e| undecodable(&e))?;
    Ok(Some(valid.unwrap_or_default()))
}
