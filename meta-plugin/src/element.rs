//! One attachment as the chain runs it: at ADD, CHECK and DEL from the same record.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cni_core::chain::{self, ChainError, FailedDel, InMemory, KeptAttachment, NoResults, Results, Runtime};
use cni_core::invoke::{Call, Invoke, Resolver, Target, TraceContext, Verb};
use cni_core::spec::{
    AttachmentId, CniArgs, Code, ConfList, Error, NetnsPath, Object, PluginType, Success, Version,
    VersionInfo,
};

use crate::detach::Place;
use crate::journal::Intended;
use crate::node::Node;

/// An attachment with everything that its plugins are told.
pub(crate) struct Element {
    list: ConfList,
    invoke: Timed,
    path: Vec<PathBuf>,
    trace: TraceContext,
    kept: KeptAttachment,
}

impl Element {
    /// The attachment that `intended` records; `result` is the text of its result, if it has one.
    ///
    /// # Errors
    /// Code 6 when the record holds what this program did not write.
    pub(crate) fn of(
        node: &Node,
        place: &Place,
        intended: &Intended,
        result: Option<&str>,
    ) -> Result<Self, Error> {
        let list = ConfList::from_bytes(intended.list.as_bytes()).map_err(|e| recorded(&e))?;
        let args: CniArgs = intended.args.parse().map_err(|e| recorded(&e))?;
        let capability_args = Object::from_slice(intended.capability_args.as_bytes());
        let result = result.map(|text| Success::decode(Version::V1_1_0, text.as_bytes()));
        let mut result = result.transpose().map_err(|e| recorded(&e))?;
        if let (Some(result), Some(netns)) = (&mut result, &place.netns) {
            move_to(netns.path(), &place.recorded, result);
        }
        let choices = intended
            .chosen
            .iter()
            .map(|(kind, choice)| (kind.clone(), *choice));
        let kept = KeptAttachment {
            id: AttachmentId::new(place.container.clone(), intended.ifname.clone()),
            netns: place.netns.as_ref().map(|netns| netns.path().clone()),
            args,
            capability_args: capability_args.map_err(|e| recorded(&e))?,
            result,
        };
        let resolver = node.resolver.clone().forced(choices);
        let invoke = Timed {
            resolver,
            limit: node.deadlines.plugin,
        };
        Ok(Self {
            list,
            invoke,
            path: place.path.clone(),
            trace: node.trace.clone(),
            kept,
        })
    }

    /// ADD, which keeps nothing but what it answers.
    pub(crate) fn add(&self, deadline: Instant) -> Result<Success, Error> {
        let runtime = self.runtime(deadline);
        Ok(chain::add(
            &self.list,
            &self.kept.id,
            self.netns("ADD")?,
            &runtime,
            &NoResults,
        )?)
    }

    /// DEL, with or without a namespace.
    pub(crate) fn del(&self, deadline: Instant) -> Result<(), Error> {
        let runtime = self.runtime(deadline);
        let netns = self.kept.netns.as_ref();
        Ok(chain::del(
            &self.list,
            &self.kept.id,
            netns,
            &runtime,
            &self.results()?,
        )?)
    }

    /// Whether the list's version has CHECK.
    pub(crate) fn has_check(&self) -> bool {
        self.list.version >= Version::V0_4_0
    }

    /// The container's interface, if the result of ADD has it.
    pub(crate) fn interface(&self) -> Option<&str> {
        let ifname = self.kept.id.ifname.as_str();
        let mut interfaces = self.kept.result.as_ref()?.interfaces.iter();
        let found = interfaces.find(|i| i.name == ifname && !i.sandbox.is_empty());
        found.map(|interface| interface.name.as_str())
    }

    /// CHECK.
    pub(crate) fn check(&self, deadline: Instant) -> Result<(), Error> {
        let runtime = self.runtime(deadline);
        Ok(chain::check(
            &self.list,
            &self.kept.id,
            self.netns("CHECK")?,
            &runtime,
            &self.results()?,
        )?)
    }

    fn runtime(&self, deadline: Instant) -> Runtime<'_> {
        let mut runtime = Runtime::new(&self.invoke, self.path.iter().cloned());
        runtime.args = self.kept.args.clone();
        runtime.capability_args = self.kept.capability_args.clone();
        runtime.deadline = Some(deadline);
        runtime.failed_del = FailedDel::GoOn;
        runtime.trace = self.trace.clone();
        runtime
    }

    /// The result of ADD, where the chain looks for it.
    fn results(&self) -> Result<InMemory, Error> {
        let results = InMemory::default();
        let put = results.put(&self.list, &self.kept);
        put.map_err(|error| ChainError::Results {
            action: "write",
            error,
        })?;
        Ok(results)
    }

    fn netns(&self, verb: &str) -> Result<&NetnsPath, Error> {
        let gone = || {
            Error::new(
                Code::INVALID_NETNS,
                format!("{verb}: the container's network namespace is gone"),
            )
        };
        self.kept.netns.as_ref().ok_or_else(gone)
    }
}

/// Names the container's namespace by the path that leads there now, in place of the one of ADD time.
fn move_to(path: &NetnsPath, recorded: &NetnsPath, result: &mut Success) {
    let (path, recorded) = (path.to_string(), recorded.to_string());
    for interface in &mut result.interfaces {
        if !interface.sandbox.is_empty() && interface.sandbox == recorded {
            interface.sandbox.clone_from(&path);
        }
    }
}

fn recorded(error: &dyn std::error::Error) -> Error {
    Error::new(Code::DECODING, "read journal")
        .with_details(Error::from_source(Code::DECODING, error).to_string())
}

/// Gives each plugin at most `limit`, and never more than the caller has.
#[derive(Debug)]
struct Timed {
    resolver: Resolver,
    limit: Duration,
}

impl Timed {
    fn limited<'a>(&self, call: &Call<'a>) -> Call<'a> {
        let mut limited = call.clone();
        limited.deadline = self.deadline(call.deadline);
        limited
    }

    fn deadline(&self, given: Option<Instant>) -> Option<Instant> {
        let own = Instant::now() + self.limit;
        Some(given.map_or(own, |given| given.min(own)))
    }
}

impl Invoke for Timed {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        self.resolver.add(&self.limited(call))
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        self.resolver.run(verb, &self.limited(call))
    }

    fn version(
        &self,
        plugin: &PluginType,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<VersionInfo, Error> {
        self.resolver.version(plugin, target, self.deadline(deadline))
    }

    fn locate(&self, plugin: &PluginType, config: &Object, path: &[PathBuf]) -> Result<(), Error> {
        self.resolver.locate(plugin, config, path)
    }
}
