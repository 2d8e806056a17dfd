//! A plugin in C, made a library.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cni_core::invoke::{Call, Dylib, Invoke, Target, Verb};
use cni_core::spec::{AttachmentId, Error, NetnsPath, Object, PluginType, Success, VersionInfo};

use crate::made::{Dir, set_mode};

/// A directory with one library, `fake.so`.
pub(crate) struct Library {
    pub(crate) dir: Dir,
    pub(crate) dylib: Dylib,
    pub(crate) config: Object,
    pub(crate) prev: Option<Success>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) netns: &'static str,
}

impl Library {
    /// A library whose call is these lines of C, with `DIR` for the directory.
    pub(crate) fn new(body: &str) -> Self {
        Self::with_flags(body, &[])
    }

    /// The same with flags for the compiler.
    pub(crate) fn with_flags(body: &str, flags: &[&str]) -> Self {
        let library = Self {
            dir: Dir::new(),
            dylib: crate::made::dylib(),
            config: Object::from_slice(br#"{"cniVersion":"1.1.0","name":"n","type":"fake"}"#).unwrap(),
            prev: None,
            deadline: None,
            netns: "/nowhere/ns",
        };
        library.compile(body, flags);
        library
    }

    /// Puts another in its place, as an installation would.
    pub(crate) fn compile(&self, body: &str, flags: &[&str]) {
        let (new, dir) = (self.dir.0.join("new"), self.dir.0.display());
        let source = include_str!("plugin.c").replace("BODY", body);
        let mut compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-Wall", "-Werror", "-x", "c", "-", "-o"])
            .arg(&new)
            .arg(format!("-DDIR=\"{dir}\""))
            .args(flags)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = compiler.stdin.take().unwrap();
        stdin.write_all(source.as_bytes()).unwrap();
        drop(stdin);
        assert!(compiler.wait().unwrap().success());
        set_mode(&new, 0o644);
        std::fs::rename(&new, self.file()).unwrap();
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.0.join("fake.so")
    }

    pub(crate) fn add(&self) -> Result<Success, Error> {
        self.with_call(|call| self.dylib.add(call))
    }

    pub(crate) fn run(&self, verb: Verb) -> Result<(), Error> {
        self.with_call(|call| self.dylib.run(verb, call))
    }

    pub(crate) fn version(&self) -> Result<VersionInfo, Error> {
        self.dylib.version(&fake(), &self.target(), None)
    }

    /// What the library kept in this file of its directory.
    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir.0.join(file)).unwrap()
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
        let mut target = Target::of(id, Some(NetnsPath::new(self.netns)));
        target.args = "A=1;B=2".parse().unwrap();
        target.path = vec![PathBuf::from("/nowhere/bin"), self.dir.0.clone()];
        target
    }
}

fn fake() -> PluginType {
    "fake".parse().unwrap()
}
