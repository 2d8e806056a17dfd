//! The machines: a switch, and nodes that hang on it.

use std::net::{IpAddr, Ipv4Addr};

use cni_core::spec::IfName;
use cni_net::link::{Change, NewBridge, NewVeth};
use cni_net::route::Route;
use cni_net::{Addr, Addrs, At, Kernel, Links, Namespaces, NetError, Routes};
use ipnet::{IpNet, Ipv4Net};

use super::machine::Machine;
use super::{DemoError, here};

/// How many nodes there are.
pub(super) const NODES: u8 = 3;

/// The address of node `number` in the underlay (a network of RFC 5737, which nobody has).
fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, number)
}

/// The addresses that node `number` hands out on its default network.
pub(super) fn pod_range(number: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(10, 244, number, 0), 24)
}

/// Makes the switch in the calling thread's namespace, and the nodes, numbered from 1, on its ports.
pub(super) fn build() -> Result<Vec<Machine>, DemoError> {
    let net = Kernel::new();
    let switch = net.ensure_bridge(&NewBridge::new(name("switch")?))?;
    let mut nodes = Vec::new();
    for number in 1..=NODES {
        let node = Machine::start(&format!("node{number}")).map_err(DemoError::Sandbox)?;
        let netns = net.open(&node.netns())?;
        let mut cable = NewVeth::new(&netns, name("eth0")?, name(&node.name)?);
        cable.master = Some(switch.index);
        net.add_veth(&cable)?;
        node.run(move || configure(number))
            .map_err(DemoError::Sandbox)??;
        node.run(move || here::install(pod_range(number)))
            .and_then(|installed| installed)
            .map_err(DemoError::Sandbox)?;
        nodes.push(node);
    }
    Ok(nodes)
}

fn name(text: &str) -> Result<IfName, NetError> {
    text.parse().map_err(|_| NetError::LinkNotFound {
        name: text.to_owned(),
    })
}

/// On node `number`: its address, its default route, and a route to the pods of each other node.
fn configure(number: u8) -> Result<(), NetError> {
    let net = Kernel::new();
    let own = IpNet::from(Ipv4Net::new_assert(address(number), 24));
    net.add_addrs(At::Host, "eth0", &[Addr::new(own)])?;
    for link in ["lo", "eth0"] {
        net.set_link(At::Host, link, &Change::up())?;
    }
    let via = |dst: Ipv4Net, gateway: u8| {
        let mut route = Route::new(dst.into());
        route.gw = Some(IpAddr::V4(address(gateway)));
        route
    };
    let others = (1..=NODES).filter(|other| *other != number);
    let mut routes: Vec<Route> = others.map(|other| via(pod_range(other), other)).collect();
    // Nobody answers there: it only says which interface leads outside, as on a real node.
    routes.push(via(Ipv4Net::default(), 254));
    net.add_routes(At::Host, &routes)
}
