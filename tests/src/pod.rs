//! A pod: a network namespace without a name, seen through the kernel layer.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicU32, Ordering};

use cni_core::spec::NetnsPath;
use cni_net::link::Link;
use cni_net::netns::Anonymous;
use cni_net::{Addrs, At, Kernel, Links, Namespaces, Netns, Routes};
use tempfile::TempDir;

/// A namespace that lives as long as this value.
pub struct Pod {
    path: String,
    // Dropped before the namespace: the path ends first.
    _place: TempDir,
    netns: Netns,
    _namespace: Anonymous,
}

impl Pod {
    /// A new namespace with nothing but a loopback that is down.
    ///
    /// # Panics
    /// When the kernel makes none: this needs root or a user namespace.
    #[expect(clippy::new_without_default, reason = "it makes something in the kernel")]
    pub fn new() -> Self {
        let namespace = Anonymous::new().unwrap();
        // The namespace's own path ends with the number of a descriptor, which another test's pod has a moment
        // after this one is gone; a link's name comes once.
        let place = tempfile::tempdir().unwrap();
        // Runtimes name containers after it.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pod-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let path = place.path().join(name);
        symlink(namespace.path().as_path(), &path).unwrap();
        let path = path.display().to_string();
        let netns = kernel().open(&NetnsPath::new(&path)).unwrap();
        Self {
            path,
            _place: place,
            netns,
            _namespace: namespace,
        }
    }

    /// Where the namespace is, for other processes too while this value lives.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The names of its interfaces, in the kernel's order.
    ///
    /// # Panics
    /// When the kernel does not tell.
    pub fn links(&self) -> Vec<String> {
        let links = kernel().links(At::Netns(&self.netns)).unwrap();
        links.into_iter().map(|link| link.name).collect()
    }

    /// Whether the interface is there and up.
    ///
    /// # Panics
    /// When the kernel does not tell.
    pub fn is_up(&self, link: &str) -> bool {
        kernel()
            .link(At::Netns(&self.netns), link)
            .unwrap()
            .is_some_and(|link| link.up)
    }

    /// The interface's hardware address.
    ///
    /// # Panics
    /// When there is no such interface.
    pub fn mac(&self, link: &str) -> String {
        self.link(link).mac.unwrap().to_string()
    }

    /// The interface.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn link(&self, link: &str) -> Link {
        kernel().link(At::Netns(&self.netns), link).unwrap().unwrap()
    }

    /// Deletes an interface behind everybody's back.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn delete(&self, link: &str) {
        kernel().del_link(At::Netns(&self.netns), link).unwrap();
    }

    /// The default routes, each as gateway and interface.
    ///
    /// # Panics
    /// When the kernel does not tell.
    pub fn default_gateways(&self) -> Vec<String> {
        let routes = kernel().routes(At::Netns(&self.netns)).unwrap().into_iter();
        let default = routes.filter(|route| route.dst.prefix_len() == 0 && route.gw.is_some());
        default
            .map(|route| format!("{} {}", route.gw.unwrap(), route.dev.unwrap_or_default()))
            .collect()
    }

    /// The addresses of an interface but for link-local ones, IPv4 first.
    ///
    /// # Panics
    /// When there is no such interface.
    pub fn addresses(&self, link: &str) -> Vec<String> {
        let mut addresses = kernel().addrs(At::Netns(&self.netns), link).unwrap();
        addresses.sort_by_key(|addr| addr.address);
        let local = |addr: &cni_net::Addr| match addr.address {
            ipnet::IpNet::V6(net) => net.addr().is_unicast_link_local(),
            ipnet::IpNet::V4(_) => false,
        };
        addresses
            .iter()
            .filter(|addr| !local(addr))
            .map(|addr| addr.address.to_string())
            .collect()
    }
}

fn kernel() -> Kernel {
    Kernel::new()
}
