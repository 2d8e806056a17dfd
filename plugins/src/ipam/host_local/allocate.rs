//! Which addresses an ADD gets: decided for all sets before the first file is written.

use std::net::IpAddr;

use cni_core::spec::{AttachmentId, Code, Error, IpConfig, with_causes};
use ipnet::IpNet;

use super::range::{Range, RangeSet};
use super::settings::Settings;
use super::store::{Store, StoreError};

/// Why no address was given.
#[derive(Debug, thiserror::Error)]
pub(super) enum AllocateError {
    #[error(
        "failed to allocate for range {set}: {ip} has been allocated to {container}, \
         duplicate allocation is not allowed"
    )]
    Duplicate {
        set: usize,
        ip: IpAddr,
        container: String,
    },
    #[error("failed to allocate for range {set}: no IP addresses available in range set: {ranges}")]
    Exhausted { set: usize, ranges: String },
    #[error("failed to allocate for range {set}: requested ip {ip} is subnet's gateway")]
    Gateway { set: usize, ip: IpAddr },
    #[error(
        "failed to allocate for range {set}: requested IP address {ip} is not available in range set {ranges}"
    )]
    Taken { set: usize, ip: IpAddr, ranges: String },
    #[error("failed to allocate all requested IPs: {0}")]
    Leftover(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AllocateError> for Error {
    fn from(error: AllocateError) -> Self {
        let code = match error {
            AllocateError::Store(error) => return error.into(),
            AllocateError::Exhausted { .. } => Code(140),
            AllocateError::Gateway { .. } | AllocateError::Taken { .. } | AllocateError::Leftover(_) => {
                Code(141)
            }
            AllocateError::Duplicate { .. } => Code(142),
        };
        Self::from_source(code, &error)
    }
}

/// Reserves one address of each set for `id`: all of them, or none.
pub(super) fn allocate(
    settings: &Settings,
    store: &mut Store,
    id: &AttachmentId,
) -> Result<Vec<IpConfig>, AllocateError> {
    for (number, set) in settings.sets.iter().enumerate() {
        refuse_duplicate(number, set, store, id)?;
    }
    let wanted = wanted(settings)?;
    let mut made = Vec::new();
    for (number, (set, wanted)) in settings.sets.iter().zip(wanted).enumerate() {
        match reserve(number, set, wanted, store, id) {
            Ok((ip, range)) => made.push((ip, range)),
            Err(error) => {
                release(store, made.into_iter().map(|(ip, _)| ip));
                return Err(error);
            }
        }
    }
    Ok(made.into_iter().map(|(ip, range)| config(ip, range)).collect())
}

/// Takes back what a failed ADD reserved.
pub(super) fn release(store: &mut Store, addresses: impl Iterator<Item = IpAddr>) {
    for ip in addresses {
        // The error that led here is the one to report; DEL and GC find what is left.
        if let Err(error) = store.release(ip) {
            tracing::warn!(%ip, error = %with_causes(&error), "release");
        }
    }
}

/// The first address that set number `number` could give out.
pub(super) fn free<'a>(
    number: usize,
    set: &'a RangeSet,
    store: &Store,
) -> Result<(IpAddr, &'a Range), AllocateError> {
    // Each candidate that is passed over has a file, so that even a range of 2¹²⁸ ends soon.
    let mut ring = set.ring(store.last_reserved(number));
    ring.find(|(ip, _)| !store.owners().contains_key(ip))
        .ok_or_else(|| AllocateError::Exhausted {
            set: number,
            ranges: set.to_string(),
        })
}

fn refuse_duplicate(
    number: usize,
    set: &RangeSet,
    store: &Store,
    id: &AttachmentId,
) -> Result<(), AllocateError> {
    let held = store.addresses(|owner| owner.is(id) || owner.is_container_of(id));
    match held.into_iter().find(|ip| set.range_of(*ip).is_some()) {
        None => Ok(()),
        Some(ip) => Err(AllocateError::Duplicate {
            set: number,
            ip,
            container: id.container.to_string(),
        }),
    }
}

/// The requested address of each set, if there is one.
fn wanted(settings: &Settings) -> Result<Vec<Option<IpAddr>>, AllocateError> {
    let mut left = settings.requested.clone();
    let mut take = |set: &RangeSet| {
        let at = left.iter().position(|ip| set.range_of(*ip).is_some())?;
        Some(left.remove(at))
    };
    let wanted = settings.sets.iter().map(&mut take).collect();
    if left.is_empty() {
        return Ok(wanted);
    }
    let left: Vec<_> = left.iter().map(ToString::to_string).collect();
    Err(AllocateError::Leftover(left.join(" ")))
}

fn reserve<'a>(
    number: usize,
    set: &'a RangeSet,
    wanted: Option<IpAddr>,
    store: &mut Store,
    id: &AttachmentId,
) -> Result<(IpAddr, &'a Range), AllocateError> {
    if let Some((ip, range)) = wanted.and_then(|ip| Some((ip, set.range_of(ip)?))) {
        if ip == range.gateway {
            return Err(AllocateError::Gateway { set: number, ip });
        }
        if store.owners().contains_key(&ip) || !store.reserve(ip, id, number)? {
            let ranges = set.to_string();
            return Err(AllocateError::Taken {
                set: number,
                ip,
                ranges,
            });
        }
        return Ok((ip, range));
    }
    loop {
        let (ip, range) = free(number, set, store)?;
        if store.reserve(ip, id, number)? {
            return Ok((ip, range));
        }
    }
}

fn config(ip: IpAddr, range: &Range) -> IpConfig {
    let length = range.subnet.prefix_len();
    // The length is that of a network of the same family, so that it fits.
    let address = IpNet::new(ip, length).unwrap_or_else(|_| IpNet::from(ip));
    let mut config = IpConfig::new(address);
    config.gateway = Some(range.gateway);
    config
}
