//! A pod's links go in one request, where that takes nothing else along.
//!
//! The plugins' DELs are run on a kernel in which there is nothing, so what goes has gone in that request.

use cni_net::fake::FakeNet;
use cni_net::link::{NewVeth, POD_GROUP};
use cni_net::{At, Links};

use crate::machine::{Machine, POD};

/// The links in the pod's namespace but loopback.
fn links(machine: &Machine) -> Vec<String> {
    let pod = machine.net.add_netns(POD);
    let links = machine.net.links(At::Netns(&pod)).unwrap();
    let names = links.into_iter().map(|link| link.name);
    names.filter(|name| name != "lo").collect()
}

#[test]
fn all_links_of_a_pod_go_in_one_request() {
    let machine = Machine::new();
    machine.attach(&machine.net).unwrap();
    assert_eq!(links(&machine), ["eth0", "net1", "net2"]);
    machine.detach_on(&machine.net, &FakeNet::new()).unwrap();
    assert_eq!(links(&machine), Vec::<String>::new());
}

#[test]
fn beside_a_link_of_another_in_the_group_each_plugin_deletes_its_own() {
    let machine = Machine::new();
    machine.attach(&machine.net).unwrap();
    let pod = machine.net.add_netns(POD);
    let foreign = NewVeth::new(&pod, "foreign0".parse().unwrap(), "up1".parse().unwrap());
    let (_, end) = machine.net.add_veth(&foreign).unwrap();
    assert_eq!(end.group, POD_GROUP);
    machine.detach_on(&machine.net, &FakeNet::new()).unwrap();
    assert_eq!(links(&machine).len(), 4, "the plugins' kernel has none of them");
}
