//! Neighbours and the forwarding database: `ip neigh`, `bridge fdb`.

use std::fmt;
use std::net::IpAddr;

use cni_core::spec::Mac;

use crate::link::index;
use crate::socket::{Request, first_refusal, present};
use crate::{At, Kernel, NetError};

mod message;

/// An entry of a vxlan device's or a bridge's forwarding database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fdb {
    /// The address that is looked up; all zeroes for every address not known.
    pub mac: Mac,
    /// The tunnel endpoint that it lies behind: an entry of the vxlan device itself (`self`). Without one
    /// it is an entry of the bridge for that port (`master static`).
    pub dst: Option<IpAddr>,
}

impl Fdb {
    /// Sends what is known nowhere to `dst` as well: `bridge fdb append 00:00:00:00:00:00 … dst DST`.
    pub fn flood(dst: IpAddr) -> Self {
        Self {
            mac: Mac([0; 6]),
            dst: Some(dst),
        }
    }

    /// Says that `mac` lies behind the tunnel endpoint `dst`.
    pub fn remote(mac: Mac, dst: IpAddr) -> Self {
        Self { mac, dst: Some(dst) }
    }

    /// Says that `mac` lies behind the bridge's port.
    pub fn port(mac: Mac) -> Self {
        Self { mac, dst: None }
    }
}

impl fmt::Display for Fdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dst {
            Some(dst) => write!(f, "{} behind {dst}", self.mac),
            None => self.mac.fmt(f),
        }
    }
}

/// Neighbours and the forwarding database: `ip neigh`, `bridge fdb`.
pub trait Neighbours {
    /// `bridge fdb show dev LINK`: the permanent entries.
    ///
    /// # Errors
    /// [`NetError::LinkNotFound`] when there is no such interface.
    fn fdb(&self, at: At<'_>, link: &str) -> Result<Vec<Fdb>, NetError>;

    /// `bridge fdb append … dev LINK` for flood entries, `replace` for others, all in one batch; idempotent.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn ensure_fdb(&self, at: At<'_>, link: &str, entries: &[Fdb]) -> Result<(), NetError>;

    /// `bridge fdb del … dev LINK`; whether it was there. Where an address has other remotes, the kernel
    /// does not tell, and the answer is yes.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn del_fdb(&self, at: At<'_>, link: &str, entry: &Fdb) -> Result<bool, NetError>;

    /// `ip neigh show dev LINK`: those that [`Neighbours::ensure_neighbour`] made.
    ///
    /// # Errors
    /// [`NetError::LinkNotFound`] when there is no such interface.
    fn neighbours(&self, at: At<'_>, link: &str) -> Result<Vec<(IpAddr, Mac)>, NetError>;

    /// `ip neigh replace ADDRESS lladdr MAC nud noarp dev LINK`.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn ensure_neighbour(&self, at: At<'_>, link: &str, address: IpAddr, mac: Mac) -> Result<(), NetError>;

    /// `ip neigh del ADDRESS dev LINK`; whether it was there.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn del_neighbour(&self, at: At<'_>, link: &str, address: IpAddr) -> Result<bool, NetError>;
}

impl Neighbours for Kernel {
    fn fdb(&self, at: At<'_>, link: &str) -> Result<Vec<Fdb>, NetError> {
        let socket = self.route(at)?;
        let index = index(socket, link)?;
        let what = format!("list the forwarding database of {link:?}");
        let replies = socket.dump(&Request::of(what, &message::list_fdb(index)))?;
        let entry = |body: &Vec<u8>| message::read_fdb(body, index);
        Ok(replies.iter().filter_map(entry).collect())
    }

    fn ensure_fdb(&self, at: At<'_>, link: &str, entries: &[Fdb]) -> Result<(), NetError> {
        let socket = self.route(at)?;
        let index = index(socket, link)?;
        let request = |entry: &Fdb| {
            let what = format!("add {entry} to the forwarding database of {link:?}");
            Request::of(what, &message::add_fdb(index, entry))
        };
        let requests: Vec<_> = entries.iter().map(request).collect();
        first_refusal(socket.batch(&requests)?)
    }

    fn del_fdb(&self, at: At<'_>, link: &str, entry: &Fdb) -> Result<bool, NetError> {
        let socket = self.route(at)?;
        let what = format!("delete {entry} from the forwarding database of {link:?}");
        let ask = |index| socket.ask(&Request::of(what, &message::del_fdb(index, entry)));
        present(index(socket, link).and_then(ask))
    }

    fn neighbours(&self, at: At<'_>, link: &str) -> Result<Vec<(IpAddr, Mac)>, NetError> {
        let socket = self.route(at)?;
        let index = index(socket, link)?;
        let what = format!("list the neighbours of {link:?}");
        let replies = socket.dump(&Request::of(what, &message::list_neighbours(index)))?;
        let ours = |body: &Vec<u8>| message::read_neighbour(body, index);
        Ok(replies.iter().filter_map(ours).collect())
    }

    fn ensure_neighbour(&self, at: At<'_>, link: &str, address: IpAddr, mac: Mac) -> Result<(), NetError> {
        let socket = self.route(at)?;
        let index = index(socket, link)?;
        let what = format!("add neighbour {address} at {mac} to {link:?}");
        let request = Request::of(what, &message::add_neighbour(index, address, mac));
        socket.ask(&request).map(drop)
    }

    fn del_neighbour(&self, at: At<'_>, link: &str, address: IpAddr) -> Result<bool, NetError> {
        let socket = self.route(at)?;
        let what = format!("delete neighbour {address} from {link:?}");
        let ask = |index| socket.ask(&Request::of(what, &message::del_neighbour(index, address)));
        present(index(socket, link).and_then(ask))
    }
}
