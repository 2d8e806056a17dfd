//! The format of a cache file: libcni's `cniCacheV1`, and the bare result that came before it.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::base64;
use crate::chain::KeptAttachment;
use crate::spec::{
    AttachmentId, CniArgs, ConfError, ConfList, NetName, NetnsPath, Object, ResultError, Success, Version,
    with_causes,
};

const KIND: &str = "cniCacheV1";

/// A file that was read.
pub(super) struct Cached {
    /// Whose it is; a bare result does not say.
    pub(super) about: Option<(NetName, AttachmentId)>,
    /// The list's bytes at ADD, if they can still be read.
    pub(super) config: Option<Vec<u8>>,
    netns: Option<NetnsPath>,
    args: CniArgs,
    capability_args: Object,
    result: Option<Success>,
}

impl Cached {
    /// Whether it is that attachment's, as far as it says.
    pub(super) fn may_be(&self, network: &NetName, id: &AttachmentId) -> bool {
        let is_theirs = |(n, i): &(NetName, AttachmentId)| n == network && i == id;
        self.about.as_ref().is_none_or(is_theirs)
    }

    /// What is kept of the attachment `id`.
    pub(super) fn into_attachment(self, id: AttachmentId) -> KeptAttachment {
        KeptAttachment {
            id,
            netns: self.netns,
            args: self.args,
            capability_args: self.capability_args,
            result: self.result,
        }
    }
}

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("kind {0:?} is unknown")]
    Kind(String),
    #[error(transparent)]
    Name(#[from] crate::spec::NameError),
    #[error(transparent)]
    Object(#[from] crate::spec::ObjectError),
    #[error(transparent)]
    Result(#[from] ResultError),
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wire {
    kind: String,
    container_id: String,
    config: String,
    if_name: String,
    network_name: String,
    netns: String,
    cni_args: Vec<(String, String)>,
    capability_args: Object,
    result: Option<Box<RawValue>>,
}

/// Reads a file; a result that names no version is taken to be of `version`.
pub(super) fn decode(json: &[u8], version: Version) -> Result<Cached, FileError> {
    let wire: Wire = match Object::from_slice(json)? {
        object if object.get("kind").is_none() => return bare(json, version),
        object => object.parse()?,
    };
    if wire.kind != KIND {
        return Err(FileError::Kind(wire.kind.chars().take(80).collect()));
    }
    let mut args = CniArgs::default();
    for (key, value) in wire.cni_args {
        args.set(&key, value);
    }
    Ok(Cached {
        about: Some((
            wire.network_name.parse()?,
            AttachmentId::new(wire.container_id.parse()?, wire.if_name.parse()?),
        )),
        config: base64::decode(&wire.config),
        netns: (!wire.netns.is_empty()).then(|| NetnsPath::new(wire.netns)),
        args,
        capability_args: wire.capability_args,
        result: wire.result.and_then(|raw| readable(&raw, version)),
    })
}

/// The result, unless it is not one any more: the rest of the file still tells DEL a lot.
fn readable(raw: &RawValue, version: Version) -> Option<Success> {
    Success::decode(version, raw.get().as_bytes())
        .inspect_err(|error| tracing::warn!(error = %with_causes(error), "kept result is unreadable"))
        .ok()
}

fn bare(json: &[u8], version: Version) -> Result<Cached, FileError> {
    Ok(Cached {
        about: None,
        config: None,
        netns: None,
        args: CniArgs::default(),
        capability_args: Object::new(),
        result: Some(Success::decode(version, json)?),
    })
}

/// Writes a file, the result in the list's version.
pub(super) fn encode(list: &ConfList, kept: &KeptAttachment) -> Result<String, EncodeError> {
    let mut out = Object::new();
    out.set("kind", KIND)?;
    out.set("containerId", &kept.id.container)?;
    out.set(
        "config",
        &base64::encode(list.to_object()?.to_string().as_bytes()),
    )?;
    out.set("ifName", &kept.id.ifname)?;
    out.set("networkName", &list.name)?;
    out.set_some("netns", kept.netns.as_ref().map(NetnsPath::as_path))?;
    let args: Vec<(&str, &str)> = kept.args.iter().collect();
    out.set_some("cniArgs", (!args.is_empty()).then_some(args))?;
    let capability_args = &kept.capability_args;
    out.set_some(
        "capabilityArgs",
        (!capability_args.is_empty()).then_some(capability_args),
    )?;
    if let Some(result) = &kept.result {
        out.set_raw("result", result.encode(list.version)?);
    }
    Ok(out.to_string())
}

/// Why an attachment cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum EncodeError {
    #[error(transparent)]
    Conf(#[from] ConfError),
    #[error(transparent)]
    Object(#[from] crate::spec::ObjectError),
    #[error(transparent)]
    Result(#[from] ResultError),
}
