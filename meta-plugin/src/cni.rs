//! Plexus as a CNI plugin in stand-alone mode: the entry of type `plexus` in `00-plexus.conflist`.
//!
//! ADD plans and attaches; its result is the default network's. DEL needs the journal alone, whatever has
//! become of the rest of the entry. CHECK looks at all networks, GC forwards to all, and STATUS asks the
//! default network. The keys of the entry are those of [`crate::config::Entry`].

mod pod;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use cni_core::plugin::{self, Add, Check, Del, Env, Gc, Plugin, Status};
use cni_core::spec::{Code, ConfList, Error, IfName, Object, Success, with_causes};
use cni_core::{invoke::Resolver, plugin::DynPlugin};
use cni_net::Kernel;
use serde::de::IgnoredAny;

use crate::attach::{self, Attached};
use crate::config::{Entry, POLICY_FILE, Policy, Standalone};
use crate::journal::StateDir;
use crate::node::{Net, Node};
use crate::npwg::Pod;
use crate::plan::{self, Files, Plan};
use crate::{check, detach, gc, status};

/// Runs this process as the plugin: environment and stdin in, stdout and exit code out.
pub fn run() -> ExitCode {
    plugin::run(&Meta::new() as &dyn DynPlugin)
}

/// The plugin `plexus`.
#[derive(Clone)]
#[non_exhaustive]
pub struct Meta {
    /// The kernel.
    pub net: Arc<dyn Net>,
    /// How plugins are run, but for what the policy says.
    pub resolver: Resolver,
    /// Where the policy is; an absent file means the defaults.
    pub policy: PathBuf,
}

impl Meta {
    /// The plugin on this machine, with our plugins linked in.
    pub fn new() -> Self {
        let kernel = Kernel::new();
        Self {
            resolver: Resolver::new(cni_plugins::table(&kernel)),
            net: Arc::new(kernel),
            policy: POLICY_FILE.into(),
        }
    }

    fn node(&self, state: PathBuf, policy: &Policy, env: &Env<'_>) -> Node {
        let resolver = self.resolver.clone().external(policy.external.iter().cloned());
        let mut deadlines = policy.deadlines.clone();
        if let Some(deadline) = env.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            deadlines.add = deadlines.add.min(left);
            deadlines.del = deadlines.del.min(left);
            deadlines.status = deadlines.status.min(left);
        }
        Node {
            state: StateDir::new(state),
            net: Arc::clone(&self.net),
            resolver,
            deadlines,
            trace: env.trace.clone(),
        }
    }

    /// Everything that a verb but DEL needs.
    fn open(&self, env: &Env<'_>, unserved: Code) -> Result<(Standalone, Policy, Node), Error> {
        let entry = match Entry::parse(&env.object)? {
            Entry::Standalone(entry) => *entry,
            Entry::Daemon(_) => return Err(Error::new(unserved, "daemon mode is not in this version")),
        };
        let policy = Policy::load(&self.policy)?;
        let node = self.node(entry.state_dir.clone(), &policy, env);
        Ok((entry, policy, node))
    }
}

impl Default for Meta {
    fn default() -> Self {
        Self::new()
    }
}

impl Plugin for Meta {
    /// The entry is read by [`Entry::parse`], which refuses unknown keys.
    type Config = IgnoredAny;

    const NAME: &'static str = "plexus";

    fn add(&self, request: Add<'_, IgnoredAny>) -> Result<Success, Error> {
        let (entry, policy, node) = self.open(&request.env, Code::TRY_AGAIN)?;
        let pod = pod::of(&entry, &request.id.container, &request.env.args)?;
        let asked = request.env.object.parse_key("runtimeConfig");
        let asked = asked.map_err(|e| Error::from_source(Code::DECODING, &e))?;
        let (ifname, asked) = (&request.id.ifname, asked.unwrap_or_default());
        let plan = planned(&entry, &policy, &pod, ifname, asked, &request.env)?;
        for warning in &plan.warnings {
            tracing::warn!(%warning, "attach");
        }
        let mut call = attach::Request::new(request.id, request.netns);
        call.network = Some(request.env.network);
        call.args = request.env.args;
        call.path = request.env.path;
        let attached = attach::run(&node, &call, &plan)?;
        let default = attached.into_iter().find(|attached| attached.is_default);
        Ok(default.map(|Attached { result, .. }| result).unwrap_or_default())
    }

    fn del(&self, request: Del<'_, IgnoredAny>) -> Result<(), Error> {
        let policy = Policy::load(&self.policy).unwrap_or_else(|error| {
            tracing::warn!(error = %with_causes(&error), "go on with the default policy");
            Policy::default()
        });
        let node = self.node(state_dir(&request.env.object)?, &policy, &request.env);
        let mut call = detach::Request::new(request.id.container);
        call.ifname = Some(request.id.ifname);
        call.netns = request.netns;
        detach::run(&node, &call)
    }

    fn check(&self, request: Check<'_, IgnoredAny>) -> Result<(), Error> {
        let (_, _, node) = self.open(&request.env, Code::TRY_AGAIN)?;
        check::run(&node, &request.id, Some(&request.netns))
    }

    fn status(&self, request: Status<'_, IgnoredAny>) -> Result<(), Error> {
        let (entry, policy, node) = self.open(&request.env, Code::UNAVAILABLE)?;
        let list = default_network(&entry, &policy, &request.env)?;
        status::run(&node, &list, &request.env.path)
    }

    fn gc(&self, request: Gc<'_, IgnoredAny>) -> Result<(), Error> {
        let (entry, policy, node) = self.open(&request.env, Code::TRY_AGAIN)?;
        let mut call = gc::Request::new(request.valid);
        call.network = Some(request.env.network.clone());
        // What is wrong with the default network keeps GC from no other.
        let default = default_network(&entry, &policy, &request.env);
        let failure = default.map(|list| call.default = Some(list)).err();
        call.path = request.env.path;
        let failures = [gc::run(&node, &call).err(), failure];
        detach::joined(failures.into_iter().flatten().collect())
    }
}

/// Where the journal is, whatever else the entry says: a DEL must not fail for a key that it does not need.
fn state_dir(object: &Object) -> Result<PathBuf, Error> {
    let named: Option<PathBuf> = object
        .parse_key("stateDir")
        .map_err(|e| Error::from_source(Code::DECODING, &e))?;
    Ok(named.unwrap_or_else(|| "/var/lib/plexus".into()))
}

fn planned(
    entry: &Standalone,
    policy: &Policy,
    pod: &Pod,
    ifname: &IfName,
    capability_args: Object,
    env: &Env<'_>,
) -> Result<Plan, Error> {
    let request = plan::Request {
        pod,
        ifname: ifname.clone(),
        args: env.args.clone(),
        capability_args,
        cluster_network: Some(&entry.cluster_network),
        policy,
        networks: &Files::load(entry.nads.as_deref(), &policy.conf_dir),
    };
    Ok(plan::plan(&request)?)
}

/// The default network of a pod that asks for nothing, and for which the runtime asks for nothing.
fn default_network(entry: &Standalone, policy: &Policy, env: &Env<'_>) -> Result<ConfList, Error> {
    let pod = pod::nobody()?;
    let ifname = "eth0".parse().map_err(pod::name_error)?;
    let plan = planned(entry, policy, &pod, &ifname, Object::new(), env)?;
    let first = plan.attachments.into_iter().next();
    first
        .map(|attachment| attachment.list)
        .ok_or_else(|| Error::new(Code::INVALID_CONFIG, "find the default network: there is none"))
}
