//! The container's side of DEL: which link there may be touched.
//!
//! A namespace may be another one by now, at the same path (process numbers and names come back). So a
//! link in it is deleted only if it is known to be the attachment's.

use cni_core::spec::{Error, Interface, Mac, NetnsPath, Success};
use cni_net::link::Link;
use cni_net::{At, Links, Namespaces, Netns};

/// Opens the namespace of a DEL; `None` when there is none any more.
///
/// # Errors
/// When it is there and cannot be opened.
pub fn open<N: Namespaces>(net: &N, path: Option<&NetnsPath>) -> Result<Option<Netns>, Error> {
    match path.map(|path| net.open(path)) {
        None => Ok(None),
        Some(Err(error)) if error.is_absent() => Ok(None),
        Some(outcome) => Ok(outcome.map(Some)?),
    }
}

/// Deletes those of `names` in the namespace at `path` of which `is_ours` says so.
///
/// # Errors
/// When the namespace cannot be opened though it is there, or the kernel refuses.
pub fn del_link<N: Namespaces + Links>(
    net: &N,
    path: Option<&NetnsPath>,
    names: &[&str],
    is_ours: impl Fn(&Link) -> bool,
) -> Result<(), Error> {
    let Some(netns) = open(net, path)? else {
        return Ok(());
    };
    let at = At::Netns(&netns);
    for name in names {
        if net.link(at, name)?.is_some_and(|link| is_ours(&link)) {
            net.del_link(at, name)?;
        }
    }
    Ok(())
}

/// Whether `result` tells of `link`, by name and hardware address, as of a container's interface.
pub fn describes(result: Option<&Success>, link: &Link) -> bool {
    let is_it = |interface: &Interface| {
        let mac = interface.mac.parse::<Mac>().ok();
        interface.name == link.name && !interface.sandbox.is_empty() && mac.is_some() && mac == link.mac
    };
    result.is_some_and(|result| result.interfaces.iter().any(is_it))
}
