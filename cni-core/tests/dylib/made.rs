//! Libraries for tests, in a directory that nobody else can write.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use cni_core::invoke::Dylib;

/// Libraries of whoever runs the test.
pub(crate) fn dylib() -> Dylib {
    Dylib::new().owned_by(fs::metadata("/proc/self").unwrap().uid())
}

/// A directory of its own, removed with all that is in it when dropped.
pub(crate) struct Dir(pub(crate) PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("cni-core-dylib-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        set_mode(&dir, 0o755);
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The scripted plugin, as the executable `scripted` and the library `scripted.so`: once for all tests that run at
/// the same time.
pub(crate) fn scripted() -> Arc<Dir> {
    static SHARED: Mutex<Weak<Dir>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    if let Some(dir) = shared.upgrade() {
        return dir;
    }
    let dir = Arc::new(Dir::new());
    for (example, file, mode) in [
        ("scripted", "scripted", 0o755),
        ("libscripted_library.so", "scripted.so", 0o644),
    ] {
        let to = dir.0.join(file);
        fs::copy(made_by_cargo(example), &to).unwrap();
        set_mode(&to, mode);
    }
    *shared = Arc::downgrade(&dir);
    dir
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Where cargo puts examples: beside the directory of this test.
fn made_by_cargo(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let file = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(file.is_file(), "first run `cargo build -p cni-core --examples`");
    file
}
