//! The kernel of this machine, seen from one network namespace.

use std::io;
use std::sync::Arc;

use cni_core::spec::NetnsPath;

use crate::netns::Place;
use crate::socket::Sockets;
use crate::{At, Namespaces, NetError, Netns, NetnsId};

/// The kernel. Implements every trait of this crate; one is enough for a process, and clones share it.
#[derive(Clone, Debug)]
pub struct Kernel {
    host: Result<Arc<Place>, Arc<NetError>>,
}

impl Kernel {
    /// The kernel, with the calling thread's namespace as the host's. That it could not be reached is the
    /// error of every operation then.
    pub fn new() -> Self {
        let host = Place::here().map(Arc::new).map_err(Arc::new);
        Self { host }
    }

    /// The namespace where `at` is.
    pub(crate) fn place<'a>(&'a self, at: At<'a>) -> Result<&'a Arc<Place>, NetError> {
        match at {
            At::Host => self.host.as_ref().map_err(|error| NetError::Request {
                what: "reach the kernel".to_owned(),
                source: io::Error::other(Arc::clone(error)),
            }),
            At::Netns(netns) => netns.place(),
        }
    }

    /// The sockets for links, addresses, routes and neighbours of `at`.
    pub(crate) fn route<'a>(&'a self, at: At<'a>) -> Result<&'a Sockets, NetError> {
        Ok(self.place(at)?.route())
    }

    /// The sockets for nftables of `at`.
    pub(crate) fn netfilter<'a>(&'a self, at: At<'a>) -> Result<&'a Sockets, NetError> {
        Ok(self.place(at)?.netfilter())
    }
}

impl Default for Kernel {
    fn default() -> Self {
        Self::new()
    }
}

impl Namespaces for Kernel {
    fn open(&self, path: &NetnsPath) -> Result<Netns, NetError> {
        let place = Place::open(path.as_path())?;
        Ok(Netns {
            id: place.id()?,
            path: path.clone(),
            place: Some(Arc::new(place)),
        })
    }

    fn host_id(&self) -> Result<NetnsId, NetError> {
        self.place(At::Host)?.id()
    }
}
