//! Which pod a call of the runtime is about, and what is known of it.

use std::path::Path;

use cni_core::spec::{CniArgs, Code, ContainerId, Error};

use crate::cluster::pod_in;
use crate::config::Standalone;
use crate::npwg::{NETWORKS, Namespace, Pod, PodName};

/// The pod that `CNI_ARGS` name, from its file; without a file, with the annotation that the entry holds for
/// such pods. A runtime that knows no pods names none, or no namespace (podman): then the container stands for
/// one, and needs no file.
///
/// # Errors
/// Code 4 for a bad name, 11 when pods have files, this one has none, and the entry says nothing for it:
/// attaching the default network alone might be less than the pod asked for.
pub(super) fn of(entry: &Standalone, container: &ContainerId, args: &CniArgs) -> Result<Pod, Error> {
    let said = |key| args.get(key).filter(|value| !value.is_empty());
    match (said("K8S_POD_NAMESPACE"), said("K8S_POD_NAME")) {
        (Some(namespace), Some(name)) => {
            let namespace = namespace.parse().map_err(name_error)?;
            described(entry, namespace, name.parse().map_err(name_error)?)
        }
        (None, Some(name)) => named_by_itself(entry, container, name),
        (_, None) => Ok(with_networks(entry, nameless(container))),
    }
}

/// A pod of a runtime that knows pods.
fn described(entry: &Standalone, namespace: Namespace, name: PodName) -> Result<Pod, Error> {
    let Some(dir) = &entry.pods else {
        return Ok(with_networks(entry, Pod::new(namespace, name)));
    };
    match file(dir, &namespace, &name)? {
        Some(pod) => Ok(pod),
        None if entry.networks.is_some() => Ok(with_networks(entry, Pod::new(namespace, name))),
        None => {
            let msg = format!("find pod \"{namespace}/{name}\": it has no file in {dir:?}");
            Err(Error::new(Code::TRY_AGAIN, msg))
        }
    }
}

/// A container with a name of the runtime's making, which need not be one that Kubernetes allows: podman's own
/// have underscores.
fn named_by_itself(entry: &Standalone, container: &ContainerId, name: &str) -> Result<Pod, Error> {
    let Ok(name) = name.parse() else {
        return Ok(with_networks(entry, nameless(container)));
    };
    let namespace = Default::default();
    let found = match &entry.pods {
        Some(dir) => file(dir, &namespace, &name)?,
        None => None,
    };
    Ok(found.unwrap_or_else(|| with_networks(entry, Pod::new(namespace, name))))
}

fn nameless(container: &ContainerId) -> Pod {
    Pod::new(Default::default(), container.into())
}

fn file(dir: &Path, namespace: &Namespace, name: &PodName) -> Result<Option<Pod>, Error> {
    pod_in(dir, namespace, name).map_err(|e| Error::from_source(Code::INVALID_CONFIG, &e))
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

#[cfg(test)]
mod tests {
    use cni_core::spec::Object;
    use serde_json::json;

    use super::*;
    use crate::config::Entry;

    const WEB: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default",
        "annotations": {"k8s.v1.cni.cncf.io/networks": "lab"}}}"#;

    /// The pod of container `C1` as `namespace/name: networks`, where `default/web` has a file.
    #[track_caller]
    fn check(args: &str, networks: Option<&str>, expected: Result<&str, u32>) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("default")).unwrap();
        std::fs::write(dir.path().join("default/web.yaml"), WEB).unwrap();
        let entry =
            json!({"mode": "standalone", "clusterNetwork": "a", "pods": dir.path(), "networks": networks});
        let Entry::Standalone(entry) =
            Entry::parse(&Object::from_slice(entry.to_string().as_bytes()).unwrap()).unwrap()
        else {
            panic!("daemon mode");
        };
        let pod = of(&entry, &"C1".parse().unwrap(), &args.parse().unwrap());
        let pod = pod.map(|pod| {
            format!(
                "{pod}: {}",
                pod.annotations.get(NETWORKS).map_or("", String::as_str)
            )
        });
        let pod = pod.map_err(|error| error.code.0);
        assert_eq!(
            pod.as_deref().map_err(|code| *code),
            expected,
            "{args} {networks:?}"
        );
    }

    #[test]
    fn a_pod_of_kubernetes_has_a_file_or_the_entry_speaks_for_it() {
        let named = |name| format!("IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={name}");
        check(&named("web"), Some("all"), Ok("default/web: lab"));
        check(&named("db"), Some("all"), Ok("default/db: all"));
        check(&named("db"), None, Err(11));
        check(&named("odd_name"), Some("all"), Err(4));
        check("K8S_POD_NAMESPACE=-;K8S_POD_NAME=web", None, Err(4));
    }

    #[test]
    fn a_container_of_a_runtime_that_knows_no_pods_needs_no_file_and_may_have_any_name() {
        for (args, pod) in [
            ("", "default/c1"),
            ("K8S_POD_NAMESPACE=default", "default/c1"),
            ("IgnoreUnknown=1;K8S_POD_NAME=db", "default/db"),
            ("IgnoreUnknown=1;K8S_POD_NAME=strange_hugle", "default/c1"),
        ] {
            check(args, None, Ok(&format!("{pod}: ")));
            check(args, Some("all"), Ok(&format!("{pod}: all")));
        }
        check(
            "IgnoreUnknown=1;K8S_POD_NAME=web",
            Some("all"),
            Ok("default/web: lab"),
        );
    }
}
