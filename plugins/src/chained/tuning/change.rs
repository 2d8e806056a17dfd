//! Changing the kernel, and putting things back.

use std::io::ErrorKind;

use cni_core::plugin::{Del, Rollback};
use cni_core::spec::{Error, with_causes};
use cni_net::link::{Change, Link, LinkKind};
use cni_net::{At, NetError, Netns};

use super::Net;
use super::attributes::Attributes;
use super::backup::{Backup, Saved};
use super::config::{Config, Parameter, Settings};
use super::error::TuningError;
use crate::shared::{Attachment, container};

/// Whether the parameter is one that can only be written: `route/flush` for instance.
pub(super) fn is_unreadable(error: &NetError) -> bool {
    matches!(error, NetError::Request { source, .. } if source.kind() == ErrorKind::PermissionDenied)
}

/// Sets `parameters` in order.
pub(super) fn parameters<'a, N: Net>(
    net: &'a N,
    at: At<'a>,
    parameters: &[Parameter],
    rollback: &mut Rollback<'a>,
) -> Result<(), Error> {
    let mut before = Vec::new();
    for Parameter { path, .. } in parameters {
        match net.sysctl(at, path) {
            Err(error) if is_unreadable(&error) => {}
            value => before.push((path.clone(), value?)),
        }
    }
    rollback.on_failure("sysctl", move || {
        let each = before.iter().rev().map(std::slice::from_ref);
        first_failure(each.map(|pair| net.set_sysctls(at, pair)))
    });
    let pairs: Vec<_> = parameters
        .iter()
        .map(|p| (p.path.clone(), p.value.clone()))
        .collect();
    Ok(net.set_sysctls(at, &pairs)?)
}

/// Sets `wanted`, and keeps the values from before in `backup` first.
pub(super) fn attributes<'a, N: Net>(
    net: &'a N,
    netns: &'a Netns,
    wanted: &Attributes,
    backup: &'a Backup<'a>,
    rollback: &mut Rollback<'a>,
) -> Result<(), Error> {
    let (at, ifname) = (At::Netns(netns), backup.id.ifname.as_str());
    let link = net.link(at, ifname)?;
    let link = link.ok_or_else(|| NetError::LinkNotFound {
        name: ifname.to_owned(),
    })?;
    let before = wanted.of(&link);
    if backup.keep(netns.id(), before.clone())? {
        rollback.on_failure("backup", move || Ok(backup.remove()?));
    }
    rollback.on_failure("interface", move || {
        let changes = before.changes();
        first_failure(changes.iter().map(|(_, change)| net.set_link(at, ifname, change)))
    });
    for (what, change) in wanted.changes() {
        let set = net.set_link(at, ifname, &change);
        set.map_err(|source| match source {
            // Runtimes look for the text of this one.
            NetError::LinkNotFound { .. } => Error::from(source),
            source => {
                let ifname = ifname.to_owned();
                TuningError::Attribute { what, ifname, source }.into()
            }
        })?;
    }
    Ok(())
}

/// Runs all of `steps`, and keeps the first failure.
fn first_failure(steps: impl Iterator<Item = Result<(), NetError>>) -> Result<(), Error> {
    let outcomes: Vec<_> = steps.collect();
    Ok(outcomes.into_iter().collect::<Result<(), _>>()?)
}

/// Gives the attachment's interface its earlier values, as far as it is there.
pub(super) fn restore<N: Net>(
    net: &N,
    netns: &Netns,
    request: &Del<'_, Config>,
    saved: &Saved,
) -> Result<(), Error> {
    let (at, ifname) = (At::Netns(netns), request.id.ifname.as_str());
    let mut changes = saved.attributes.changes();
    match net.link(at, ifname)? {
        Some(link) if is_attachments(netns, request, saved, &link) => mark(request, &link, &mut changes),
        _ => return Ok(()),
    }
    first_failure(
        changes
            .iter()
            .map(|(what, change)| match net.set_link(at, ifname, change) {
                Err(error) if error.is_absent() => Ok(()),
                Err(error) if is_final(&error) => {
                    tracing::warn!(what, error = %with_causes(&error), "restore an interface");
                    Ok(())
                }
                set => set,
            }),
    )
}

/// Has the change that takes its hardware address from a macvlan device give it the attachment's mark.
///
/// Of one that the reference made nothing but that address in the result says whose it is, and `macvlan` comes
/// after us.
fn mark(request: &Del<'_, Config>, link: &Link, changes: &mut [(String, Change)]) {
    let is_macvlan = matches!(link.kind, LinkKind::Macvlan { .. });
    if !is_macvlan || link.alias.is_some() || !container::describes(request.prev.as_ref(), link) {
        return;
    }
    let mark = Attachment::new(&request.env.network, &request.id).mark();
    for (_, change) in changes.iter_mut().filter(|(_, change)| change.mac.is_some()) {
        change.alias = Some(mark.clone());
    }
}

/// Whether the kernel will refuse as often as it is asked: a macvlan device's MTU whose master has a smaller
/// one by now. The interface goes next, so a DEL that failed for that, again and again, would do no good.
fn is_final(error: &NetError) -> bool {
    let NetError::Request { source, .. } = error else {
        return false;
    };
    matches!(
        source.kind(),
        ErrorKind::AddrInUse
            | ErrorKind::AddrNotAvailable
            | ErrorKind::InvalidInput
            | ErrorKind::ResourceBusy
            | ErrorKind::Unsupported
    )
}

/// Whether `link` is the interface that ADD changed: the path of a namespace may have come to name another,
/// with an interface of that name.
///
/// Files of the reference do not say in which namespace it was. Then the result of ADD tells, or where the
/// runtime gave none, as before version 0.4.0, that the interface has what the configuration asks for.
fn is_attachments(netns: &Netns, request: &Del<'_, Config>, saved: &Saved, link: &Link) -> bool {
    if let Some(owner) = &saved.owner {
        return owner.is_in(netns.id());
    }
    if request.prev.is_some() {
        return container::describes(request.prev.as_ref(), link);
    }
    let settings = Settings::new(&request.config, &request.env.args, &request.id.ifname);
    settings.is_ok_and(|settings| settings.attributes.difference(link).is_none())
}
