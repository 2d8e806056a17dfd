//! About text, VERSION, and which versions go with which verbs.

use serde_json::{Value, json};

use super::probe::{NOWHERE, Probe};
use super::{Cases, Leniency, Subject};
use crate::invoke::Operation;
use crate::spec::{Code, Version};
use crate::testkit::{Invocation, Outcome};

pub(super) const CASES: &Cases = &[
    (
        "without a command it says on stderr which versions it takes",
        about,
    ),
    ("VERSION is answered with every version that it takes", version),
    ("VERSION is answered in the version of the question", echo),
    ("VERSION is answered whatever stdin holds", garbage),
    ("a version that it does not take is refused with code 1", refused),
    ("a configuration without a version is one of 0.1.0", absent),
    (
        "CHECK, GC and STATUS are refused below the version that has them, with code 1",
        gated,
    ),
];

/// What the plugin says that it takes; every version if it does not say.
pub(super) fn supported(subject: &Subject) -> Vec<Version> {
    let probe = Probe::new(subject, &[]);
    let (_, versions) = read(&ask(&probe, "")).unwrap_or_default();
    let mut versions: Vec<Version> = versions.iter().filter_map(|text| text.parse().ok()).collect();
    versions.retain(|version| Version::ALL.contains(version));
    versions.sort_unstable();
    if versions.is_empty() {
        Version::ALL.to_vec()
    } else {
        versions
    }
}

/// What any executable can be asked.
pub(super) fn command() -> Invocation<'static> {
    Invocation::empty().with_env("CNI_COMMAND", "VERSION")
}

fn ask(probe: &Probe<'_>, stdin: &str) -> Outcome {
    probe.run(&command(), stdin)
}

/// `cniVersion` and `supportedVersions` of an answer.
fn read(outcome: &Outcome) -> Option<(String, Vec<String>)> {
    let answer: Value = serde_json::from_str(&outcome.stdout).ok()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let listed = answer["supportedVersions"].as_array()?;
    let listed: Option<Vec<_>> = listed.iter().map(text).collect();
    let (own, listed) = (text(&answer["cniVersion"])?, listed?);
    (outcome.succeeded() && !listed.is_empty()).then_some((own, listed))
}

fn about(probe: &mut Probe<'_>) {
    let outcome = probe.run(&Invocation::empty(), "");
    let named = |version: &Version| outcome.stderr.contains(&version.to_string());
    let right = outcome.succeeded() && outcome.stdout.is_empty() && probe.versions.iter().all(named);
    if !right {
        let expected = "exit code 0, nothing on stdout, the versions on stderr";
        probe.fault(&Invocation::empty(), "", expected, &outcome);
    }
}

/// Without any other variable.
fn version(probe: &mut Probe<'_>) {
    let question = json!({ "cniVersion": probe.version() }).to_string();
    let outcome = ask(probe, &question);
    let is_version = |text: &String| !text.is_empty() && text.parse::<Version>().is_ok();
    let right = read(&outcome).is_some_and(|(own, listed)| is_version(&own) && listed.iter().all(is_version));
    if !right {
        let expected = "exit code 0, `cniVersion` and `supportedVersions` with one version or more";
        probe.fault(&command(), question, expected, &outcome);
    }
}

fn echo(probe: &mut Probe<'_>) {
    for version in probe.versions {
        let question = json!({ "cniVersion": version }).to_string();
        let outcome = ask(probe, &question);
        let lenient = probe.subject.allows(Leniency::OwnVersion);
        if !read(&outcome).is_some_and(|(own, _)| lenient || own == version.to_string()) {
            probe.fault(&command(), question, format!("`cniVersion` {version}"), &outcome);
        }
    }
}

fn garbage(probe: &mut Probe<'_>) {
    let usual = read(&ask(probe, "{}")).map(|(_, versions)| versions);
    for stdin in ["", "garbage", r#"{"cniVersion":7}"#, "[]"] {
        let outcome = ask(probe, stdin);
        let versions = read(&outcome).map(|(_, versions)| versions);
        if versions.is_none() || versions != usual {
            probe.fault(
                &command(),
                stdin,
                "the versions as for any other question",
                &outcome,
            );
        }
    }
}

/// By text: `1.0` is not `1.0.0`.
fn refused(probe: &mut Probe<'_>) {
    let others = Version::ALL
        .iter()
        .filter(|version| !probe.versions.contains(version));
    let others = others.map(ToString::to_string);
    let unknown = ["9.9.9", "1.0", "v1.0.0", "x"].map(str::to_owned);
    for version in others.chain(unknown) {
        let mut config = probe.config(probe.version());
        config["cniVersion"] = version.into();
        for verb in ["ADD", "DEL"] {
            probe.fails(
                &probe.call(verb),
                config.to_string(),
                Code::INCOMPATIBLE_VERSION,
                &[],
            );
        }
    }
}

fn absent(probe: &mut Probe<'_>) {
    let mut config = probe.config(Version::V0_1_0);
    for empty in [json!(""), json!(null)] {
        config["cniVersion"] = empty;
        let call = probe.call("DEL").with_env("CNI_NETNS", NOWHERE);
        if probe.versions.contains(&Version::V0_1_0) {
            probe.succeeds(&call, config.to_string());
        } else {
            probe.fails(&call, config.to_string(), Code::INCOMPATIBLE_VERSION, &[]);
        }
    }
}

fn gated(probe: &mut Probe<'_>) {
    for operation in [Operation::Check, Operation::Gc, Operation::Status] {
        for version in Version::ALL
            .iter()
            .filter(|version| **version < operation.since())
        {
            let config = probe.config(*version).to_string();
            let call = probe.call(operation.as_str());
            probe.fails(&call, config, Code::INCOMPATIBLE_VERSION, &[]);
        }
    }
}
