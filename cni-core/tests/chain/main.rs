//! Lists of plugins, run by linked-in plugins, by executables and by libraries: all must see and answer the same.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../dylib/made.rs"]
mod dylib;
mod failing;
mod kept;
mod resolver;
mod stage;
mod versions;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cni_core::chain::{self, ChainError, Results};
use cni_core::invoke::OwnNetns;
use cni_core::spec::{Code, ConfList, Error, NetnsPath, Success, ValidAttachment};
use serde_json::{Value, json};
use stage::{Stage, every_way, id, netns, object, order, prevs};

/// Adds an interface, and fails at these verbs.
fn step(interface: &str, fails: &[&str]) -> Value {
    let error = |verb: &&str| {
        (
            (*verb).to_owned(),
            json!({ "code": 100, "msg": format!("{interface} {verb}"), "details": "d" }),
        )
    };
    let fail: serde_json::Map<String, Value> = fails.iter().map(error).collect();
    json!({ "interface": interface, "fail": fail })
}

fn wire(outcome: Result<(), ChainError>) -> Result<(), Error> {
    outcome.map_err(Error::from)
}

fn add(stage: &Stage<'_>, list: &ConfList) -> Result<Success, Error> {
    chain::add(list, &id("c1"), &netns(), &stage.runtime, &stage.kept).map_err(Error::from)
}

fn check(stage: &Stage<'_>, list: &ConfList) -> Result<(), Error> {
    wire(chain::check(
        list,
        &id("c1"),
        &netns(),
        &stage.runtime,
        &stage.kept,
    ))
}

fn del(stage: &Stage<'_>, list: &ConfList) -> Result<(), Error> {
    wire(chain::del(
        list,
        &id("c1"),
        Some(&netns()),
        &stage.runtime,
        &stage.kept,
    ))
}

fn gc(stage: &Stage<'_>, list: &ConfList, valid: Option<&[&str]>) -> Result<(), Error> {
    let entry = |container: &&str| -> ValidAttachment {
        serde_json::from_value(json!({ "containerID": container, "ifname": "eth0" })).unwrap()
    };
    let valid: Option<BTreeSet<_>> = valid.map(|valid| valid.iter().map(entry).collect());
    wire(chain::gc(list, valid.as_ref(), &stage.runtime, &stage.kept))
}

fn some(names: &str) -> Option<String> {
    Some(names.to_owned())
}

#[test]
fn add_hands_results_on_and_check_and_del_get_the_last() {
    for version in ["0.4.0", "1.0.0", "1.1.0"] {
        let (result, calls) = every_way(|stage| {
            let list = stage.list(version, &[step("a", &[]), step("b", &[]), step("c", &[])]);
            let result = add(stage, &list).unwrap();
            check(stage, &list).unwrap();
            del(stage, &list).unwrap();
            assert_eq!(stage.kept.list(&list).unwrap(), []);
            result
        });
        let names: Vec<&str> = result.interfaces.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        // 0.4.0 has no place for it, and linked-in plugins must not have more than executables.
        assert_eq!(result.interfaces[0].mtu, (version != "0.4.0").then_some(1400));
        let expected = [
            "ADD 0", "ADD 1", "ADD 2", "CHECK 0", "CHECK 1", "CHECK 2", "DEL 2", "DEL 1", "DEL 0",
        ];
        assert_eq!(order(&calls), expected);
        let expected = [vec![None, some("a"), some("a b")], vec![some("a b c"); 6]].concat();
        assert_eq!(prevs(&calls), expected);
    }
}

