//! Addresses: `ip addr`.

use ipnet::IpNet;

use crate::link::index;
use crate::socket::{Request, first_refusal, present};
use crate::{At, Kernel, NetError};

mod message;

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addr {
    /// The address with its prefix length.
    pub address: IpNet,
    /// Whether duplicate-address detection is left out (`IFA_F_NODAD`, IPv6).
    pub nodad: bool,
    /// Whether duplicate-address detection still runs (`IFA_F_TENTATIVE`); ignored when adding.
    pub tentative: bool,
    /// Whether duplicate-address detection found another (`IFA_F_DADFAILED`); ignored when adding.
    pub dad_failed: bool,
}

impl Addr {
    /// An address that is usable at once.
    pub fn new(address: IpNet) -> Self {
        Self {
            address,
            nodad: true,
            tentative: false,
            dad_failed: false,
        }
    }
}

/// Addresses: `ip addr`.
pub trait Addrs {
    /// `ip addr show dev LINK`.
    ///
    /// # Errors
    /// [`NetError::LinkNotFound`] when there is no such interface.
    fn addrs(&self, at: At<'_>, link: &str) -> Result<Vec<Addr>, NetError>;

    /// `ip addr add … dev LINK`, all in one batch; IPv4 with a broadcast address where the prefix has one.
    ///
    /// # Errors
    /// [`NetError::is_exists`] when the interface has one of them already.
    fn add_addrs(&self, at: At<'_>, link: &str, addrs: &[Addr]) -> Result<(), NetError>;

    /// `ip addr del … dev LINK`; whether it was there.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn del_addr(&self, at: At<'_>, link: &str, address: IpNet) -> Result<bool, NetError>;
}

impl Addrs for Kernel {
    fn addrs(&self, at: At<'_>, link: &str) -> Result<Vec<Addr>, NetError> {
        let socket = self.route(at)?;
        let index = index(socket, link)?;
        let request = Request::of(format!("list the addresses of {link:?}"), &message::list(index));
        let replies = socket.dump(&request)?;
        Ok(replies
            .iter()
            .filter_map(|body| message::read(body, index))
            .collect())
    }

    fn add_addrs(&self, at: At<'_>, link: &str, addrs: &[Addr]) -> Result<(), NetError> {
        let socket = self.route(at)?;
        let index = index(socket, link)?;
        let request = |addr: &Addr| {
            let what = format!("add address {} to {link:?}", addr.address);
            Request::of(what, &message::add(index, addr))
        };
        let requests: Vec<_> = addrs.iter().map(request).collect();
        first_refusal(socket.batch(&requests)?)
    }

    fn del_addr(&self, at: At<'_>, link: &str, address: IpNet) -> Result<bool, NetError> {
        let socket = self.route(at)?;
        let what = format!("delete address {address} from {link:?}");
        let outcome = index(socket, link)
            .and_then(|index| socket.ask(&Request::of(what, &message::del(index, address))));
        present(outcome)
    }
}
