//! What becomes of attachments, as far as a runtime can see it.

use serde_json::{Value, json};

use super::probe::{CONTAINER, Probe};
use super::{Cases, Leniency, layout};
use crate::spec::Version;

/// For any plugin whose configuration is known.
pub(super) const WITHOUT: &Cases = &[
    (
        "DEL of what is not there succeeds, twice, with and without a namespace",
        del_of_nothing,
    ),
    (
        "keys that the runtime adds are no reason to refuse a configuration",
        runtime_keys,
    ),
    ("GC succeeds, whatever it is told is valid", gc),
    ("STATUS is answered with nothing or with an error", status),
];

/// For those that were given a namespace.
pub(super) const WITHIN: &Cases = &[
    (
        "ADD answers in the layout of the configuration's version",
        in_layout,
    ),
    ("ADD hands on what the plugin before it answered", hands_on),
    ("CHECK succeeds after ADD", check),
    (
        "DEL succeeds as often as it is sent, and ADD succeeds after it",
        again,
    ),
    (
        "DEL, with and without a result, leaves nothing that CHECK accepts",
        deletes,
    ),
    ("DEL succeeds without a result", without_result),
    ("GC lets live what is valid", gc_keeps),
    ("GC that is not told what is valid deletes nothing", gc_untold),
];

fn del_of_nothing(probe: &mut Probe<'_>) {
    for version in probe.versions {
        let gone = probe.call("DEL");
        let unnamed = probe.call("DEL").without_env("CNI_NETNS");
        let empty = probe.call("DEL").with_env("CNI_NETNS", "");
        for call in [&gone, &gone, &unnamed, &empty] {
            probe.succeeds(call, probe.config(*version).to_string());
        }
        probe.succeeds(&gone, probe.first(*version).to_string());
    }
}

/// The specification keeps `capabilities` from plugins; the reference library does not.
fn runtime_keys(probe: &mut Probe<'_>) {
    let mut config = probe.config(probe.version());
    config["capabilities"] = json!({ "aliases": true });
    config["runtimeConfig"] = json!({ "aliases": ["a"] });
    config["args"] = json!({ "org.example": { "a": 1 } });
    config["cni.dev/unknown"] = json!([]);
    let args = probe
        .call("DEL")
        .with_env("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=a");
    probe.succeeds(&args, config.to_string());
}

fn gc(probe: &mut Probe<'_>) {
    if !probe.versions.contains(&Version::V1_1_0) {
        return;
    }
    let mut config = probe.config(Version::V1_1_0);
    probe.succeeds(&probe.call("GC"), config.to_string());
    for valid in [json!([]), json!(null), valid("other", "eth0")] {
        config["cni.dev/valid-attachments"] = valid;
        probe.succeeds(&probe.call("GC"), config.to_string());
    }
}

fn status(probe: &mut Probe<'_>) {
    if probe.versions.contains(&Version::V1_1_0) {
        probe.answers(&probe.call("STATUS"), probe.config(Version::V1_1_0).to_string());
    }
}

fn valid(container: &str, ifname: &str) -> Value {
    json!([{ "containerID": container, "ifname": ifname }])
}

/// One that was made, and is taken off again when the case is through with it.
struct Attachment {
    version: Version,
    /// What ADD was given.
    first: Value,
    /// What the other verbs are given: the same with the answer.
    then: Value,
    answer: Value,
}

/// ADDs in each version, has `case` look at what came, and DELs.
fn each(probe: &mut Probe<'_>, case: fn(&mut Probe<'_>, &Attachment)) {
    let versions = probe.versions;
    versions.iter().for_each(|version| one(probe, *version, case));
}

/// The same in the highest version.
fn latest(probe: &mut Probe<'_>, case: fn(&mut Probe<'_>, &Attachment)) {
    one(probe, probe.version(), case);
}

