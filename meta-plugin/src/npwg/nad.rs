//! NetworkAttachmentDefinitions, and how one becomes a CNI configuration (specification, 3.4).

use cni_core::spec::{ConfError, ConfList, Object, ObjectError};
use serde_json::Value;

use super::RESOURCE_NAME;
use super::manifest::{self, Manifest, ManifestError};
use super::names::{DnsError, NadName, NadRef, Namespace};

/// The kind of the objects that are NetworkAttachmentDefinitions.
pub const KIND: &str = "NetworkAttachmentDefinition";

/// A NetworkAttachmentDefinition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nad {
    /// Its namespace and name.
    pub reference: NadRef,
    /// `spec.config`; empty text counts as none.
    pub config: Option<String>,
    /// The device plugin's resource that its annotation names.
    pub resource_name: Option<String>,
}

/// A NetworkAttachmentDefinition that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NadError {
    /// `spec.config` is not a CNI configuration.
    #[error("spec.config")]
    Conf(#[from] ConfError),
    /// `spec.config` is not text.
    #[error("spec.config is not text, but {0}")]
    ConfigType(&'static str),
    /// `spec.config` is not a JSON object.
    #[error("spec.config")]
    Json(#[from] ObjectError),
    /// `metadata.name` or `metadata.namespace` is missing or bad.
    #[error("metadata")]
    Name(#[from] DnsError),
}

impl Nad {
    /// The definition `reference` with `config` as its `spec.config`.
    pub fn new(reference: NadRef, config: Option<String>) -> Self {
        let config = config.filter(|text| !text.trim().is_empty());
        Self {
            reference,
            config,
            resource_name: None,
        }
    }

    /// The configuration in `spec.config`, or `None` where there is none and one on disk of the name of the
    /// definition is meant. A configuration without a name gets the name of the definition.
    ///
    /// # Errors
    /// When `spec.config` is there and is not a configuration; then no file is looked for.
    pub fn inline(&self) -> Result<Option<ConfList>, NadError> {
        let Some(config) = &self.config else {
            return Ok(None);
        };
        let mut object = Object::from_slice(config.as_bytes())?;
        if object
            .parse_key::<String>("name")?
            .is_none_or(|name| name.is_empty())
        {
            object.set("name", self.reference.name.as_str())?;
        }
        let list = if object.get("plugins").is_some() {
            ConfList::from_object(object)
        } else {
            ConfList::from_plugin_object(object)
        };
        Ok(Some(list?))
    }
}

/// Reads the definitions in `text`, YAML or JSON; objects of other kinds are passed over.
///
/// # Errors
/// When `text` is not Kubernetes objects. A definition that is bad in itself hides no other.
pub fn parse(text: &[u8]) -> Result<Vec<Result<Nad, NadError>>, ManifestError> {
    let manifests = manifest::parse(text)?.into_iter();
    let definitions = manifests.filter(|manifest| manifest.kind == KIND);
    Ok(definitions.map(Nad::try_from).collect())
}

impl TryFrom<Manifest> for Nad {
    type Error = NadError;

    fn try_from(manifest: Manifest) -> Result<Self, NadError> {
        let metadata = manifest.metadata;
        let namespace = metadata.namespace.filter(|text| !text.is_empty());
        let reference = NadRef {
            namespace: namespace
                .map(Namespace::try_from)
                .transpose()?
                .unwrap_or_default(),
            name: NadName::try_from(metadata.name.unwrap_or_default())?,
        };
        let config = match manifest.spec.get("config") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => return Err(NadError::ConfigType(kind_of(other))),
        };
        let mut nad = Self::new(reference, config);
        nad.resource_name = metadata.annotations.unwrap_or_default().remove(RESOURCE_NAME);
        Ok(nad)
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
        _ => "another scalar",
    }
}

#[cfg(test)]
mod tests;
