//! A kernel made of values: for tests that need neither root nor a kernel.
//!
//! [`FakeNet`] implements every trait of this crate and keeps state as the kernel does: names clash, a link
//! takes its peer, its addresses and its routes along, a refused nftables transaction changes nothing. The
//! contract tests of this crate run on it and on the kernel alike; where the two differ, the fake is wrong.
//! [`Failing`] wraps it, or the kernel, and has one call fail.
//!
//! What no plugin relies on is not there: link-local addresses, multicast routes, policy routing, secondary
//! addresses that go with their first, and most kernel parameters. The kernel's delays are not there either:
//! detection of duplicate addresses is over at once, and a link has carrier as soon as both ends are up.
//!
//! ```
//! use cni_net::fake::FakeNet;
//! use cni_net::link::NewVeth;
//! use cni_net::Links;
//!
//! let net = FakeNet::new();
//! let pod = net.add_netns("/ns");
//! net.add_veth(&NewVeth::new(&pod, "eth0".parse()?, "veth0".parse()?))?;
//! assert_eq!(net.state(), ["/ns/eth0", "host/veth0"]);
//! net.del_netns("/ns");
//! assert!(net.state().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Testing a plugin
//!
//! A plugin that is generic over the traits it uses runs on [`Kernel`](crate::Kernel) in its `main`, and on the
//! fake in its tests. Threads may share a plugin, so its parts have to be `Send` and `Sync`.
//!
//! ```
//! use cni_core::plugin::{Add, Check, Del, Plugin, Rollback};
//! use cni_core::spec::{Error, IfName, Success};
//! use cni_core::testkit::{Invocation, Outcome};
//! use cni_net::fake::{Failing, FakeNet, Fault};
//! use cni_net::link::{Change, NewVeth};
//! use cni_net::{At, Links, Namespaces};
//!
//! struct Cable<N> {
//!     net: N,
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct Config {
//!     host: IfName,
//! }
//!
//! impl<N: Links + Namespaces + Send + Sync> Plugin for Cable<N> {
//!     type Config = Config;
//!     const NAME: &'static str = "cable";
//!
//!     fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
//!         let (net, host) = (&self.net, &request.config.host);
//!         let pod = net.open(&request.netns)?;
//!         let (_, inside) = net.add_veth(&NewVeth::new(&pod, request.id.ifname, host.clone()))?;
//!         let mut rollback = Rollback::default();
//!         rollback.on_failure("veth", || Ok(net.del_link(At::Host, host.as_str()).map(drop)?));
//!         net.set_link(At::Host, host.as_str(), &Change::up())?;
//!         net.set_link(At::Netns(&pod), &inside.name, &Change::up())?;
//!         rollback.commit();
//!         Ok(Success::new())
//!     }
//!
//!     fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
//!         Ok(self.net.del_link(At::Host, request.config.host.as_str()).map(drop)?)
//!     }
//!
//!     fn check(&self, _: Check<'_, Config>) -> Result<(), Error> {
//!         Ok(())
//!     }
//! }
//!
//! fn call(verb: &str, net: impl Links + Namespaces + Send + Sync) -> Outcome {
//!     let call = Invocation::new(verb).with_env("CNI_NETNS", "/ns");
//!     call.run(&Cable { net }, r#"{ "cniVersion": "1.1.0", "name": "n", "host": "cable0" }"#)
//! }
//!
//! // What exists afterwards is asserted, not what was called.
//! let net = FakeNet::new();
//! net.add_netns("/ns");
//! call("ADD", net.clone()).result().unwrap();
//! assert_eq!(net.state(), ["/ns/eth0", "host/cable0"]);
//! for _ in 0..2 {
//!     call("DEL", net.clone()).done().unwrap();
//!     assert!(net.state().is_empty());
//! }
//!
//! // Whichever step of ADD is refused, nothing is left. The loop ends when no step is left to be refused.
//! for step in 0.. {
//!     let failing = Failing::new(net.clone(), step, Fault::Refused);
//!     if call("ADD", failing).result().is_ok() {
//!         assert_eq!(step, 4, "ADD asks the kernel four times");
//!         break;
//!     }
//!     assert!(net.state().is_empty(), "step {step} left {net}");
//! }
//! ```
//!
//! [`Fault::Lost`] is harder: the kernel did what it was asked for and ADD learns nothing of it. After such a
//! failure a DEL has to leave nothing.

mod addrs;
mod failing;
mod links;
mod make;
mod neighbours;
mod nft;
mod routes;
mod show;
mod sysctl;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cni_core::spec::NetnsPath;
use rustix::io::Errno;

pub use failing::{Failing, Fault};
use world::{Space, World};

use crate::{At, Namespaces, NetError, Netns, NetnsId};

/// A machine whose kernel is made of values. Clones share it.
#[derive(Clone, Debug)]
pub struct FakeNet {
    world: Arc<Mutex<World>>,
    /// The namespace that is the host's.
    host: u64,
}

impl FakeNet {
    /// A machine with one namespace, the host's, in which there is a loopback interface that is down.
    pub fn new() -> Self {
        let (mut world, host) = (World::default(), cookie());
        world.spaces.insert(host, Space::new("host"));
        let world = Arc::new(Mutex::new(world));
        Self { world, host }
    }

    /// `ip netns add`: a fresh namespace that is opened by `path`; one that is there is opened as it is.
    pub fn add_netns(&self, path: &str) -> Netns {
        let mut world = self.world();
        let cookie = world.named(path).unwrap_or_else(|| {
            let cookie = cookie();
            world.spaces.insert(cookie, Space::new(path));
            cookie
        });
        netns(NetnsPath::new(path), cookie)
    }

    /// `ip netns del`, at once and whoever holds it: its links go, and with them their other ends. Whether
    /// it was there.
    pub fn del_netns(&self, path: &str) -> bool {
        let mut world = self.world();
        let Some(cookie) = world.named(path) else {
            return false;
        };
        for index in world.indices(cookie) {
            world.remove((cookie, index));
        }
        world.spaces.remove(&cookie).is_some()
    }

    /// The machine as a program in `netns` sees it: there, that is the host's namespace.
    pub fn within(&self, netns: &Netns) -> Self {
        let (world, host) = (Arc::clone(&self.world), netns.id.cookie);
        Self { world, host }
    }

    /// Another program on the host takes the UDP port.
    pub fn bind_udp(&self, port: u16) {
        if let Some(host) = self.world().spaces.get_mut(&self.host) {
            host.udp_ports.insert(port);
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // What a panic of another thread left is still good for a message about it.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world, and the namespace where `at` is.
    fn at(&self, at: At<'_>) -> Result<(MutexGuard<'_, World>, u64), NetError> {
        let (path, cookie) = match at {
            At::Host => (None, self.host),
            At::Netns(netns) => (Some(&netns.path), netns.id.cookie),
        };
        let world = self.world();
        if world.spaces.contains_key(&cookie) {
            return Ok((world, cookie));
        }
        Err(NetError::NetnsGone {
            path: path.map(|path| path.as_path().to_owned()).unwrap_or_default(),
            why: "it has been deleted",
        })
    }
}

impl Default for FakeNet {
    fn default() -> Self {
        Self::new()
    }
}

impl Namespaces for FakeNet {
    fn open(&self, path: &NetnsPath) -> Result<Netns, NetError> {
        let found = self.world().named(&path.to_string());
        found
            .map(|cookie| netns(path.clone(), cookie))
            .ok_or_else(|| NetError::NetnsGone {
                path: path.as_path().to_owned(),
                why: "no such file or directory",
            })
    }

    fn host_id(&self) -> Result<NetnsId, NetError> {
        Ok(id(self.host))
    }
}

/// A number that no namespace of any machine has had.
fn cookie() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn id(cookie: u64) -> NetnsId {
    let boot = "fake".to_owned();
    NetnsId { boot, cookie }
}

fn netns(path: NetnsPath, cookie: u64) -> Netns {
    let (id, place) = (id(cookie), None);
    Netns { id, path, place }
}

fn refused(what: impl Into<String>, errno: Errno) -> NetError {
    NetError::refused(what, errno.raw_os_error(), None)
}

fn refused_because(what: impl Into<String>, errno: Errno, text: &str) -> NetError {
    NetError::refused(what, errno.raw_os_error(), Some(text.to_owned()))
}

fn not_found(name: &str) -> NetError {
    let name = name.to_owned();
    NetError::LinkNotFound { name }
}
