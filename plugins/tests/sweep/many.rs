//! Thousands of addresses in one request: what is done with each must not take longer the more there are.

use serde_json::{Value, json};

use crate::machine::Machine;

#[test]
fn thousands_of_addresses_come_and_go() {
    let of_family = |text: fn(u32) -> String| (0..2500).map(text);
    let v4 = of_family(|n| format!("10.9.{}.{}/16", 1 + n / 256, n % 256));
    let v6 = of_family(|n| format!("fd09::{:x}/64", 2 + n));
    let addresses: Vec<Value> = v4
        .chain(v6)
        .map(|address| json!({ "address": address }))
        .collect();
    let ipam = json!({ "type": "static", "addresses": addresses });
    let conf = json!({ "type": "bridge", "bridge": "br0", "ipMasq": true, "ipam": ipam });
    let rules = "host nft inet cni_plugins_masquerade";
    let leaves =
        ["", " masq_checks", " postrouting", " postrouting rule \"\""].map(|what| format!("{rules}{what}"));
    let leaves: Vec<&str> = leaves.iter().map(String::as_str).chain(["host/br0"]).collect();
    let machine = Machine::new(conf, &leaves);
    let result = machine.add(&machine.net).unwrap();
    assert_eq!(result.ips.len(), 5000);
    machine.check(&machine.net, &result).unwrap();
    machine.del(&machine.net, Some(&result)).unwrap();
    machine.is_clean(0, "DEL");
}
