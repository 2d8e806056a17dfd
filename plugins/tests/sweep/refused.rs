//! What the plugins refuse: each with a code and words of `docs/errors.md`, naming the value, and with nothing
//! left after a DEL. Of the codes that are provoked here every row is.

use std::fs;

use cni_core::spec::{Success, Version};
use cni_net::link::NewBridge;
use cni_net::{Addr, Addrs, At, Links};
use serde_json::{Value, json};

use crate::input::call;
use crate::machine::Machine;

/// A configuration, what happened before, and how the verb is refused: the code, how the message begins, and
/// what the error names.
type Case = (
    Value,
    fn(&Machine) -> Option<Success>,
    &'static str,
    u32,
    &'static str,
    &'static str,
);

fn nothing(_: &Machine) -> Option<Success> {
    None
}

fn added(machine: &Machine) -> Option<Success> {
    Some(machine.add(&machine.net).unwrap())
}

/// ADD, and then its files are lost.
fn forgotten(machine: &Machine) -> Option<Success> {
    let success = added(machine);
    fs::remove_dir_all(machine.data()).unwrap();
    success
}

/// ADD, and then somebody deletes the interface.
fn deleted(machine: &Machine) -> Option<Success> {
    let success = added(machine);
    machine.net.del_link(At::Netns(&machine.pod()), "eth0").unwrap();
    success
}

/// ADD, with a result that has lost its addresses.
fn emptied(machine: &Machine) -> Option<Success> {
    let mut success = added(machine);
    success.as_mut().unwrap().ips.clear();
    success
}

/// Another container has the only address.
fn exhausted(machine: &Machine) -> Option<Success> {
    let dir = machine.data().join("ipam/blue");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("10.9.0.2"), "other\r\neth0").unwrap();
    None
}

/// There is a file where the directory is to be.
fn blocked(machine: &Machine) -> Option<Success> {
    fs::create_dir_all(machine.data()).unwrap();
    fs::write(machine.data().join("ipam"), "").unwrap();
    None
}

fn addressed(machine: &Machine) -> Option<Success> {
    let (pod, foreign) = (machine.pod(), Addr::new("10.1.2.3/24".parse().unwrap()));
    machine.net.add_addrs(At::Netns(&pod), "lo", &[foreign]).unwrap();
    None
}

fn without_uplink(machine: &Machine) -> Option<Success> {
    machine.net.del_link(At::Host, "up0").unwrap();
    None
}

/// Others have all names that the host's end may have.
fn crowded(machine: &Machine) -> Option<Success> {
    while let Ok(success) = machine.add(&machine.net) {
        let host = success.interfaces[1].name.parse().unwrap();
        machine.del(&machine.net, Some(&success)).unwrap();
        machine.net.ensure_bridge(&NewBridge::new(host)).unwrap();
    }
    machine.delete("br0");
    None
}

fn occupied(machine: &Machine) -> Option<Success> {
    machine.occupy();
    None
}

fn bridge(more: Value) -> Value {
    with(json!({ "type": "bridge", "bridge": "br0" }), more)
}

fn macvlan(more: Value) -> Value {
    with(json!({ "type": "macvlan", "master": "up0" }), more)
}

fn tuning(more: Value) -> Value {
    with(json!({ "type": "tuning" }), more)
}

fn with(mut base: Value, more: Value) -> Value {
    base.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    base
}

/// A plugin whose addresses are of `ipam`.
fn local(ipam: Value) -> Value {
    macvlan(json!({ "ipam": with(json!({ "type": "host-local" }), ipam) }))
}

fn fixed(addresses: Value) -> Value {
    macvlan(json!({ "ipam": { "type": "static", "addresses": addresses } }))
}

