//! A veth pair whose host end is found again without a record: named by a hash, marked by its alias.

use cni_core::spec::{Error, IfName, Success};
use cni_net::link::{Link, LinkKind, NewVeth};
use cni_net::{At, Links, Netns};

use super::{Attachment, SharedError, interface, mark};

/// Makes the pair of `attachment`, the container end in `netns`; `set` says what else it is to have.
///
/// Answers the host end and the container end.
///
/// # Errors
/// When the container has an interface of that name, the attachment exists already (then nothing of it is
/// touched), or the kernel refuses. Nothing has been made then.
pub fn add<N: Links>(
    net: &N,
    attachment: Attachment<'_>,
    netns: &Netns,
    set: impl Fn(&mut NewVeth<'_>),
) -> Result<(Link, Link), Error> {
    let ifname = &attachment.id.ifname;
    for host in attachment.host_names() {
        let mut new = NewVeth::new(netns, ifname.clone(), host.clone());
        set(&mut new);
        new.alias = Some(attachment.mark());
        new.birth_group = mark::birth_group(attachment.network);
        match net.add_veth(&new) {
            Err(error) if error.is_exists() => {}
            outcome => return Ok(outcome?),
        }
        // The kernel does not say which end's name it was.
        if net.link(At::Netns(netns), ifname.as_str())?.is_some() {
            let ifname = ifname.to_string();
            return Err(SharedError::IfnameTaken { ifname }.into());
        }
        if let Some(link) = net.link(At::Host, host.as_str())?
            && attachment.owns(&link)
        {
            return Err(attached(attachment, link.name).into());
        }
    }
    let ifname = ifname.to_string();
    Err(SharedError::NoHostName { ifname }.into())
}

/// The host end of `attachment`, by name and mark. An unfinished one is ours too: the kernel takes the alias
/// only after the pair is there, and whoever made it may have been killed in between.
///
/// # Errors
/// When the kernel refuses.
pub fn find<N: Links>(net: &N, attachment: Attachment<'_>) -> Result<Option<Link>, Error> {
    for host in attachment.host_names() {
        if let Some(link) = ours(net, attachment, &host)? {
            return Ok(Some(link));
        }
    }
    Ok(None)
}

/// Deletes the pair of `attachment` by its host end, and those that killed ADDs left under its other names;
/// whether there was one.
///
/// # Errors
/// When the kernel refuses.
pub fn del<N: Links>(net: &N, attachment: Attachment<'_>) -> Result<bool, Error> {
    let mut found = false;
    for host in attachment.host_names() {
        if let Some(link) = ours(net, attachment, &host)? {
            found |= net.del_link(At::Host, &link.name)?;
        }
    }
    Ok(found)
}

/// Deletes the pair that `result` tells of: the reference plugin's has neither our name nor a mark.
///
/// Its host end is known by the result's name and hardware address; or by name and by having `inner`, the container's
/// interface, for its peer, since udev may have given it another address after ADD. The container's end is not
/// asked for an address: plugins later in the list, and the container, may change that.
///
/// # Errors
/// When the kernel refuses.
pub fn del_told_of<N: Links>(net: &N, result: &Success, inner: Option<&Link>) -> Result<(), Error> {
    let are_peers = |host: &Link, inner: &Link| {
        let each_other = (Some(host.index), Some(inner.index)) == (inner.parent, host.parent);
        each_other && inner.kind == LinkKind::Veth
    };
    for interface in result.interfaces.iter().filter(|i| i.sandbox.is_empty()) {
        let host = net.link(At::Host, &interface.name)?;
        let Some(host) = host.filter(|link| link.kind == LinkKind::Veth) else {
            continue;
        };
        if interface::is(interface, &host) || inner.is_some_and(|inner| are_peers(&host, inner)) {
            net.del_link(At::Host, &host.name)?;
        }
        break;
    }
    Ok(())
}

fn ours<N: Links>(net: &N, attachment: Attachment<'_>, host: &IfName) -> Result<Option<Link>, Error> {
    let link = net.link(At::Host, host.as_str())?;
    Ok(link.filter(|link| attachment.owns(link) || mark::is_unfinished(link, attachment.network)))
}

fn attached(attachment: Attachment<'_>, host: String) -> SharedError {
    SharedError::Attached {
        ifname: attachment.id.ifname.to_string(),
        container: attachment.id.container.to_string(),
        host,
    }
}
