//! Which pod a call of the runtime is about, and what is known of it.

use cni_core::spec::{CniArgs, Code, ContainerId, Error};

use crate::cluster::pod_in;
use crate::config::Standalone;
use crate::npwg::{NETWORKS, Pod};

/// The pod that `CNI_ARGS` name, from its file; without a file, with the annotation that the entry holds for
/// such pods. A runtime that knows no pods names none: then the container stands for one.
///
/// # Errors
/// Code 4 for a bad name, 11 when pods have files, this one has none, and the entry says nothing for it:
/// attaching the default network alone might be less than the pod asked for.
pub(super) fn of(entry: &Standalone, container: &ContainerId, args: &CniArgs) -> Result<Pod, Error> {
    let (namespace, name) = (args.get("K8S_POD_NAMESPACE"), args.get("K8S_POD_NAME"));
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        let name = container.as_str().to_ascii_lowercase();
        let pod = name.parse().map(|name| Pod::new(Default::default(), name));
        return Ok(with_networks(entry, pod.or_else(|_| nobody())?));
    };
    let namespace = match namespace.filter(|namespace| !namespace.is_empty()) {
        Some(namespace) => namespace.parse().map_err(name_error)?,
        None => Default::default(),
    };
    let name = name.parse().map_err(name_error)?;
    let Some(dir) = &entry.pods else {
        return Ok(with_networks(entry, Pod::new(namespace, name)));
    };
    let found = pod_in(dir, &namespace, &name);
    match found.map_err(|e| Error::from_source(Code::INVALID_CONFIG, &e))? {
        Some(pod) => Ok(pod),
        None if entry.networks.is_some() => Ok(with_networks(entry, Pod::new(namespace, name))),
        None => {
            let msg = format!("find pod \"{namespace}/{name}\": it has no file in {dir:?}");
            Err(Error::new(Code::TRY_AGAIN, msg))
        }
    }
}

/// A pod that asks for nothing.
///
/// # Errors
/// Never: the name is a good one.
pub(super) fn nobody() -> Result<Pod, Error> {
    "pod"
        .parse()
        .map(|name| Pod::new(Default::default(), name))
        .map_err(name_error)
}

fn with_networks(entry: &Standalone, mut pod: Pod) -> Pod {
    if let Some(networks) = &entry.networks {
        pod.annotations.insert(NETWORKS.to_owned(), networks.clone());
    }
    pod
}

/// A name in `CNI_ARGS` that is none.
pub(super) fn name_error(error: impl std::error::Error) -> Error {
    Error::new(Code::INVALID_ENVIRONMENT, "read CNI_ARGS").with_details(error.to_string())
}