fn refused() -> Vec<Case> {
    let one = || json!({ "subnet": "10.9.0.0/30" });
    let asked = |ip: &str| {
        with(
            local(json!({ "subnet": "10.9.0.0/24" })),
            json!({ "args": { "cni": { "ips": [ip] } } }),
        )
    };
    vec![
        (bridge(json!({ "mtu": 5 })), nothing, "ADD", 7, "MTU 5", "5"),
        (
            json!({ "type": "vxlan", "vni": 16_777_216 }),
            nothing,
            "ADD",
            7,
            "VNI 16777216",
            "16777216",
        ),
        (
            tuning(json!({ "sysctl": { "kernel.panic": "1" } })),
            nothing,
            "ADD",
            7,
            r#"invalid net sysctl key: "kernel.panic""#,
            "kernel.panic",
        ),
        (
            bridge(json!({ "ipam": { "type": "bridge" } })),
            nothing,
            "ADD",
            7,
            r#"plugin "bridge" cannot delegate to itself"#,
            "bridge",
        ),
        (
            bridge(json!({ "ipam": { "type": "nobody" } })),
            nothing,
            "ADD",
            7,
            r#"find built-in plugin "nobody""#,
            "nobody",
        ),
        (
            macvlan(json!({ "master": "nobody" })),
            nothing,
            "ADD",
            101,
            r#"Link not found: "nobody""#,
            "nobody",
        ),
        (
            bridge(json!({ "bridge": "up0" })),
            nothing,
            "ADD",
            102,
            r#""up0" already exists but is not a bridge"#,
            "up0",
        ),
        (
            json!({ "type": "macvlan" }),
            without_uplink,
            "ADD",
            120,
            "no default route interface found",
            "",
        ),
        (
            local(one()),
            exhausted,
            "ADD",
            140,
            "failed to allocate for range 0: no IP addresses available",
            "10.9.0.2",
        ),
        (
            asked("10.9.0.1"),
            nothing,
            "ADD",
            141,
            "failed to allocate for range 0: requested",
            "10.9.0.1",
        ),
        (
            asked("10.7.0.1"),
            nothing,
            "ADD",
            141,
            "failed to allocate all requested IPs",
            "10.7.0.1",
        ),
        (
            json!({ "type": "host-local", "ipam": with(json!({ "type": "host-local" }), one()) }),
            added,
            "ADD",
            142,
            "failed to allocate for range 0: 10.9.0.2 has been allocated to c1",
            "10.9.0.2",
        ),
        (
            local(one()),
            forgotten,
            "CHECK",
            144,
            "host-local: Failed to find address",
            "c1",
        ),
        (local(one()), blocked, "ADD", 143, "create directory", "ipam"),
        (
            local(with(one(), json!({ "resolvConf": "/nowhere" }))),
            nothing,
            "ADD",
            145,
            r#"read resolvConf "/nowhere""#,
            "/nowhere",
        ),
        (
            fixed(json!([{ "address": "10.9.0.5/24" }])),
            emptied,
            "CHECK",
            150,
            "static: Failed to match addr 10.9.0.5",
            "10.9.0.5",
        ),
        (
            json!({ "type": "loopback" }),
            addressed,
            "ADD",
            155,
            "loopback interface found with non-loopback address",
            "10.1.2.3/24",
        ),
        (
            macvlan(json!({ "ipam": { "type": "static" } })),
            nothing,
            "ADD",
            160,
            "IPAM plugin returned missing IP config",
            "",
        ),
        (
            fixed(json!([{ "address": "10.9.0.5/24" }])),
            deleted,
            "CHECK",
            163,
            "check",
            "eth0",
        ),
        (
            bridge(json!({})),
            crowded,
            "ADD",
            165,
            r#"name the host end of "eth0""#,
            "eth0",
        ),
        (
            bridge(json!({})),
            occupied,
            "ADD",
            166,
            r#"container veth name ("eth0") already exists"#,
            "eth0",
        ),
    ]
}

#[test]
fn what_is_refused_has_a_code_and_words_names_the_value_and_leaves_nothing() {
    for (conf, prepare, verb, code, begins, names) in refused() {
        let machine = Machine::new(conf, &[]);
        let prev = prepare(&machine);
        let mut input = machine.input();
        if let Some(prev) = prev {
            let prev = prev.encode(Version::V1_1_0).unwrap();
            input["prevResult"] = serde_json::from_str(prev.get()).unwrap();
        }
        let before = machine.state();
        let error = call(&machine, verb, input.to_string().as_bytes()).expect_err(begins);
        assert!(
            error.code.0 == code && error.msg.starts_with(begins),
            "code {} {error}, not {code} {begins}",
            error.code
        );
        assert!(error.to_string().contains(names), "{error} does not name {names}");
        // A bridge stays.
        machine.delete("br0");
        assert_eq!(machine.state(), before, "{error}");
    }
}
