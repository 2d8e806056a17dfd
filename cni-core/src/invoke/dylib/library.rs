//! One library, and the threads that its calls run on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::threads::{Threads, prepare_to_wait, receive};
use super::trusted::{Identity, Trusted, Untrusted};
use crate::abi::{Answered, Functions, LoadError};
use crate::invoke::wire::Run;
use crate::spec::{Code, Error, with_causes};

type Outcome = Result<Answered, LoadError>;

/// A file of which a plugin is wanted.
pub(super) struct Library {
    file: PathBuf,
    /// What is known of it for good: from then on it is loaded, be it of use or not.
    functions: OnceLock<Result<Functions, LoadError>>,
    threads: Arc<Threads>,
    /// Those of the file that was opened last, which all its names share.
    late: Mutex<Arc<Late>>,
}

/// The calls that nobody waits for any more: their verbs, and where their answers come in the end.
type Late = Mutex<Vec<(&'static str, Receiver<Outcome>)>>;

/// By file, for the whole process: what is loaded is so for all of it. A file that is loaded, or being loaded, is open,
/// so that no other has its identity.
static LATE: Mutex<BTreeMap<Identity, Arc<Late>>> = Mutex::new(BTreeMap::new());

impl Library {
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            functions: OnceLock::new(),
            threads: Arc::default(),
            late: Mutex::default(),
        }
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.functions.get().is_some()
    }

    /// Runs it on a thread of its own, and waits until the deadline.
    pub(super) fn call(
        self: &Arc<Self>,
        run: &Run<'_>,
        input: Vec<u8>,
        owner: u32,
    ) -> Result<Answered, Error> {
        self.refuse_while_it_hangs(run)?;
        let file = match self.is_loaded() {
            true => None,
            false => Some(self.open(run, owner)?),
        };
        let environment = run
            .environment()
            .ok_or_else(|| unrunnable(run, "nul byte found in provided data"))?;
        let (sender, receiver) = mpsc::sync_channel::<Outcome>(1);
        let library = Arc::clone(self);
        let body = move || {
            let functions = library.functions(file);
            // When nobody waits any more, the deadline has passed.
            drop(sender.send(functions.map(|functions| functions.call(&environment, &input))));
        };
        let started = self.threads.run(run.plugin.as_str(), Box::new(body));
        started.map_err(|error| unrunnable(run, &error.to_string()))?;
        match receive(&receiver, run.deadline) {
            Ok(answered) => answered.map_err(|error| self.unloadable(run, &error)),
            Err(RecvTimeoutError::Disconnected) => Err(unrunnable(run, "its thread panicked")),
            Err(RecvTimeoutError::Timeout) => {
                lock(&lock(&self.late)).push((run.word, receiver));
                Err(self.refused(run, &format!("did not end {} in time", run.word)))
            }
        }
    }

    /// Opens the file, unless it hangs under another name.
    fn open(&self, run: &Run<'_>, owner: u32) -> Result<Trusted, Error> {
        let file = Trusted::open(&self.file, owner).map_err(|error| self.untrusted(run, &error))?;
        *lock(&self.late) = Arc::clone(lock(&LATE).entry(file.identity()).or_default());
        self.refuse_while_it_hangs(run)?;
        prepare_to_wait();
        Ok(file)
    }

    /// The functions, of the library as it was loaded before, or as it is loaded from `file`.
    fn functions(&self, file: Option<Trusted>) -> Result<Functions, LoadError> {
        match (self.functions.get(), file) {
            (None, Some(file)) => match Functions::load(file) {
                // Another file may come in its place.
                Err(error @ (LoadError::Refused(_) | LoadError::Static)) => Err(error),
                loaded => self.functions.get_or_init(|| loaded).clone(),
            },
            (Some(known), _) => known.clone(),
            // Whoever has no file has seen that it is loaded.
            (None, None) => Err(LoadError::Refused("it is not loaded".to_owned())),
        }
    }

    fn refuse_while_it_hangs(&self, run: &Run<'_>) -> Result<(), Error> {
        let file = lock(&self.late);
        let mut late = lock(&file);
        late.retain(|(_, answer)| matches!(answer.try_recv(), Err(TryRecvError::Empty)));
        match late.first() {
            Some((word, _)) => Err(self.refused(run, &format!("hangs in {word}, which did not end in time"))),
            None => Ok(()),
        }
    }

    /// The error of a call that hangs, or comes while another does.
    fn refused(&self, run: &Run<'_>, what: &str) -> Error {
        let msg = format!("plugin {:?} {what}", run.plugin.as_str());
        let details = format!(
            "{:?} is refused until it does, or this program is restarted",
            self.file
        );
        Error::new(run.late(), msg).with_details(details)
    }

    fn untrusted(&self, run: &Run<'_>, error: &Untrusted) -> Error {
        self.not_loaded(run, Code::INVALID_CONFIG, with_causes(error))
    }

    fn unloadable(&self, run: &Run<'_>, error: &LoadError) -> Error {
        let code = match error {
            LoadError::Refused(_) => Code::IO,
            LoadError::Missing(_) | LoadError::Static | LoadError::Version(_) => Code::INVALID_CONFIG,
        };
        self.not_loaded(run, code, error.to_string())
    }

    fn not_loaded(&self, run: &Run<'_>, code: Code, details: String) -> Error {
        let msg = format!("load plugin {:?} from {:?}", run.plugin.as_str(), self.file);
        Error::new(code, msg).with_details(details)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unrunnable(run: &Run<'_>, details: &str) -> Error {
    Error::new(Code::IO, format!("run plugin {:?}", run.plugin.as_str())).with_details(details)
}
