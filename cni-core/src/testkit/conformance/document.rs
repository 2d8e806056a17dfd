//! The configuration on stdin, before anything is done with it.

use serde_json::{Value, json};

use super::probe::{Probe, VERBS};
use super::{Cases, Leniency};
use crate::spec::{Code, Version};

pub(super) const CASES: &Cases = &[
    ("an error is one object on stdout, with exit code 1", error),
    (
        "what is no JSON object is refused with code 6, before the verb is looked at",
        undecodable,
    ),
    ("input that is cut off is refused with code 6", cut_off),
    (
        "a missing network name is refused with code 7, before the verb is looked at",
        nameless,
    ),
    (
        "a network name that is none is refused with code 7, before the verb is looked at",
        misnamed,
    ),
];

/// Whatever the code: others are about which one it is.
fn error(probe: &mut Probe<'_>) {
    for stdin in ["{}", "garbage"] {
        let call = probe.call("ADD");
        let outcome = probe.run(&call, stdin);
        let answer: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        let version = answer["cniVersion"].as_str().map(str::parse::<Version>);
        let versioned = matches!(version, Some(Ok(_))) || probe.subject.allows(Leniency::ErrorWithoutVersion);
        if probe.error(&outcome).is_none() || !versioned {
            let expected = "an object with `code`, `msg` and `cniVersion`, and exit code 1";
            probe.fault(&call, stdin, expected, &outcome);
        }
    }
}

fn undecodable(probe: &mut Probe<'_>) {
    for verb in VERBS {
        probe.fails(&probe.call(verb), "garbage", Code::DECODING, &[]);
    }
    let trailing = format!("{} x", probe.config(probe.version()));
    for stdin in ["", "[]", "1", &trailing, r#"{"cniVersion":"1.0.0","name":1}"#] {
        probe.fails(&probe.call("ADD"), stdin, Code::DECODING, &[]);
    }
}

fn cut_off(probe: &mut Probe<'_>) {
    let whole = r#"{"name":"a","é":[1.5e3,{"y":null}]}"#;
    for end in 0..whole.len() {
        let part = whole.as_bytes().get(..end).unwrap_or_default();
        probe.fails(&probe.call("DEL"), part, Code::DECODING, &[]);
    }
}

fn nameless(probe: &mut Probe<'_>) {
    for verb in VERBS {
        probe.fails(&probe.call(verb), "{}", Code::INVALID_CONFIG, &["name"]);
    }
    for stdin in [r#"{"name":""}"#, r#"{"cniVersion":"1.0.0","name":null}"#] {
        probe.fails(&probe.call("ADD"), stdin, Code::INVALID_CONFIG, &["name"]);
    }
}

fn misnamed(probe: &mut Probe<'_>) {
    let mut config = probe.config(probe.version());
    for name in ["-a", "a/b", ".", "é", "a b"] {
        config["name"] = json!(name);
        probe.fails(
            &probe.call("ADD"),
            config.to_string(),
            Code::INVALID_CONFIG,
            &["name"],
        );
    }
    for verb in VERBS {
        probe.fails(
            &probe.call(verb),
            config.to_string(),
            Code::INVALID_CONFIG,
            &["name"],
        );
    }
}
