//! The comma form: `[namespace/]name[@interface]`, of which the `@` is Multus' own and everywhere.

use super::{NetworkSelection, SelectionError, ValueError};
use crate::npwg::{NadRef, Namespace};

/// Reads element number `element`.
pub(super) fn parse(
    element: usize,
    text: &str,
    namespace: &Namespace,
) -> Result<NetworkSelection, SelectionError> {
    read(text, namespace).map_err(|why| SelectionError::Reference {
        element,
        text: text.chars().take(80).collect(),
        why,
    })
}

fn read(text: &str, pod_namespace: &Namespace) -> Result<NetworkSelection, ValueError> {
    let (network, interface) = match text.split_once('@') {
        Some((network, interface)) => (network.trim(), Some(interface.trim().parse()?)),
        None => (text, None),
    };
    let (namespace, name) = match network.split_once('/') {
        Some((namespace, name)) => (namespace.trim().parse()?, name.trim()),
        None => (pod_namespace.clone(), network),
    };
    let name = name.parse()?;
    let mut selection = NetworkSelection::new(NadRef { namespace, name });
    selection.interface = interface;
    Ok(selection)
}
