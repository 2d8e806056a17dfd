//! A kernel that fails once.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cni_core::spec::{Mac, NetnsPath};
use ipnet::IpNet;
use rustix::io::Errno;

use super::refused;
use crate::link::{Change, Link, NewBridge, NewMacvlan, NewVeth, NewVxlan, Port};
use crate::neigh::Fdb;
use crate::nft::{Chain, Rule, Transaction};
use crate::route::Route;
use crate::{Addr, Addrs, At, Links, Namespaces, Neighbours, NetError, Netns, NetnsId, Nft, Routes, Sysctl};

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The kernel does what it is asked for, and the answer is lost.
    Lost,
    /// The kernel refuses for want of memory, which any request can meet; nothing is done.
    Refused,
}

/// Hands every call on to another, but for one, which fails. Clones count together.
#[derive(Clone, Debug)]
pub struct Failing<N> {
    net: N,
    calls: Arc<AtomicUsize>,
    nth: usize,
    fault: Fault,
}

impl<N> Failing<N> {
    /// `net` with its call number `nth`, the first being 0, failing by `fault`.
    pub fn new(net: N, nth: usize, fault: Fault) -> Self {
        let calls = Arc::default();
        Self {
            net,
            calls,
            nth,
            fault,
        }
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Whether the call that fails has been made.
    pub fn has_failed(&self) -> bool {
        self.calls() > self.nth
    }

    fn call<T>(&self, what: &str, call: impl FnOnce(&N) -> Result<T, NetError>) -> Result<T, NetError> {
        if self.calls.fetch_add(1, Ordering::Relaxed) != self.nth {
            return call(&self.net);
        }
        let what = format!("{what} (call {})", self.nth);
        match self.fault {
            Fault::Lost => call(&self.net).and(Err(NetError::Timeout { what })),
            Fault::Refused => Err(refused(what, Errno::NOMEM)),
        }
    }
}

/// Hands the methods of a trait on.
macro_rules! hand_on {
    ($trait:ident { $(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $result:ty;)* }) => {
        impl<N: $trait> $trait for Failing<N> {
            $(fn $name(&self $(, $arg: $type)*) -> Result<$result, NetError> {
                self.call(stringify!($name), |net| net.$name($($arg),*))
            })*
        }
    };
}

hand_on!(Namespaces {
    fn open(&self, path: &NetnsPath) -> Netns;
    fn host_id(&self) -> NetnsId;
});

hand_on!(Links {
    fn link(&self, at: At<'_>, name: &str) -> Option<Link>;
    fn link_by_index(&self, at: At<'_>, index: u32) -> Option<Link>;
    fn links(&self, at: At<'_>) -> Vec<Link>;
    fn ensure_bridge(&self, new: &NewBridge) -> Link;
    fn add_veth(&self, new: &NewVeth<'_>) -> (Link, Link);
    fn add_macvlan(&self, new: &NewMacvlan<'_>) -> Link;
    fn add_vxlan(&self, new: &NewVxlan) -> Link;
    fn set_link(&self, at: At<'_>, name: &str, change: &Change) -> ();
    fn set_port(&self, at: At<'_>, name: &str, port: Port) -> ();
    fn del_link(&self, at: At<'_>, name: &str) -> bool;
    fn del_pod_links(&self, netns: &Netns) -> ();
});

hand_on!(Addrs {
    fn addrs(&self, at: At<'_>, link: &str) -> Vec<Addr>;
    fn add_addrs(&self, at: At<'_>, link: &str, addrs: &[Addr]) -> ();
    fn del_addr(&self, at: At<'_>, link: &str, address: IpNet) -> bool;
});

hand_on!(Routes {
    fn routes(&self, at: At<'_>) -> Vec<Route>;
    fn add_routes(&self, at: At<'_>, routes: &[Route]) -> ();
    fn replace_route(&self, at: At<'_>, route: &Route) -> ();
    fn del_route(&self, at: At<'_>, route: &Route) -> bool;
    fn route_to(&self, at: At<'_>, destination: IpAddr) -> Option<Route>;
});

hand_on!(Neighbours {
    fn fdb(&self, at: At<'_>, link: &str) -> Vec<Fdb>;
    fn ensure_fdb(&self, at: At<'_>, link: &str, entries: &[Fdb]) -> ();
    fn del_fdb(&self, at: At<'_>, link: &str, entry: &Fdb) -> bool;
    fn neighbours(&self, at: At<'_>, link: &str) -> Vec<(IpAddr, Mac)>;
    fn ensure_neighbour(&self, at: At<'_>, link: &str, address: IpAddr, mac: Mac) -> ();
    fn del_neighbour(&self, at: At<'_>, link: &str, address: IpAddr) -> bool;
});

hand_on!(Nft {
    fn rules(&self, at: At<'_>, chain: &Chain) -> Vec<Rule>;
    fn apply(&self, at: At<'_>, transaction: &Transaction) -> ();
});

hand_on!(Sysctl {
    fn sysctl(&self, at: At<'_>, key: &str) -> String;
    fn set_sysctls(&self, at: At<'_>, values: &[(String, String)]) -> ();
});
