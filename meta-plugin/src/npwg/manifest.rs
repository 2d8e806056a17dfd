//! Kubernetes objects in files: YAML or JSON, one or several documents, lists of objects included.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One object, as far as this crate looks into it.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    #[serde(default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) metadata: Metadata,
    #[serde(default)]
    pub(crate) spec: Value,
    #[serde(default)]
    items: Vec<Value>,
}

impl Manifest {
    /// The annotations of the pods that the object makes, if it makes any: a Deployment, say.
    pub(crate) fn template(&self) -> Option<BTreeMap<String, String>> {
        let metadata = self.spec.get("template")?.get("metadata")?;
        let metadata = Metadata::deserialize(metadata).ok()?;
        Some(metadata.annotations.unwrap_or_default())
    }
}

/// An object's `metadata`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    #[serde(default)]
    pub(crate) uid: Option<String>,
    #[serde(default)]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

/// Text that is not Kubernetes objects. Documents are counted from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not JSON.
    #[error("decode JSON")]
    Json(#[source] serde_json::Error),
    /// A document, or an item of a list, that is not a mapping.
    #[error("object {0} is not a mapping")]
    NotAMapping(usize),
    /// A document, or an item of a list, that is not a Kubernetes object.
    #[error("object {0}")]
    Object(usize, #[source] serde_json::Error),
    /// Not UTF-8.
    #[error("decode text")]
    Text(#[source] std::str::Utf8Error),
    /// Not YAML.
    #[error("decode YAML")]
    Yaml(#[source] Box<serde_saphyr::Error>),
}

/// Reads every object of `text`; empty documents are passed over.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<Manifest>, ManifestError> {
    let text = std::str::from_utf8(text).map_err(ManifestError::Text)?;
    let mut manifests = Vec::new();
    for document in documents(text)? {
        let at = manifests.len() + 1;
        let manifest = object(at, document)?;
        if manifest.kind.ends_with("List") {
            for (at, item) in (at..).zip(manifest.items) {
                manifests.push(object(at, item)?);
            }
        } else {
            manifests.push(manifest);
        }
    }
    Ok(manifests)
}

fn object(at: usize, value: Value) -> Result<Manifest, ManifestError> {
    if value.is_object() {
        Manifest::deserialize(value).map_err(|e| ManifestError::Object(at, e))
    } else {
        Err(ManifestError::NotAMapping(at))
    }
}

/// JSON is read as JSON, though YAML nearly contains it: YAML refuses tabs.
fn documents(text: &str) -> Result<Vec<Value>, ManifestError> {
    if text.trim_start().starts_with('{') {
        let stream = serde_json::Deserializer::from_str(text).into_iter();
        stream.collect::<Result<_, _>>().map_err(ManifestError::Json)
    } else {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        serde_saphyr::from_multiple_with_options(text, options).map_err(|e| ManifestError::Yaml(Box::new(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let got = parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let names = got
            .iter()
            .map(|m| (m.kind.as_str(), m.metadata.name.as_deref().unwrap_or("")));
        assert_eq!(names.collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn every_document_and_every_item_is_an_object() {
        check("", &[]);
        check("---\n---\n# nothing\n", &[]);
        check(
            "kind: A\nmetadata: {name: x}\n---\nkind: B\nmetadata:\n  name: y\n",
            &[("A", "x"), ("B", "y")],
        );
        check("{\"kind\":\t\"A\"}\n{\"kind\":\"B\"}", &[("A", ""), ("B", "")]);
        check(
            "kind: NadList\nitems:\n- kind: A\n- {kind: B, metadata: {name: z}}\n",
            &[("A", ""), ("B", "z")],
        );
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for bad in [
            "a",
            "- a",
            "kind: [",
            "{",
            "metadata: 1",
            "metadata: {annotations: {a: {}}}",
            "\u{0}",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(matches!(parse(b"a: \xff"), Err(ManifestError::Text(_))));
    }

    #[test]
    fn nested_aliases_do_not_explode() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..20 {
            let list = vec![format!("*a{}", n - 1); 9].join(",");
            bomb += &format!("a{n}: &a{n} [{list}]\n");
        }
        assert!(parse(bomb.as_bytes()).is_err());
    }
}
