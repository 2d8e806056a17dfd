//! The namespace in which the tests run, as the host of all pods.

use cni_net::link::NewBridge;
use cni_net::{At, Kernel, Links};

/// Makes an interface that others can hang on, or takes the one that is there.
///
/// # Panics
/// When the kernel refuses.
pub fn parent(name: &str) {
    Kernel::new()
        .ensure_bridge(&NewBridge::new(name.parse().unwrap()))
        .unwrap();
}

/// The names of the host's interfaces.
///
/// # Panics
/// When the kernel does not tell.
pub fn links() -> Vec<String> {
    Kernel::new()
        .links(At::Host)
        .unwrap()
        .into_iter()
        .map(|link| link.name)
        .collect()
}

/// The aliases of the host's interfaces: what our plugins mark theirs with.
///
/// # Panics
/// When the kernel does not tell.
pub fn aliases() -> Vec<String> {
    let links = Kernel::new().links(At::Host).unwrap().into_iter();
    links.filter_map(|link| link.alias).collect()
}

/// The names of the files in a directory; none when there is no directory.
pub fn files(directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