#[test]
fn a_request_is_the_plugins_object_and_what_the_runtime_adds() {
    let (_, calls) = every_way(|stage| {
        let ours = json!({ "capabilities": { "ips": true, "mac": false }, "cni.dev/valid-attachments": [] });
        let list = stage.list("1.1.0", &[ours, json!({})]);
        let mut runtime = stage.runtime.clone();
        runtime.capability_args = object(&json!({ "ips": ["10.0.0.1"], "mac": "x", "dns": {} }));
        runtime.trace.parent = Some("00-parent".to_owned());
        chain::add(&list, &id("c1"), &netns(), &runtime, &stage.kept).unwrap();
        chain::gc(&list, None, &runtime, &stage.kept).unwrap();
    });
    assert_eq!(order(&calls), ["ADD 0", "ADD 1", "GC 0", "GC 1"]);
    for call in &calls {
        assert_eq!(call["keys"], json!(["cniVersion", "name"]));
        assert_eq!(call["args"], "A=1");
        assert_eq!(call["trace"], json!(["00-parent", null, null]));
        let declares = call["verb"] == "ADD" && call["plugin"] == "0";
        assert_eq!(
            call["runtimeConfig"],
            if declares {
                json!({ "ips": ["10.0.0.1"] })
            } else {
                Value::Null
            }
        );
    }
    assert_eq!(
        (&calls[0]["id"], &calls[0]["netns"]),
        (&json!("eth0 of c1"), &json!("/nowhere/ns"))
    );
    assert_eq!(calls[2]["valid"], Value::Null);
}

#[test]
fn del_has_no_result_below_0_4_0() {
    let (_, calls) = every_way(|stage| {
        let list = stage.list("0.3.1", &[step("a", &[])]);
        add(stage, &list).unwrap();
        del(stage, &list).unwrap();
    });
    assert_eq!(prevs(&calls), [None, None]);
}

#[test]
fn a_result_that_its_version_cannot_say_is_undone() {
    let (error, calls) = every_way(|stage| add(stage, &stage.list("0.2.0", &[step("a", &[])])).unwrap_err());
    let failed = "plugin type=\"scripted\" name=\"net\" failed (add)";
    let msg = format!("{failed}: cannot convert: no valid IP addresses");
    assert_eq!(error, Error::new(Code::INCOMPATIBLE_VERSION, msg));
    assert_eq!(order(&calls), ["ADD 0", "DEL 0"]);
}

#[test]
fn check_is_refused_before_it_is_disabled() {
    let (outcomes, calls) = every_way(|stage| {
        let run = |version, disable: bool| {
            check(
                stage,
                &stage.list_with(
                    json!({ "disableCheck": disable }),
                    version,
                    &[step("a", &["CHECK"]), step("b", &[])],
                ),
            )
        };
        (run("0.3.1", true), run("0.4.0", true), run("0.4.0", false))
    });
    let refused = "configuration version \"0.3.1\" does not support the CHECK command";
    assert_eq!(outcomes.0, Err(Error::new(Code::INCOMPATIBLE_VERSION, refused)));
    assert_eq!(outcomes.1, Ok(()));
    assert_eq!(outcomes.2.unwrap_err().code, Code(100));
    assert_eq!(order(&calls), ["CHECK 0"]);
}

#[test]
fn status_stops_at_the_first_no_and_leaves_it_as_it_is() {
    let (outcomes, calls) = every_way(|stage| {
        let run = |version| {
            let fail = json!({ "STATUS": { "code": 50, "msg": "no daemon" } });
            let list = stage.list(version, &[json!({}), json!({ "fail": fail }), json!({})]);
            wire(chain::status(&list, &stage.runtime))
        };
        (run("1.0.0"), run("1.1.0"))
    });
    assert_eq!(
        outcomes,
        (Ok(()), Err(Error::new(Code::UNAVAILABLE, "no daemon")))
    );
    assert_eq!(order(&calls), ["STATUS 0", "STATUS 1"]);
}

#[test]
fn gc_deletes_what_is_kept_and_not_valid() {
    let (_, calls) = every_way(|stage| {
        let list = stage.list("1.1.0", &[step("a", &[])]);
        for container in ["c1", "c2", "c3"] {
            let mut runtime = stage.runtime.clone();
            runtime.args = format!("OF={container}").parse().unwrap();
            chain::add(&list, &id(container), &netns(), &runtime, &stage.kept).unwrap();
        }
        gc(stage, &list, None).unwrap();
        gc(stage, &list, Some(&["c1", "c3", "c9"])).unwrap();
        gc(stage, &list, Some(&[])).unwrap();
    });
    let expected = ["GC 0", "DEL 0", "GC 0", "DEL 0", "DEL 0", "GC 0"];
    assert_eq!(order(&calls[3..]), expected);
    let of = |at: usize| {
        (
            calls[at]["id"].clone(),
            calls[at]["args"].clone(),
            calls[at]["netns"].clone(),
        )
    };
    assert_eq!(of(4), (json!("eth0 of c2"), json!("OF=c2"), json!("/nowhere/ns")));
    assert_eq!(prevs(&calls[4..5]), [some("a")]);
    let valid: Vec<usize> = [5, 8]
        .iter()
        .map(|at| calls[*at]["valid"].as_array().unwrap().len())
        .collect();
    assert_eq!((&calls[3]["valid"], valid), (&Value::Null, vec![3, 0]));
}

