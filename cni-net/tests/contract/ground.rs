//! A machine to ask: a kernel in fresh namespaces, or the fake.

use std::net::UdpSocket;
use std::thread::sleep;
use std::time::Duration;

use cni_net::fake::FakeNet;
use cni_net::link::{Change, Link, NewBridge, NewVeth};
use cni_net::netns::{Anonymous, within};
use cni_net::{Addr, Addrs, At, Kernel, Links, Namespaces, Neighbours, Netns, Nft, Routes, Sysctl};

/// Every trait of the kernel layer.
pub(crate) trait Net: Addrs + Links + Namespaces + Neighbours + Nft + Routes + Sysctl {}

impl<N: Addrs + Links + Namespaces + Neighbours + Nft + Routes + Sysctl> Net for N {}

/// A machine that nobody else uses.
pub(crate) trait Ground {
    /// A namespace that goes when this is dropped.
    type Held;
    /// As a program on its host sees it.
    fn net(&self) -> &impl Net;
    /// A fresh namespace.
    fn pod(&self) -> (Netns, Self::Held);
    /// Another program on the host takes the port; it keeps it while the answer lives.
    fn bind_udp(&self, port: u16) -> Option<UdpSocket>;
}

pub(crate) struct Real {
    kernel: Kernel,
    host: Netns,
    _held: Anonymous,
}

impl Real {
    pub(crate) fn new() -> Self {
        let held = Anonymous::new().expect("the contract with the kernel needs root");
        let host = Kernel::new().open(held.path()).unwrap();
        let kernel = within(&host, Kernel::new).unwrap();
        Self {
            kernel,
            host,
            _held: held,
        }
    }
}

impl Ground for Real {
    type Held = Anonymous;

    fn net(&self) -> &impl Net {
        &self.kernel
    }

    fn pod(&self) -> (Netns, Anonymous) {
        let held = Anonymous::new().unwrap();
        (self.kernel.open(held.path()).unwrap(), held)
    }

    fn bind_udp(&self, port: u16) -> Option<UdpSocket> {
        within(&self.host, || UdpSocket::bind(("0.0.0.0", port)).ok()).unwrap()
    }
}

pub(crate) struct Fake(FakeNet);

impl Fake {
    pub(crate) fn new() -> Self {
        Self(FakeNet::new())
    }
}

/// A namespace of the fake that is deleted when this is dropped.
pub(crate) struct Deleted(FakeNet, String);

impl Drop for Deleted {
    fn drop(&mut self) {
        self.0.del_netns(&self.1);
    }
}

impl Ground for Fake {
    type Held = Deleted;

    fn net(&self) -> &impl Net {
        &self.0
    }

    fn pod(&self) -> (Netns, Deleted) {
        let paths = (0..).map(|number| format!("/ns{number}"));
        let mut free = paths.filter(|path| self.0.open(&cni_core::spec::NetnsPath::new(path)).is_err());
        let path = free.next().unwrap();
        (self.0.add_netns(&path), Deleted(self.0.clone(), path))
    }

    fn bind_udp(&self, port: u16) -> Option<UdpSocket> {
        self.0.bind_udp(port);
        None
    }
}

/// The names of the links in `at` but loopback.
pub(crate) fn names(net: &impl Net, at: At<'_>) -> Vec<String> {
    let links = net.links(at).unwrap().into_iter().map(|link| link.name);
    links.filter(|name| name != "lo").collect()
}

/// Waits for what the kernel does in its own time.
#[track_caller]
pub(crate) fn soon(what: impl Fn() -> bool) {
    let holds = (0..500).any(|_| {
        what() || {
            sleep(Duration::from_millis(10));
            false
        }
    });
    assert!(holds, "it never came");
}

pub(crate) fn bridge(net: &impl Net, name: &str) -> Link {
    net.ensure_bridge(&NewBridge::new(name.parse().unwrap())).unwrap()
}

/// A pair whose container end is `eth0` and up, with `addrs`.
pub(crate) fn attached(net: &impl Net, pod: &Netns, host: &str, addrs: &[&str]) {
    net.add_veth(&NewVeth::new(pod, "eth0".parse().unwrap(), host.parse().unwrap()))
        .unwrap();
    let addrs: Vec<Addr> = addrs.iter().map(|text| addr(text)).collect();
    net.add_addrs(At::Netns(pod), "eth0", &addrs).unwrap();
    net.set_link(At::Netns(pod), "eth0", &Change::up()).unwrap();
}

pub(crate) fn addr(text: &str) -> Addr {
    Addr::new(text.parse().unwrap())
}

/// The addresses of a link but for link-local ones, which the fake does not have.
pub(crate) fn addrs(net: &impl Net, at: At<'_>, link: &str) -> Vec<String> {
    let texts = net
        .addrs(at, link)
        .unwrap()
        .into_iter()
        .map(|a| a.address.to_string());
    texts.filter(|text| !text.starts_with("fe80:")).collect()
}
