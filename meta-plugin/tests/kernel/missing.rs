//! ADD with plugins that are not on the node.

use std::path::PathBuf;

use cni_core::invoke::Resolver;
use cni_core::spec::{Code, Error, PluginType};
use cni_net::At;
use plexus::attach::{self, Attached};
use plexus::plan::{Attachment, Plan};
use serde_json::{Value, json};

use crate::fixture::{Container, Ground, Machine, attachment, plan};

const NOWHERE: &str = "/nowhere/cni/bin";

/// The machine with executables as they are on a node, in place of scripted ones.
fn with_executables(ground: &Ground) -> Machine {
    let mut machine = Machine::on(ground);
    machine.node.resolver = Resolver::new(cni_plugins::table(&machine.kernel));
    machine
}

/// The first and the third network as they should be, and `config` as the second.
fn second(machine: &Machine, config: &Value) -> Plan {
    let list = json!({ "cniVersion": "1.1.0", "name": "farm", "plugins": [config] });
    let list = cni_core::spec::ConfList::from_bytes(list.to_string().as_bytes()).unwrap();
    let farm = attachment("net1", list);
    let three = machine.three().attachments;
    let whole = |network: Attachment| match network.ifname.as_str() {
        "net1" => farm.clone(),
        _ => network,
    };
    plan(three.into_iter().map(whole))
}

fn attach(machine: &Machine, pod: &Container, plan: &Plan) -> Result<Vec<Attached>, Error> {
    let mut request = attach::Request::new(pod.id(), pod.path.clone());
    request.path = vec![PathBuf::from(NOWHERE)];
    attach::run(&machine.node, &request, plan)
}

#[track_caller]
fn refused(machine: &Machine, pod: &Container, plan: &Plan, missing: &str) {
    let error = attach(machine, pod, plan).unwrap_err();
    let msg = format!(r#"network "farm": failed to find plugin {missing:?} in path [{NOWHERE}]"#);
    assert_eq!(error, Error::new(Code::INVALID_CONFIG, msg));
    assert!(machine.links(At::Netns(&pod.netns)).is_empty());
    assert_eq!(machine.links(At::Host).into_iter().collect::<Vec<_>>(), ["up0"]);
    machine.assert_clean();
}

#[test]
fn a_missing_plugin_of_any_network_fails_before_anything_is_made() {
    let ground = Ground::new();
    let machine = with_executables(&ground);
    for (name, config) in [
        ("type", json!({ "type": "rooster" })),
        (
            "ipam",
            json!({ "type": "bridge", "bridge": "br1", "ipam": { "type": "rooster" } }),
        ),
    ] {
        let pod = Container::new(name);
        refused(&machine, &pod, &second(&machine, &config), "rooster");
        machine.detach(&pod).unwrap();
    }
    let pod = Container::new("corrected");
    refused(
        &machine,
        &pod,
        &second(&machine, &json!({ "type": "rooster" })),
        "rooster",
    );
    attach(&machine, &pod, &machine.three()).unwrap();
    machine.detach(&pod).unwrap();
    machine.assert_clean();
}

#[test]
fn a_plugin_that_is_to_be_run_as_a_file_has_to_be_one() {
    let ground = Ground::new();
    let mut machine = with_executables(&ground);
    let external: PluginType = "host-local".parse().unwrap();
    machine.node.resolver = machine.node.resolver.external([external]);
    let ipam = json!({ "type": "host-local", "subnet": "10.13.0.0/24" });
    let config = json!({ "type": "bridge", "bridge": "br1", "ipam": ipam });
    let farm = second(&machine, &config).attachments.swap_remove(1);
    let pod = Container::new("c1");
    refused(&machine, &pod, &plan([farm]), "host-local");
}

#[test]
fn an_ipam_type_that_nobody_reads_is_not_looked_for() {
    let ground = Ground::new();
    let machine = with_executables(&ground);
    let tuning = json!({ "type": "tuning", "ipam": { "type": "rooster" } });
    let bridge = json!({ "type": "bridge", "bridge": "br1" });
    let list = json!({ "cniVersion": "1.1.0", "name": "farm", "plugins": [bridge, tuning] });
    let list = cni_core::spec::ConfList::from_bytes(list.to_string().as_bytes()).unwrap();
    let pod = Container::new("c1");
    attach(&machine, &pod, &plan([attachment("net1", list)])).unwrap();
    machine.detach(&pod).unwrap();
}

#[test]
fn a_configuration_that_is_refused_leaves_nothing_that_detach_cannot_clear() {
    let ground = Ground::new();
    let machine = with_executables(&ground);
    let ipam = |subnet: Value| json!({ "type": "host-local", "subnet": subnet });
    for (name, config, says) in [
        (
            "plugin",
            json!({ "type": "bridge", "mtu": "many", "ipam": ipam(json!("10.13.0.0/24")) }),
            r#"network "farm": load netconf"#,
        ),
        (
            "ipam",
            json!({ "type": "macvlan", "master": "up0", "ipam": ipam(json!(13)) }),
            r#"network "farm": plugin type="macvlan""#,
        ),
    ] {
        let pod = Container::new(name);
        let error = attach(&machine, &pod, &second(&machine, &config)).unwrap_err();
        assert_eq!(error.code, Code::INVALID_CONFIG, "{error}");
        assert!(error.msg.starts_with(says), "{error}");
        machine.detach(&pod).unwrap();
        machine.assert_clean();
    }
}
