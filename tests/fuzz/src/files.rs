//! The files that plugins share with others: host-local's addresses, `resolv.conf`, the values that `tuning` keeps.

use cni_core::invoke::{Builtin, Call, Invoke, Target, Verb};
use cni_core::spec::{AttachmentId, Error, IfName, NetnsPath, Object, Success};
use serde_json::{Value, json};

use crate::machine::{Machine, POD};

pub(crate) const SEEDS: &[&str] = &[
    "c1\r\neth0",
    "c1",
    "10.9.0.3\n",
    "# x\nnameserver 192.0.2.1\ndomain example.org\nsearch a.example b.example\noptions ndots:5\n",
    r#"{"mac":"02:00:00:00:00:0a","promisc":false,"mtu":1500,"allmulti":true,"txQLen":1000,"plexus":{"network":"n","containerID":"c1","ifname":"eth0","boot":"b","cookie":7}}"#,
];

/// The same bytes in each of these files: no plugin is kept from giving and freeing addresses, or from its DEL.
pub(crate) fn files(data: &[u8]) {
    let data = &data[..data.len().min(190)];
    let machine = Machine::new();
    let resolv_conf = machine.scratch.file("resolv.conf", data);
    for name in ["10.9.0.2", "10.9.0.7", "last_reserved_ip.0", "10.9.0.010"] {
        machine.scratch.file(&format!("ipam/n/{name}"), data);
    }
    let backup = machine.scratch.file("data/c1_eth0.json", data);
    let table = cni_plugins::table(&machine.net);
    let ipam = json!({ "type": "host-local", "dataDir": machine.scratch.path("ipam"), "resolvConf": resolv_conf,
        "ranges": [[{ "subnet": "10.9.0.0/29" }]] });
    let host_local = json!({ "type": "host-local", "ipam": ipam });
    // Longer than what is in the files, so that none of them can give it an address.
    let container = &*"z".repeat(data.len() + 1);
    let given = run(&table, &host_local, container, None).unwrap().unwrap();
    let files = [given.ips[0].address.addr().to_string(), "10.9.0.7".to_owned()];
    let there = |name: &String| machine.scratch.path("ipam/n").join(name).exists();
    assert!(files.iter().all(there), "{files:?}");
    run(&table, &host_local, container, Some(Verb::Del)).unwrap();
    assert!(!there(&files[0]), "{} is not free after DEL", files[0]);
    let tuning = json!({ "type": "tuning", "dataDir": machine.scratch.path("data") });
    run(&table, &tuning, "c1", Some(Verb::Gc)).unwrap();
    run(&table, &tuning, "c1", Some(Verb::Del)).unwrap();
    assert!(!backup.exists(), "values are kept after DEL");
}

/// Runs `verb`, or ADD.
fn run(
    table: &Builtin,
    config: &Value,
    container: &str,
    verb: Option<Verb>,
) -> Result<Option<Success>, Error> {
    let mut config = config.clone();
    (config["cniVersion"], config["name"]) = (json!("1.1.0"), json!("n"));
    config["cni.dev/valid-attachments"] = json!([{ "containerID": container, "ifname": "eth0" }]);
    let ifname: IfName = "eth0".parse().unwrap();
    let id = AttachmentId::new(container.parse().unwrap(), ifname);
    let target = Target::of(id, Some(NetnsPath::new(POD)));
    let plugin = config["type"].as_str().unwrap().parse().unwrap();
    let config = Object::from_slice(config.to_string().as_bytes()).unwrap();
    let call = Call::new(&plugin, &config, &target);
    match verb {
        None => table.add(&call).map(Some),
        Some(verb) => table.run(verb, &call).map(|()| None),
    }
}
