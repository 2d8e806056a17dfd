//! Plugins as shared libraries in `CNI_PATH`.

mod library;
mod threads;
mod trusted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, mem};

use self::library::Library;
pub(crate) use self::trusted::Trusted;
use super::find::find;
use super::wire::{self, Run, Sink};
use super::{Call, Invoke, Operation, Target, Verb};
use crate::spec::{Error, Object, PluginType, Success, VersionInfo};

/// Runs plugins as shared libraries, each the file `TYPE.so` in the request's `CNI_PATH`, in this very process.
///
/// [`export_plugin!`](crate::export_plugin) makes such libraries, and [`abi`](crate::abi) says what they export.
/// A library has the rights and the memory of the program that loads it, so a program loads what it was told to
/// load, and leaves all other types to executables:
///
/// ```no_run
/// use cni_core::chain::Runtime;
/// use cni_core::invoke::{Builtin, Dylib, Resolver};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let types = ["firewall".parse()?];
/// let resolver = Resolver::new(Builtin::new()).dylib(Dylib::new(), types);
/// let runtime = Runtime::new(&resolver, ["/opt/cni/bin".into()]);
/// # Ok(())
/// # }
/// ```
///
/// # Guarantees
/// - A library is loaded only if root owns it and its directory and every directory above, and nobody else can
///   write there (but for directories above in which names cannot be exchanged, as `/tmp`); and only if it speaks
///   this version of the interface.
/// - It receives and answers what an executable would: the same bytes, the same bounds, the same errors.
/// - Each call runs on a thread of its own, in the caller's network namespace. The two wait for each other awake for
///   up to 50 µs, and sleep then. At the deadline the caller gets its error and the thread is left to itself.
///   While that call hangs, which is until the program is started anew if it never ends, the library is refused,
///   by whatever path and whatever `Dylib` it is called: ADD and DEL of one container do not run at once.
/// - A library is never unloaded, and its file never looked at again: a new version comes with the next start
///   of the program.
///
/// # Assumptions
/// - The program is linked dynamically; one that is not refuses every library.
/// - The library lets nothing unwind out of its functions, as those of `export_plugin!` do not, and ends neither
///   its threads nor the process.
/// - The next call may get the same thread, unless it was left in another network or mount namespace. A plugin that
///   changes anything else of its thread alone (credentials, signals, another namespace) changes it back.
/// - Loading a library ends: until then glibc keeps other threads from loading one, and from starting to use a good
///   part of what each thread has for itself.
/// - Without a deadline in the call and without [`Dylib::with_limit`] a plugin may take as long as it likes.
///
/// A plugin in a library delegates to executables. Variables of the environment that are not of the call it
/// reads from this process.
#[must_use]
pub struct Dylib {
    libraries: Mutex<BTreeMap<PathBuf, Arc<Library>>>,
    limit: Option<Duration>,
    owner: u32,
    stderr: Sink,
}

impl Default for Dylib {
    fn default() -> Self {
        Self::new()
    }
}

impl Dylib {
    /// Libraries that root owns.
    pub fn new() -> Self {
        Self {
            libraries: Mutex::default(),
            limit: None,
            owner: 0,
            stderr: Box::new(wire::to_stderr),
        }
    }

    /// The same for libraries and directories that the user with the number `uid` owns, besides root's: for
    /// programs that this user runs.
    pub fn owned_by(mut self, uid: u32) -> Self {
        self.owner = uid;
        self
    }

    /// The same with at most `limit` for each call, even when its own deadline is later.
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The same with `sink` for the messages of plugins, which go to stderr otherwise.
    pub fn with_stderr(mut self, sink: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.stderr = Box::new(sink);
        self
    }

    /// What the library wrote to stdout, if it succeeded.
    fn stdout(&self, mut run: Run<'_>) -> Result<Vec<u8>, Error> {
        let library = self.library(&run)?;
        run.in_time()?;
        let input = mem::take(&mut run.input);
        let answered = library.call(&run, input, self.owner)?;
        if answered.overflowed {
            let stderr = String::from_utf8_lossy(&answered.stderr);
            return Err(wire::overflow(run.plugin, stderr.trim()));
        }
        let status = match answered.exit_code {
            0 => Ok(()),
            code => Err(format!("exit status: {code}")),
        };
        wire::ended(
            run.plugin,
            status,
            answered.stdout,
            &answered.stderr,
            &self.stderr,
        )
    }

    fn library(&self, run: &Run<'_>) -> Result<Arc<Library>, Error> {
        let file = self.file(run.plugin, run.path())?;
        let mut libraries = self.libraries.lock().unwrap_or_else(PoisonError::into_inner);
        let library = libraries
            .entry(file)
            .or_insert_with_key(|file| Arc::new(Library::new(file.clone())));
        Ok(Arc::clone(library))
    }

    fn file(&self, plugin: &PluginType, path: &[PathBuf]) -> Result<PathBuf, Error> {
        let name = format!("{}.so", plugin.as_str());
        let loaded = |file: &Path| self.known(file).is_some_and(|library| library.is_loaded());
        find(&name, path, |file| {
            loaded(file) || file.symlink_metadata().is_ok()
        })
    }

    fn known(&self, file: &Path) -> Option<Arc<Library>> {
        let libraries = self.libraries.lock().unwrap_or_else(PoisonError::into_inner);
        libraries.get(file).cloned()
    }
}

impl fmt::Debug for Dylib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, limit, .. } = self;
        f.debug_struct("Dylib")
            .field("owner", owner)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

impl Invoke for Dylib {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        let stdout = self.stdout(Run::of(Operation::Add, call, self.limit)?)?;
        wire::result(call, &stdout)
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        self.stdout(Run::of(verb.into(), call, self.limit)?).map(drop)
    }

    fn version(
        &self,
        plugin: &PluginType,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<VersionInfo, Error> {
        let stdout = self.stdout(Run::version(plugin, target, deadline, self.limit));
        wire::versions(plugin, stdout)
    }

    fn locate(&self, plugin: &PluginType, _: &Object, path: &[PathBuf]) -> Result<(), Error> {
        self.file(plugin, path).map(drop)
    }
}
