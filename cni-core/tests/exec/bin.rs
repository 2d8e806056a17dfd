//! A directory of plugins that are shell scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cni_core::invoke::{Call, Exec, Invoke, Target, Verb};
use cni_core::spec::{AttachmentId, Error, NetnsPath, Object, PluginType, Success, VersionInfo};

/// Removed with all that is in it when dropped.
pub(crate) struct Bin {
    pub(crate) dir: PathBuf,
    pub(crate) config: Object,
    pub(crate) prev: Option<Success>,
    pub(crate) deadline: Option<Duration>,
}

impl Bin {
    /// A directory with one plugin, `fake`, that is this script. `$DIR` in it is the directory.
    pub(crate) fn new(script: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("cni-core-exec-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let file = dir.join("fake");
        fs::write(&file, format!("#!/bin/sh\nDIR={}\n{script}\n", dir.display())).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let config = Object::from_slice(br#"{"cniVersion":"1.1.0","name":"n","type":"fake"}"#).unwrap();
        Self {
            dir,
            config,
            prev: None,
            deadline: None,
        }
    }

    pub(crate) fn add(&self, exec: &Exec) -> Result<Success, Error> {
        self.with_call(|call| exec.add(call))
    }

    pub(crate) fn run(&self, exec: &Exec, verb: Verb) -> Result<(), Error> {
        self.with_call(|call| exec.run(verb, call))
    }

    pub(crate) fn version(&self, exec: &Exec) -> Result<VersionInfo, Error> {
        exec.version(
            &fake(),
            &self.target(),
            self.deadline.map(|deadline| Instant::now() + deadline),
        )
    }

    pub(crate) fn locate(&self, exec: &Exec) -> Result<(), Error> {
        exec.locate(&fake(), &Object::new(), &self.target().path)
    }

    /// What the script wrote to this file in `$DIR`.
    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.dir.join(file)).unwrap().trim().to_owned()
    }

    fn with_call<T>(&self, then: impl FnOnce(&Call<'_>) -> T) -> T {
        let (plugin, target) = (fake(), self.target());
        let mut call = Call::new(&plugin, &self.config, &target);
        call.prev = self.prev.as_ref();
        call.deadline = self.deadline.map(|deadline| Instant::now() + deadline);
        then(&call)
    }

    fn target(&self) -> Target {
        let id = AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap());
        let mut target = Target::of(id, Some(NetnsPath::new("/nowhere/ns")));
        target.args = "A=1;B=2".parse().unwrap();
        target.path = vec![PathBuf::from("/nowhere/bin"), self.dir.clone()];
        target
    }
}

impl Drop for Bin {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.dir));
    }
}

pub(crate) fn fake() -> PluginType {
    "fake".parse().unwrap()
}

/// Whether the process whose number is in `file` is still there and no zombie.
pub(crate) fn lives(bin: &Bin, file: &str) -> bool {
    let stat = Path::new("/proc").join(bin.read(file)).join("stat");
    fs::read_to_string(stat).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Whether that process ends within a second: a signal has reached it, and it need not be through with it.
pub(crate) fn ends(bin: &Bin, file: &str) -> bool {
    (0..100).any(|_| {
        thread::sleep(Duration::from_millis(10));
        !lives(bin, file)
    })
}
