//! The container's side of DEL: which link there may be touched.
//!
//! A namespace may be another one by now, at the same path (process numbers and names come back). So a
//! link in it is deleted only if it is known to be the attachment's.

use cni_core::plugin::Del;
use cni_core::spec::{Error, NetnsPath, Success};
use cni_net::link::Link;
use cni_net::{At, Links, Namespaces, Netns};

use super::interface;

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

/// The container's interface at a DEL; `None` when it or the namespace is gone.
///
/// # Errors
/// As [`open`], and when the kernel refuses.
pub fn link<N: Namespaces + Links, C>(net: &N, request: &Del<'_, C>) -> Result<Option<Link>, Error> {
    let Some(netns) = open(net, request.netns.as_ref())? else {
        return Ok(None);
    };
    Ok(net.link(At::Netns(&netns), request.id.ifname.as_str())?)
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

/// The namespace in which `result` says that the container's interface `ifname` is.
pub fn place(result: Option<&Success>, ifname: &str) -> Option<NetnsPath> {
    let mut interfaces = result.iter().flat_map(|result| &result.interfaces);
    let inside = interfaces.find(|i| i.name == ifname && !i.sandbox.is_empty())?;
    Some(NetnsPath::new(&inside.sandbox))
}

/// Whether `result` tells of `link`, by name and hardware address, as of a container's interface.
pub fn describes(result: Option<&Success>, link: &Link) -> bool {
    let mut inside = result.iter().flat_map(|result| &result.interfaces);
    inside.any(|interface| !interface.sandbox.is_empty() && interface::is(interface, link))
}
