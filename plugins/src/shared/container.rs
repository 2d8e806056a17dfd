//! The container's side of DEL: which link there may be touched.
//!
//! A namespace may be another one by now, at the same path (process numbers and names come back). So a
//! link in it is deleted only if it is known to be the attachment's.

use cni_core::plugin::Del;
use cni_core::spec::{Error, NetnsPath, Success, with_causes};
use cni_net::link::Link;
use cni_net::{At, Links, Namespaces, NetError, Netns};

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

/// Deletes those of `names` in `netns` of which `is_ours` says so.
///
/// # Errors
/// When the kernel refuses.
pub fn del_link<N: Links>(
    net: &N,
    netns: &Netns,
    names: &[&str],
    is_ours: impl Fn(&Link) -> bool,
) -> Result<(), Error> {
    let at = At::Netns(netns);
    for name in names {
        if net.link(at, name)?.is_some_and(|link| is_ours(&link)) {
            net.del_link(at, name)?;
        }
    }
    Ok(())
}

/// Opens the namespace in which `result` says that the container's interface `ifname` is, if its path is not `here`.
///
/// `None` also where that may not be opened, or cannot be a path: a process of somebody else's may have the number of
/// the container's by now, and no DEL may fail until that one ends.
///
/// # Errors
/// When the kernel cannot open it now.
pub fn open_elsewhere<N: Namespaces>(
    net: &N,
    result: Option<&Success>,
    ifname: &str,
    here: Option<&NetnsPath>,
) -> Result<Option<Netns>, Error> {
    let mut interfaces = result.iter().flat_map(|result| &result.interfaces);
    let inside = interfaces.find(|i| i.name == ifname && !i.sandbox.is_empty());
    let path = inside.map(|inside| NetnsPath::new(&inside.sandbox));
    let Some(path) = path.filter(|path| Some(path) != here) else {
        return Ok(None);
    };
    match net.open(&path) {
        Err(error) if error.is_absent() => Ok(None),
        Err(error) if is_refused(&error) => {
            tracing::warn!(error = %with_causes(&error), "go on without the namespace of the result");
            Ok(None)
        }
        opened => Ok(Some(opened?)),
    }
}

fn is_refused(error: &NetError) -> bool {
    use std::io::ErrorKind::{InvalidFilename, InvalidInput, PermissionDenied};
    matches!(error, NetError::Netns { source, .. }
        if [InvalidFilename, InvalidInput, PermissionDenied].contains(&source.kind()))
}

/// Whether `result` tells of `link`, by name and hardware address, as of a container's interface.
pub fn describes(result: Option<&Success>, link: &Link) -> bool {
    let mut inside = result.iter().flat_map(|result| &result.interfaces);
    inside.any(|interface| !interface.sandbox.is_empty() && interface::is(interface, link))
}
