//! Descriptions of pods in files.

use std::io;
use std::path::{Path, PathBuf};

use cni_core::load;

use crate::npwg::{DnsError, ManifestError, Namespace, Pod, PodName, manifest};

/// A pod's file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PodError {
    /// Not one object of kind `Pod` alone.
    #[error("{0:?} does not hold exactly one object of kind \"Pod\"")]
    Kind(PathBuf),
    /// Not Kubernetes objects.
    #[error("read {path:?}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ManifestError,
    },
    /// A name that is missing or bad.
    #[error("metadata of the pod in {path:?}")]
    Name {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: DnsError,
    },
    /// The file describes another pod than the one that it is named after.
    #[error("{path:?} describes pod {found:?}")]
    Other {
        /// The file.
        path: PathBuf,
        /// What it describes.
        found: String,
    },
    /// The file could not be read.
    #[error("read {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
}

/// The pod that the file at `path` describes.
///
/// # Errors
/// When the file cannot be read or does not describe one pod.
pub fn pod(path: &Path) -> Result<Pod, PodError> {
    let text = load::bytes(path).map_err(unreadable(path))?;
    parse(path, &text)
}

/// The pod that the file `<dir>/<namespace>/<name>.yaml` describes; `None` where there is no such file.
///
/// # Errors
/// When the file is there and cannot be read, or describes another pod or none.
pub fn pod_in(dir: &Path, namespace: &Namespace, name: &PodName) -> Result<Option<Pod>, PodError> {
    let path = dir.join(namespace.as_str()).join(format!("{name}.yaml"));
    let text = match load::regular(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(unreadable(&path))?,
    };
    match parse(&path, &text)? {
        pod if pod.namespace == *namespace && pod.name == *name => Ok(Some(pod)),
        pod => Err(PodError::Other {
            path,
            found: pod.to_string(),
        }),
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> PodError {
    let path = path.to_owned();
    move |source| PodError::Read { path, source }
}

fn parse(path: &Path, text: &[u8]) -> Result<Pod, PodError> {
    let manifests = manifest::parse(text).map_err(|source| PodError::Manifest {
        path: path.to_owned(),
        source,
    })?;
    let mut pods = manifests.into_iter().filter(|manifest| manifest.kind == "Pod");
    let (Some(manifest), None) = (pods.next(), pods.next()) else {
        return Err(PodError::Kind(path.to_owned()));
    };
    let bad = |source| PodError::Name {
        path: path.to_owned(),
        source,
    };
    let metadata = manifest.metadata;
    let namespace = metadata.namespace.filter(|text| !text.is_empty());
    let namespace = namespace.map(Namespace::try_from).transpose().map_err(bad)?;
    let name = PodName::try_from(metadata.name.unwrap_or_default()).map_err(bad)?;
    let mut pod = Pod::new(namespace.unwrap_or_default(), name);
    pod.uid = metadata.uid.filter(|uid| !uid.is_empty());
    pod.annotations = metadata.annotations.unwrap_or_default();
    Ok(pod)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let path = Path::new("p.yaml");
        match (parse(path, text.as_bytes()), expected) {
            (Ok(pod), Ok(expected)) => {
                assert_eq!(format!("{pod} {:?} {:?}", pod.uid, pod.annotations), expected)
            }
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{text}: {error}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }

    #[test]
    fn a_pod_is_its_metadata() {
        check(
            "kind: Pod\nmetadata: {name: p}\nspec: {containers: []}",
            Ok("default/p None {}"),
        );
        check(
            "kind: Pod\nmetadata:\n  name: p.0\n  namespace: ns\n  uid: u\n  annotations:\n    a: 'b'\n",
            Ok("ns/p.0 Some(\"u\") {\"a\": \"b\"}"),
        );
        check("kind: Pod\nmetadata: {name: A}", Err("metadata of the pod"));
        check(
            "kind: Pod\nmetadata: {name: p, namespace: a/b}",
            Err("metadata of the pod"),
        );
        check("kind: Service\nmetadata: {name: p}", Err("exactly one object"));
        check(
            "kind: Pod\nmetadata: {name: p}\n---\nkind: Pod\nmetadata: {name: q}",
            Err("exactly one object"),
        );
        check("kind: [", Err("read"));
    }

    #[test]
    fn a_pod_is_found_under_its_namespace_and_name() {
        let dir = tempfile::tempdir().unwrap();
        let (namespace, name) = ("ns".parse().unwrap(), "p".parse().unwrap());
        assert!(matches!(pod_in(dir.path(), &namespace, &name), Ok(None)));
        fs::create_dir(dir.path().join("ns")).unwrap();
        let put = |text: &str| fs::write(dir.path().join("ns/p.yaml"), text).unwrap();
        put("kind: Pod\nmetadata: {name: p, namespace: ns}");
        assert!(matches!(pod_in(dir.path(), &namespace, &name), Ok(Some(_))));
        put("kind: Pod\nmetadata: {name: p}");
        assert!(matches!(
            pod_in(dir.path(), &namespace, &name),
            Err(PodError::Other { .. })
        ));
    }

    #[test]
    fn nobody_waits_for_a_pipe_in_place_of_a_pod() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("ns")).unwrap();
        mknodat(CWD, dir.path().join("ns/p.yaml"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let refused = pod_in(dir.path(), &"ns".parse().unwrap(), &"p".parse().unwrap());
        assert!(matches!(refused, Err(PodError::Read { .. })), "{refused:?}");
    }
}