#[test]
fn gc_never_stops_and_reports_every_failure() {
    let (error, calls) = every_way(|stage| {
        let list = stage.list("1.1.0", &[step("a", &["DEL", "GC"]), step("b", &["GC"])]);
        add(stage, &list).unwrap();
        gc(stage, &list, Some(&[])).unwrap_err()
    });
    assert_eq!(order(&calls[2..]), ["DEL 1", "DEL 0", "GC 0", "GC 1"]);
    assert_eq!((error.code, error.msg.matches(" / ").count()), (Code(100), 2));
}

#[test]
fn gc_is_not_sent_where_it_is_disabled_or_unknown() {
    let (_, calls) = every_way(|stage| {
        let disabled = stage.list_with(json!({ "disableGC": true }), "1.1.0", &[json!({})]);
        let early = stage.list("1.0.0", &[json!({})]);
        add(stage, &early).unwrap();
        gc(stage, &disabled, Some(&[])).unwrap();
        gc(stage, &early, Some(&[])).unwrap();
    });
    assert_eq!(order(&calls), ["ADD 0", "DEL 0"]);
}

#[test]
fn check_without_a_kept_result_is_for_the_plugins_to_refuse() {
    let (_, calls) = every_way(|stage| check(stage, &stage.list("1.0.0", &[step("a", &[])])).unwrap());
    assert_eq!(
        (order(&calls), prevs(&calls)),
        (vec!["CHECK 0".to_owned()], vec![None])
    );
}

#[test]
fn every_plugin_is_told_of_the_deadline_and_none_is_called_after_it() {
    let (errors, calls) = every_way(|stage| {
        let list = stage.list("1.1.0", &[json!({}), json!({})]);
        let (id, netns, now) = (id("c1"), netns(), Instant::now());
        let mut runtime = stage.runtime.clone();
        let mut all = |deadline| {
            runtime.deadline = Some(deadline);
            let added = chain::add(&list, &id, &netns, &runtime, &stage.kept).map(drop);
            let checked = chain::check(&list, &id, &netns, &runtime, &stage.kept);
            let asked = chain::status(&list, &runtime);
            let collected = chain::gc(&list, None, &runtime, &stage.kept);
            let deleted = chain::del(&list, &id, Some(&netns), &runtime, &stage.kept);
            [
                wire(added),
                wire(checked),
                wire(asked),
                wire(collected),
                wire(deleted),
            ]
        };
        assert_eq!(all(now + Duration::from_secs(60)), [const { Ok(()) }; 5]);
        all(now).map(|outcome| outcome.unwrap_err().to_string())
    });
    assert_eq!(calls.len(), 10);
    assert!(calls.iter().all(|call| call["hasDeadline"] == true));
    for (verb, error) in ["ADD", "CHECK", "STATUS", "GC", "DEL"].iter().zip(errors) {
        let expected = format!("no time was left for {verb} of plugin \"scripted\"");
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn the_plugins_own_namespace_is_refused_unless_the_runtime_allows_it() {
    let (outcomes, calls) = every_way(|stage| {
        let list = stage.list("1.1.0", &[json!({})]);
        let own = NetnsPath::new("/proc/thread-self/ns/net");
        let mut runtime = stage.runtime.clone();
        [OwnNetns::Refused, OwnNetns::Allowed].map(|own_netns| {
            runtime.own_netns = own_netns;
            let added = chain::add(&list, &id("c1"), &own, &runtime, &stage.kept);
            wire(added.map(drop)).map_err(|error| error.code)
        })
    });
    assert_eq!(outcomes, [Err(Code::INVALID_NETNS), Ok(())]);
    assert_eq!(order(&calls), ["ADD 0"]);
}
