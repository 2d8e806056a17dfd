//! The input sweep: every plugin with its input cut at every byte, and with every value of its configuration
//! replaced by others. What is refused is refused by a code that says whose fault it is, names the key, and
//! leaves nothing; nothing panics; and a DEL with the good configuration takes back whatever was taken.

use cni_core::invoke::Builtin;
use cni_core::plugin::PANICKED;
use cni_core::spec::{Code, Error};
use cni_core::testkit::Invocation;
use cni_net::fake::FakeNet;
use serde_json::{Value, json};

use crate::machine::{Machine, POD};

/// The lines of the fault sweep, and the plugins that know files alone.
fn machines() -> Vec<Machine> {
    let ranges = json!([[{ "subnet": "10.9.0.0/24", "rangeStart": "10.9.0.5", "gateway": "10.9.0.1" }]]);
    let routes = json!([{ "dst": "0.0.0.0/0", "gw": "10.9.0.1", "mtu": 1400, "advmss": 1300, "priority": 3, "table": 7, "scope": 0 }]);
    let asked = json!({ "ips": ["10.9.0.7"], "ipRanges": [[{ "subnet": "10.8.0.0/24" }]] });
    let local = json!({ "type": "host-local", "ranges": ranges, "routes": routes });
    let addresses = json!([{ "address": "10.9.0.5/24", "gateway": "10.9.0.1" }]);
    let dns =
        json!({ "nameservers": ["192.0.2.53"], "domain": "a.example", "search": ["b"], "options": ["c"] });
    let fixed = json!({ "type": "static", "addresses": addresses, "routes": routes, "dns": dns });
    let files = [
        json!({ "type": "host-local", "ipam": local, "args": { "cni": { "ips": ["10.8.0.9"] } }, "runtimeConfig": asked }),
        json!({ "type": "static", "ipam": fixed, "args": { "cni": { "ips": ["10.9.0.8/24"] } },
            "runtimeConfig": { "ips": ["10.9.0.7/24"] } }),
    ];
    let files = files.into_iter().map(|conf| Machine::new(conf, &[]));
    crate::swept().into_iter().chain(files).collect()
}

#[test]
fn every_plugin_of_the_table_is_fed() {
    let fed: Vec<String> = machines().iter().map(Machine::plugin).collect();
    for kind in cni_plugins::table(&FakeNet::new()).types() {
        assert!(fed.iter().any(|plugin| plugin == kind), "{kind} is in no line");
    }
}

/// What a call answered: its error, if it is one.
pub(crate) fn call(machine: &Machine, verb: &str, input: &[u8]) -> Result<(), Error> {
    let table: Builtin = cni_plugins::table(&machine.net);
    let call = Invocation::new(verb)
        .with_env("CNI_NETNS", POD)
        .with_invoke(&table);
    let outcome = call.run(table.find(&machine.plugin()).unwrap(), input);
    match verb {
        "ADD" => outcome.result().map(drop),
        _ => outcome.done(),
    }
}

const VERBS: [&str; 5] = ["ADD", "CHECK", "DEL", "GC", "STATUS"];

#[test]
fn input_that_is_cut_anywhere_is_refused_and_leaves_nothing() {
    for machine in machines() {
        let good = machine.input().to_string();
        for (verb, cut) in VERBS
            .iter()
            .flat_map(|verb| (0..good.len()).map(move |cut| (*verb, cut)))
        {
            let before = machine.state();
            let error = call(&machine, verb, &good.as_bytes()[..cut]).expect_err("it is cut");
            assert_eq!(error.msg, "decode network config");
            assert_eq!(
                error.code,
                Code::DECODING,
                "{verb} of {} cut at {cut}: {error}",
                machine.plugin()
            );
            assert_eq!(
                machine.state(),
                before,
                "{verb} of {} cut at {cut}",
                machine.plugin()
            );
        }
    }
}

/// Every document that differs from `good` in one value, and the keys that lead there.
fn mutations(good: &Value, path: &str) -> Vec<(String, Value)> {
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1),
        json!(4_294_967_296_u64),
        json!(1e300),
        json!(1.5),
        json!(""),
        json!("../../x"),
        json!("a\u{0}\n\u{1b}[2J"),
        json!("x".repeat(70_000)),
        json!([]),
        json!([[]]),
        json!([null]),
        json!([1]),
        json!({}),
        json!({ "": {} }),
    ];
    // Text there is a path, and any path is good.
    let is_path = path.ends_with("dataDir");
    let others = others
        .into_iter()
        .filter(|other| !(is_path && (other.is_string() || other.is_null())));
    let mut all: Vec<_> = others.map(|other| (path.to_owned(), other)).collect();
    match good {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                for (path, changed) in mutations(item, path) {
                    let mut copy = items.clone();
                    copy[at] = changed;
                    all.push((path, copy.into()));
                }
            }
        }
        Value::Object(members) => {
            for (key, item) in members {
                for (path, changed) in mutations(item, key) {
                    let mut copy = members.clone();
                    copy.insert(key.clone(), changed);
                    all.push((path, copy.into()));
                }
            }
        }
        _ => {}
    }
    all
}

#[test]
fn values_of_every_other_kind_are_taken_or_refused_by_name_and_leave_nothing() {
    for machine in machines() {
        let good = machine.input();
        for (key, bad) in mutations(&good, "") {
            let input = bad.to_string();
            let what = || format!("{} with another {key:?}: {:.300}", machine.plugin(), input);
            // A bridge stays, whatever its name.
            let bridge = bad["bridge"].as_str().filter(|name| !name.is_empty());
            let is_clean = || {
                machine.delete(bridge.unwrap_or("cni0"));
                machine.is_clean(0, &what());
            };
            for verb in ["CHECK", "STATUS", "ADD", "DEL", "GC"] {
                let Err(error) = call(&machine, verb, input.as_bytes()) else {
                    continue;
                };
                assert_ne!(error.code, PANICKED, "{verb}: {error}, {}", what());
                let long = error.to_string().chars().count() > 10_000;
                assert!(!long, "a message as long as its input: {}", what());
                if verb == "ADD" {
                    is_clean();
                }
                if error.msg == "load netconf" {
                    let named = error.details.contains(&key);
                    assert!(named, "{verb}: {error} does not name {key:?}");
                }
            }
            drop(call(&machine, "DEL", good.to_string().as_bytes()));
            is_clean();
        }
    }
}
