//! Asking a plugin, and holding its answer against what is expected.

use std::ffi::OsString;
use std::fmt;

use serde_json::{Value, json};

use super::{Fault, Subject};
use crate::spec::{Code, Error, Version, shortened};
use crate::testkit::{Invocation, Outcome};

/// One case under way.
pub(super) struct Probe<'s> {
    pub(super) subject: &'s Subject,
    /// What the plugin says that it takes, lowest first; every version if it does not say.
    pub(super) versions: &'s [Version],
    faults: Vec<Fault>,
    adds: Adds,
}

/// What became of the ADDs of a case.
#[derive(Default)]
enum Adds {
    /// There was none.
    #[default]
    None,
    /// None has succeeded, and the last came to this.
    Failed(Outcome),
    /// One has succeeded.
    Succeeded,
}

/// The verbs that need a configuration, and a word that is no verb: the configuration is looked at before.
pub(super) const VERBS: [&str; 6] = ["ADD", "CHECK", "DEL", "GC", "STATUS", "NONSENSE"];

/// Whose attachments these are.
pub(super) const CONTAINER: &str = "conformance";

/// A namespace that is gone.
pub(super) const NOWHERE: &str = "/nowhere/netns";

impl<'s> Probe<'s> {
    pub(super) fn new(subject: &'s Subject, versions: &'s [Version]) -> Self {
        Self {
            subject,
            versions,
            faults: Vec::new(),
            adds: Adds::None,
        }
    }

    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// What the plugin answers to ADD, if none has succeeded.
    pub(super) fn refusal(&self) -> Option<String> {
        let Adds::Failed(outcome) = &self.adds else {
            return None;
        };
        let error = serde_json::from_str::<Error>(&outcome.stdout);
        Some(error.map_or_else(|_| outcome.to_string(), |error| error.shortened().to_string()))
    }

    /// The version for what is no question of versions: the highest.
    pub(super) fn version(&self) -> Version {
        self.versions.last().copied().unwrap_or(Version::V1_1_0)
    }

    /// A complete environment; the namespace is one that is gone.
    pub(super) fn call(&self, verb: &str) -> Invocation<'static> {
        let path = self.subject.path.parent().map(OsString::from).unwrap_or_default();
        Invocation::new(verb)
            .with_env("CNI_CONTAINERID", CONTAINER)
            .with_env("CNI_NETNS", NOWHERE)
            .with_env("CNI_IFNAME", &*self.subject.ifname)
            .with_env("CNI_PATH", path)
    }

    /// The same with the namespace that was given.
    pub(super) fn within(&self, verb: &str) -> Invocation<'static> {
        let netns = self.subject.netns.clone().unwrap_or_default();
        self.call(verb).with_env("CNI_NETNS", netns)
    }

    /// The subject's configuration in `version`.
    pub(super) fn config(&self, version: Version) -> Value {
        let mut config = Value::Object(self.subject.config.clone());
        let kind = self
            .subject
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        config["type"] = kind.into();
        config["cniVersion"] = version.to_string().into();
        if config["name"].is_null() {
            config["name"] = "conformance".into();
        }
        config
    }

    /// The configuration with what the plugin before it answered, if one runs before.
    pub(super) fn first(&self, version: Version) -> Value {
        let mut config = self.config(version);
        if let Some(prev) = self
            .subject
            .prev
            .as_ref()
            .and_then(|prev| prev.encode(version).ok())
        {
            config["prevResult"] = json!(prev);
        }
        config
    }

    /// Calls the plugin. One that cannot be run has no exit code, and says why.
    pub(super) fn run(&self, call: &Invocation<'_>, stdin: impl AsRef<[u8]>) -> Outcome {
        let outcome = call.exec(&self.subject.path, stdin);
        outcome.unwrap_or_else(|error| Outcome::new(None, Vec::new(), error.to_string().into()))
    }

    /// It must fail with `code`; the message must have all `words`, in whatever case.
    pub(super) fn fails(
        &mut self,
        call: &Invocation<'_>,
        stdin: impl AsRef<[u8]>,
        code: Code,
        words: &[&str],
    ) {
        let outcome = self.run(call, &stdin);
        let error = self.error(&outcome);
        let right = error.is_some_and(|(seen, text)| {
            seen == u64::from(code.0) && words.iter().all(|word| text.contains(&word.to_lowercase()))
        });
        if !right {
            let naming = if words.is_empty() {
                String::new()
            } else {
                format!(" that names {words:?}")
            };
            self.fault(
                call,
                stdin,
                format!("an error object with code {code}{naming}"),
                &outcome,
            );
        }
    }

    /// It must succeed and write nothing.
    pub(super) fn succeeds(&mut self, call: &Invocation<'_>, stdin: impl AsRef<[u8]>) {
        let outcome = self.run(call, &stdin);
        if !(outcome.succeeded() && outcome.stdout.is_empty()) {
            self.fault(call, stdin, "exit code 0 and no answer", &outcome);
        }
    }

    /// It must succeed and write nothing, or fail with an error object.
    pub(super) fn answers(&mut self, call: &Invocation<'_>, stdin: impl AsRef<[u8]>) {
        let outcome = self.run(call, &stdin);
        let nothing = outcome.succeeded() && outcome.stdout.is_empty();
        if !nothing && self.error(&outcome).is_none() {
            self.fault(
                call,
                stdin,
                "exit code 0 and no answer, or an error object",
                &outcome,
            );
        }
    }

    /// ADD must answer with an object; below 0.3.0 it may say that there is none.
    pub(super) fn adds(&mut self, config: &Value, version: Version) -> Option<Value> {
        let call = self.within("ADD");
        let outcome = self.run(&call, config.to_string());
        let answer: Option<Value> = serde_json::from_str(&outcome.stdout).ok();
        let answer = answer.filter(|answer| outcome.succeeded() && answer.is_object());
        let impossible = version < Version::V0_3_0 && self.error(&outcome).is_some();
        if answer.is_none() && !impossible {
            let expected = "exit code 0 and one JSON object on stdout";
            self.fault(&call, config.to_string(), expected, &outcome);
        }
        match (&answer, &self.adds) {
            (Some(_), _) => self.adds = Adds::Succeeded,
            (None, Adds::Succeeded) => {}
            (None, _) => self.adds = Adds::Failed(outcome),
        }
        answer
    }

    /// Code and text, in lower case, of an outcome that is a well-formed error.
    pub(super) fn error(&self, outcome: &Outcome) -> Option<(u64, String)> {
        let error: Value = serde_json::from_str(&outcome.stdout).ok()?;
        let (code, msg) = (error["code"].as_u64()?, error["msg"].as_str()?);
        let details = match &error["details"] {
            Value::Null => "",
            details => details.as_str()?,
        };
        let good = outcome.exit == Some(1) && !msg.is_empty();
        good.then(|| (code, format!("{msg} {details}").to_lowercase()))
    }

    /// Notes an answer that is not as it has to be.
    pub(super) fn fault(
        &mut self,
        call: &Invocation<'_>,
        stdin: impl AsRef<[u8]>,
        expected: impl Into<String>,
        seen: &dyn fmt::Display,
    ) {
        let stdin = String::from_utf8_lossy(stdin.as_ref()).into_owned();
        self.faults.push(Fault {
            call: format!("{call} stdin {:?}", shortened(&stdin)),
            expected: expected.into(),
            seen: seen.to_string(),
        });
    }
}
