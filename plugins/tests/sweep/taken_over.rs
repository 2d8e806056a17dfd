//! Attachments that the reference's plugins made, and a chained plugin changed, go with the DELs of ours; what has
//! merely taken their place stays.

use std::fs;

use cni_core::chain::{self, InMemory, Runtime};
use cni_core::spec::{AttachmentId, ConfList, NetnsPath, Success};
use cni_net::link::{Change, Link, NewMacvlan, NewVeth};
use cni_net::{At, Links};
use serde_json::{Value, json};

use crate::machine::{Machine, POD};

/// A pod with an interface of a main plugin, to which `tuning` has given another address.
struct Scene {
    machine: Machine,
    list: ConfList,
    kept: InMemory,
    result: Success,
}

fn mains() -> [Value; 2] {
    [
        json!({ "type": "bridge", "bridge": "br0" }),
        json!({ "type": "macvlan", "master": "up0" }),
    ]
}

impl Scene {
    fn new(main: Value) -> Self {
        let machine = Machine::new(main.clone(), &["host/br0"]);
        let tuning = json!({ "type": "tuning", "mac": "02:00:00:00:00:0a", "dataDir": machine.data() });
        let list = json!({ "cniVersion": "1.1.0", "name": "blue", "plugins": [main, tuning] });
        let list = ConfList::from_bytes(list.to_string().as_bytes()).unwrap();
        let (table, kept) = (cni_plugins::table(&machine.net), InMemory::default());
        let runtime = Runtime::new(&table, ["/nowhere".into()]);
        let result = chain::add(&list, &id(), &NetnsPath::new(POD), &runtime, &kept).unwrap();
        Self {
            machine,
            list,
            kept,
            result,
        }
    }

    fn del(&self) {
        let table = cni_plugins::table(&self.machine.net);
        let runtime = Runtime::new(&table, ["/nowhere".into()]);
        let pod = NetnsPath::new(POD);
        chain::del(&self.list, &id(), Some(&pod), &runtime, &self.kept).unwrap();
    }

    /// Takes away what the reference's plugins do not leave: marks, group numbers, and whose a backup is.
    fn made_by_the_reference(self) -> Self {
        let pod = self.machine.pod();
        let mut bare = Change::default();
        (bare.alias, bare.group) = (Some(String::new()), Some(0));
        for at in [At::Host, At::Netns(&pod)] {
            for link in self.machine.net.links(at).unwrap() {
                self.machine.net.set_link(at, &link.name, &bare).unwrap();
            }
        }
        let backup = self.machine.data().join("c1_eth0.json");
        let mut saved: Value = serde_json::from_slice(&fs::read(&backup).unwrap()).unwrap();
        saved.as_object_mut().unwrap().remove("plexus").unwrap();
        fs::write(&backup, saved.to_string()).unwrap();
        self
    }

    fn host_end(&self) -> &str {
        &self.result.interfaces[1].name
    }

    /// Somebody replaces the pod's interface by one of the same name and kind.
    fn replaced(self) -> (Self, Link) {
        let pod = self.machine.pod();
        let (net, eth0) = (&self.machine.net, || "eth0".parse().unwrap());
        net.del_link(At::Netns(&pod), "eth0").unwrap();
        let foreign = match &*self.machine.plugin() {
            "bridge" => {
                let new = NewVeth::new(&pod, eth0(), "other0".parse().unwrap());
                net.add_veth(&new).unwrap().1
            }
            _ => {
                let up0 = net.link(At::Host, "up0").unwrap().unwrap();
                net.add_macvlan(&NewMacvlan::new(&pod, eth0(), At::Host, up0.index))
                    .unwrap()
            }
        };
        let mut bare = Change::default();
        bare.group = Some(0);
        net.set_link(At::Netns(&pod), "eth0", &bare).unwrap();
        (self, foreign)
    }

    #[track_caller]
    fn still_has(&self, foreign: &Link) {
        let (net, pod) = (&self.machine.net, self.machine.pod());
        let link = net.link(At::Netns(&pod), "eth0").unwrap();
        assert_eq!(link.map(|link| link.index), Some(foreign.index));
    }
}

fn id() -> AttachmentId {
    AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap())
}

#[test]
fn an_interface_goes_though_a_chained_plugin_has_put_its_address_back() {
    for main in mains() {
        let scene = Scene::new(main).made_by_the_reference();
        scene.del();
        scene.machine.is_clean(0, "DEL");
    }
}

#[test]
fn a_pair_goes_though_udev_has_given_its_host_end_another_address() {
    let [bridge, _] = mains();
    let scene = Scene::new(bridge).made_by_the_reference();
    let mut change = Change::default();
    change.mac = Some("02:00:00:00:00:0b".parse().unwrap());
    scene
        .machine
        .net
        .set_link(At::Host, scene.host_end(), &change)
        .unwrap();
    scene.del();
    scene.machine.is_clean(0, "DEL");
}

#[test]
fn another_interface_that_has_taken_the_name_stays() {
    for main in mains() {
        let (ours, foreign) = Scene::new(main.clone()).replaced();
        ours.del();
        ours.still_has(&foreign);
        let (theirs, foreign) = Scene::new(main).made_by_the_reference().replaced();
        theirs.del();
        theirs.still_has(&foreign);
    }
}

#[test]
fn another_pair_that_has_taken_the_host_ends_name_stays() {
    let [bridge, _] = mains();
    let (scene, foreign) = Scene::new(bridge).made_by_the_reference().replaced();
    let net = &scene.machine.net;
    let elsewhere = net.add_netns("/elsewhere");
    let host_end = scene.host_end().parse().unwrap();
    net.add_veth(&NewVeth::new(&elsewhere, "eth0".parse().unwrap(), host_end))
        .unwrap();
    scene.del();
    scene.still_has(&foreign);
    assert!(net.link(At::Host, scene.host_end()).unwrap().is_some());
}

/// A pod that says its hardware address comes back with the same one, perhaps in a namespace of the same path.
#[test]
fn another_attachment_s_interface_stays_though_it_has_the_address_of_the_result() {
    let [_, macvlan] = mains();
    let machine = Machine::new(macvlan, &[]);
    let result = machine.add(&machine.net).unwrap();
    let (pod, net) = (machine.pod(), &machine.net);
    for (alias, stays) in [("plexus:blue/c2/eth0", true), ("somebody's", false)] {
        let mut change = Change::default();
        change.alias = Some(alias.to_owned());
        net.set_link(At::Netns(&pod), "eth0", &change).unwrap();
        machine.del(net, Some(&result)).unwrap();
        let left = net.link(At::Netns(&pod), "eth0").unwrap();
        assert_eq!(left.is_some(), stays, "{alias}");
    }
}
