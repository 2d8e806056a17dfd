//! One element of the JSON form (specification, 4.1.2).

use std::str::FromStr;

use cni_core::spec::Object;
use serde::de::DeserializeOwned;

use super::values;
use super::{NetworkSelection, SelectionError, ValueError};
use crate::npwg::{NadRef, Namespace};

/// Reads element number `at`.
pub(super) fn parse(
    at: usize,
    object: &Object,
    namespace: &Namespace,
) -> Result<NetworkSelection, SelectionError> {
    let element = Element { at, object };
    let name = element
        .text("name")?
        .ok_or_else(|| element.error("name", ValueError::Rule("it is missing")))?;
    let mut selection = NetworkSelection::new(NadRef {
        namespace: element.text("namespace")?.unwrap_or_else(|| namespace.clone()),
        name,
    });
    let older = element.text("interfaceRequest")?;
    selection.interface = element.text("interface")?.or(older);
    selection.mac = element.text("mac")?;
    selection.infiniband_guid = element.text("infiniband-guid")?;
    selection.ipam_claim = element.text("ipam-claim-reference")?;
    selection.device_id = element.typed::<String>("deviceID")?.filter(|id| !id.is_empty());
    selection.ips = element.texts("ips")?.unwrap_or_default();
    selection.default_route = element
        .texts::<values::Gateway>("default-route")?
        .map(|list| list.into_iter().map(|gateway| gateway.0).collect());
    selection.cni_args = element.typed("cni-args")?;
    selection.port_mappings = element
        .ruled("portMappings", values::port_mappings)?
        .unwrap_or_default();
    selection.bandwidth = element.ruled("bandwidth", values::bandwidth)?;
    if !selection.ips.is_empty() && selection.ipam_claim.is_some() {
        return Err(SelectionError::Claim(at));
    }
    Ok(selection)
}

struct Element<'a> {
    at: usize,
    object: &'a Object,
}

impl Element<'_> {
    /// A key whose value is text in a form of its own; empty text stands for an absent key, as it does for
    /// the programs that write these annotations.
    fn text<T>(&self, key: &'static str) -> Result<Option<T>, SelectionError>
    where
        T: FromStr<Err: Into<ValueError>>,
    {
        let text = self.typed::<String>(key)?.filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(|e: T::Err| self.error(key, e.into())))
            .transpose()
    }

    /// A key whose value is a list of such texts.
    fn texts<T>(&self, key: &'static str) -> Result<Option<Vec<T>>, SelectionError>
    where
        T: FromStr<Err: Into<ValueError>>,
    {
        let parse = |text: String| text.parse().map_err(|e: T::Err| self.error(key, e.into()));
        let list: Option<Vec<String>> = self.typed(key)?;
        list.map(|list| list.into_iter().map(parse).collect()).transpose()
    }

    /// A key whose JSON has a rule beyond its type.
    fn ruled<J: DeserializeOwned, T>(
        &self,
        key: &'static str,
        rule: impl FnOnce(J) -> Result<T, ValueError>,
    ) -> Result<Option<T>, SelectionError> {
        let json: Option<J> = self.typed(key)?;
        json.map(|json| rule(json).map_err(|e| self.error(key, e)))
            .transpose()
    }

    fn typed<T: DeserializeOwned>(&self, key: &'static str) -> Result<Option<T>, SelectionError> {
        self.object.parse_key(key).map_err(|e| self.error(key, e.into()))
    }

    fn error(&self, key: &'static str, why: ValueError) -> SelectionError {
        let text = self.object.get(key).map_or("nothing", |value| value.get());
        SelectionError::Value {
            element: self.at,
            key,
            value: text.chars().take(80).collect(),
            why,
        }
    }
}
