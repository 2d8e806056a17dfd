//! A plugin that does nothing but what its test says.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cni_core::invoke::{Call, Invoke, Target, Verb};
use cni_core::spec::{Code, Error, IpConfig, PluginType, Success, Version, VersionInfo};

/// Stands for every executable: notes each call, and fails where it is told to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scripted(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    calls: Vec<String>,
    failing: BTreeSet<String>,
    traces: BTreeSet<String>,
}

impl Scripted {
    /// Has `what`, `VERB TYPE`, fail from now on.
    pub(crate) fn fail(&self, what: &str) {
        self.0.lock().unwrap().failing.insert(what.to_owned());
    }

    /// Has nothing fail any more.
    pub(crate) fn recover(&self) {
        self.0.lock().unwrap().failing.clear();
    }

    /// The calls since this was asked last, each `VERB TYPE IFNAME CONFIG`.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    /// The traces that the calls belonged to, each `VERB TYPE TRACEPARENT TRACESTATE BAGGAGE`.
    pub(crate) fn traces(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.0.lock().unwrap().traces)
    }

    /// The calls since then without interface and configuration.
    pub(crate) fn verbs(&self) -> Vec<String> {
        let short = |call: String| call.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ");
        self.calls().into_iter().map(short).collect()
    }

    fn played(&self, verb: &str, call: &Call<'_>) -> Result<(), Error> {
        let what = format!("{verb} {}", call.plugin);
        let ifname = call.target.id.as_ref().map_or("-", |id| id.ifname.as_str());
        let prev = if call.prev.is_some() { " prev" } else { "" };
        let mut script = self.0.lock().unwrap();
        script
            .calls
            .push(format!("{what} {ifname} {}{prev}", call.config));
        let trace = &call.target.trace;
        if let (Some(parent), Some(state), Some(baggage)) = (&trace.parent, &trace.state, &trace.baggage) {
            script.traces.insert(format!("{what} {parent} {state} {baggage}"));
        }
        let fails = script.failing.contains(&what);
        drop(script);
        if call.plugin.as_str() == "hanging" && verb == "STATUS" {
            std::thread::sleep(Duration::from_secs(3));
        }
        if fails {
            Err(Error::new(Code(123), "scripted"))
        } else {
            Ok(())
        }
    }
}

impl Invoke for Scripted {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        self.played("ADD", call)?;
        let mut result = call.prev.cloned().unwrap_or_default();
        if call.plugin.as_str() == "foreign-ipam" {
            result.ips.push(IpConfig::new("10.12.0.2/24".parse().unwrap()));
        }
        Ok(result)
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        self.played(&format!("{verb:?}").to_uppercase(), call)
    }

    fn version(&self, _: &PluginType, _: &Target, _: Option<Instant>) -> Result<VersionInfo, Error> {
        Ok(VersionInfo::new(Version::V1_1_0, Version::ALL))
    }
}
