//! The variables of the environment (specification, section 2: parameters).

use super::Cases;
use super::probe::Probe;
use crate::spec::Code;
use crate::testkit::Invocation;

pub(super) const CASES: &Cases = &[
    (
        "variables that are missing are named together, with code 4",
        missing,
    ),
    (
        "a container id or interface name that is none is refused with code 4",
        invalid,
    ),
    ("what is invalid is refused before what is missing", invalid_first),
    ("the environment is looked at before stdin", before_stdin),
    ("an unknown verb is refused with code 4", unknown),
];

const ATTACHMENT: &[&str] = &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"];

/// What each verb cannot do without, in the reference's reading: the specification lets `CNI_PATH` be absent.
const REQUIRED: [(&str, &[&str]); 5] = [
    ("ADD", ATTACHMENT),
    ("CHECK", ATTACHMENT),
    ("DEL", &["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"]),
    ("GC", &["CNI_PATH"]),
    ("STATUS", &["CNI_PATH"]),
];

fn refused(probe: &mut Probe<'_>, call: &Invocation<'_>, words: &[&str]) {
    let config = probe.config(probe.version()).to_string();
    probe.fails(call, config, Code::INVALID_ENVIRONMENT, words);
}

/// Each alone, and all at once; an empty one is missing as well.
fn missing(probe: &mut Probe<'_>) {
    for (verb, required) in REQUIRED {
        let without = |call: Invocation<'static>, name: &&str| call.without_env(name);
        for gone in required.chunks(1).chain([required]) {
            refused(probe, &gone.iter().fold(probe.call(verb), without), gone);
        }
        let empty = |call: Invocation<'static>, name: &&str| call.with_env(name, "");
        refused(probe, &required.iter().fold(probe.call(verb), empty), required);
    }
}

fn invalid(probe: &mut Probe<'_>) {
    let containers = ["-a", ".a", "a/b", "a b", "é"].map(|value| ("CNI_CONTAINERID", value, "container"));
    let ifnames = [".", "..", "a/b", "a:b", "a b", "sixteen-bytes-xx"];
    let ifnames = ifnames.map(|value| ("CNI_IFNAME", value, "interface"));
    for (name, value, word) in containers.into_iter().chain(ifnames) {
        for verb in ["ADD", "DEL"] {
            refused(probe, &probe.call(verb).with_env(name, value), &[word]);
        }
    }
}

/// It is the invalid one that is named, and not the missing one.
fn invalid_first(probe: &mut Probe<'_>) {
    let call = probe.call("ADD").with_env("CNI_CONTAINERID", "a/b");
    let call = call.without_env("CNI_PATH");
    let outcome = probe.run(&call, "");
    let named = |text: &str| text.contains("container") && !text.contains("cni_path");
    let right = probe
        .error(&outcome)
        .is_some_and(|(code, text)| code == 4 && named(&text));
    if !right {
        probe.fault(
            &call,
            "",
            "an error object with code 4 that names the container id alone",
            &outcome,
        );
    }
}

fn before_stdin(probe: &mut Probe<'_>) {
    for (verb, _) in REQUIRED {
        let call = probe.call(verb).without_env("CNI_PATH");
        probe.fails(&call, "garbage", Code::INVALID_ENVIRONMENT, &["CNI_PATH"]);
    }
}

fn unknown(probe: &mut Probe<'_>) {
    for verb in ["NONSENSE", "add", "UPDATE"] {
        refused(probe, &probe.call(verb), &[verb]);
    }
}
