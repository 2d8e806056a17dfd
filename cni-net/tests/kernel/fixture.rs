//! A node and its pods, each a namespace that only this process knows.

use cni_net::link::{Link, NewVeth};
use cni_net::netns::{Anonymous, within};
use cni_net::{At, Kernel, Links, Namespaces, Netns};

/// A namespace that is held open.
pub(crate) struct Place {
    _held: Anonymous,
    pub(crate) netns: Netns,
}

impl Place {
    pub(crate) fn new() -> Self {
        let held = Anonymous::new().unwrap();
        let netns = Kernel::new().open(held.path()).unwrap();
        Self { _held: held, netns }
    }
}

/// A kernel that takes a fresh namespace for the host's.
pub(crate) struct Node {
    pub(crate) kernel: Kernel,
    pub(crate) place: Place,
}

impl Node {
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let kernel = within(&place.netns, Kernel::new).unwrap();
        Self { kernel, place }
    }

    /// The link `name` of the node.
    pub(crate) fn link(&self, name: &str) -> Option<Link> {
        self.kernel.link(At::Host, name).unwrap()
    }

    /// The link `name` of the pod.
    pub(crate) fn link_in(&self, pod: &Place, name: &str) -> Option<Link> {
        self.kernel.link(At::Netns(&pod.netns), name).unwrap()
    }

    /// The names of all links of the node but loopback.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.kernel, At::Host)
    }

    /// The names of all links of the pod but loopback.
    pub(crate) fn names_in(&self, pod: &Place) -> Vec<String> {
        names(&self.kernel, At::Netns(&pod.netns))
    }

    /// A veth pair with nothing special about it.
    pub(crate) fn veth(&self, pod: &Place, container: &str, host: &str) -> (Link, Link) {
        self.kernel.add_veth(&veth(pod, container, host)).unwrap()
    }
}

pub(crate) fn veth<'a>(pod: &'a Place, container: &str, host: &str) -> NewVeth<'a> {
    NewVeth::new(&pod.netns, container.parse().unwrap(), host.parse().unwrap())
}

fn names(kernel: &Kernel, at: At<'_>) -> Vec<String> {
    let links = kernel.links(at).unwrap();
    links
        .into_iter()
        .map(|link| link.name)
        .filter(|name| name != "lo")
        .collect()
}