fn one(probe: &mut Probe<'_>, version: Version, case: impl Fn(&mut Probe<'_>, &Attachment)) {
    let first = probe.first(version);
    let mut then = first.clone();
    if let Some(answer) = probe.adds(&first, version) {
        then["prevResult"] = answer.clone();
        let made = Attachment {
            version,
            first,
            then: then.clone(),
            answer,
        };
        case(probe, &made);
    }
    probe.succeeds(&probe.within("DEL"), then.to_string());
}

fn in_layout(probe: &mut Probe<'_>) {
    each(probe, |probe, made| {
        let lenient = probe.subject.allows(Leniency::LatestLayout);
        if let Err(expected) = layout::check(&made.answer, made.version, lenient) {
            probe.fault(
                &probe.within("ADD"),
                made.first.to_string(),
                expected,
                &made.answer,
            );
        }
    });
}

fn hands_on(probe: &mut Probe<'_>) {
    each(probe, |probe, made| {
        // Older layouts have no interfaces.
        let Some(prev) = probe
            .subject
            .prev
            .as_ref()
            .filter(|_| made.version >= Version::V0_3_0)
        else {
            return;
        };
        let has = |name: &str| {
            let interfaces = made.answer["interfaces"].as_array();
            interfaces.is_some_and(|all| all.iter().any(|interface| interface["name"] == name))
        };
        if let Some(lost) = prev.interfaces.iter().find(|interface| !has(&interface.name)) {
            let expected = format!("interface {:?} of `prevResult` in the result", lost.name);
            probe.fault(
                &probe.within("ADD"),
                made.first.to_string(),
                expected,
                &made.answer,
            );
        }
    });
}

fn check(probe: &mut Probe<'_>) {
    each(probe, |probe, made| {
        if made.version >= Version::V0_4_0 {
            probe.succeeds(&probe.within("CHECK"), made.then.to_string());
        }
    });
}

fn again(probe: &mut Probe<'_>) {
    latest(probe, |probe, made| {
        for _ in 0..2 {
            probe.succeeds(&probe.within("DEL"), made.then.to_string());
        }
        probe.adds(&made.first, made.version);
    });
}

/// By a CHECK with the result of ADD: what else a plugin has made, the suite cannot know.
fn deletes(probe: &mut Probe<'_>) {
    latest(probe, |probe, made| {
        if made.version < Version::V0_4_0 || probe.subject.allows(Leniency::CheckAfterDel) {
            return;
        }
        for config in [made.then.clone(), probe.config(made.version)] {
            probe.succeeds(&probe.within("DEL"), config.to_string());
            let (call, then) = (probe.within("CHECK"), made.then.to_string());
            let outcome = probe.run(&call, &then);
            if probe.error(&outcome).is_none() {
                probe.fault(&call, then, "an error object, after DEL", &outcome);
            }
            probe.adds(&made.first, made.version);
        }
    });
}

fn without_result(probe: &mut Probe<'_>) {
    latest(probe, |probe, made| {
        let config = probe.config(made.version).to_string();
        probe.succeeds(&probe.within("DEL"), config);
        probe.adds(&made.first, made.version);
    });
}

fn gc_keeps(probe: &mut Probe<'_>) {
    lives(probe, |probe, config| {
        config["cni.dev/valid-attachments"] = valid(CONTAINER, &probe.subject.ifname);
    });
}

/// An absent list is not an empty one: the reference's library sends none when nobody told it.
fn gc_untold(probe: &mut Probe<'_>) {
    lives(probe, |_, _| {});
}

/// What was added must be there after a GC with a configuration that `told` has completed.
fn lives(probe: &mut Probe<'_>, told: fn(&Probe<'_>, &mut Value)) {
    let version = probe.version();
    if version < Version::V1_1_0 {
        return;
    }
    one(probe, version, |probe, made| {
        let mut config = probe.config(made.version);
        told(probe, &mut config);
        probe.succeeds(&probe.call("GC"), config.to_string());
        probe.succeeds(&probe.within("CHECK"), made.then.to_string());
    });
}
