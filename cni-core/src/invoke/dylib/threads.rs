//! The threads that a library's calls run on.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SendError, SyncSender, TryRecvError};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{fs, hint, io, thread};

/// What a thread is given to do.
type Job = Box<dyn FnOnce() + Send>;

/// Gives each call a thread of its own. A thread whose call has ended waits a moment for the next one, which costs a
/// fifth of starting another.
///
/// A thread is used again only in the network and mount namespaces in which it began. If a plugin leaves it in others,
/// it ends.
#[derive(Default)]
pub(super) struct Threads {
    idle: Mutex<Vec<Idle>>,
}

/// A thread that waits for something to do.
struct Idle {
    number: u64,
    place: Place,
    jobs: SyncSender<Job>,
}

/// How long a thread waits: its namespaces live for as long as it does, which nobody else may want.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a thread waits awake before it sleeps: about what putting it to sleep and waking it again takes, which
/// is more than many a call.
const AWAKE: Duration = Duration::from_micros(50);

/// The most threads that wait at the same time; any more end with their calls.
const MOST_IDLE: usize = 4;

impl Threads {
    /// Runs `job` on a thread that is in the caller's namespaces.
    pub(super) fn run(self: &Arc<Self>, name: &str, mut job: Job) -> io::Result<()> {
        if let Some(idle) = self.idle_in(&Place::of_this_thread()) {
            match idle.send(job) {
                Ok(()) => return Ok(()),
                Err(SendError(unsent)) => job = unsent,
            }
        }
        let threads = Arc::downgrade(self);
        let thread = thread::Builder::new().name(name.to_owned());
        thread.spawn(move || serve(&threads, job)).map(drop)
    }

    /// The one that became idle last, which may be awake still.
    fn idle_in(&self, place: &Place) -> Option<SyncSender<Job>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().rposition(|idle| idle.place == *place)?;
        Some(idle.remove(at).jobs)
    }

    /// Takes the thread out of those that wait; `false` if a caller already has.
    fn forget(&self, number: u64) -> bool {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().position(|idle| idle.number == number);
        at.map(|at| idle.remove(at)).is_some()
    }

    /// Waits for the next job; `None` if there is none in time, or enough threads wait already.
    fn next(threads: &Weak<Self>, place: Place) -> Option<Job> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let (jobs, next) = mpsc::sync_channel(1);
        {
            let threads = threads.upgrade()?;
            let mut idle = threads.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() >= MOST_IDLE {
                return None;
            }
            idle.push(Idle { number, place, jobs });
        }
        match receive(&next, Instant::now().checked_add(PATIENCE)) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => match threads.upgrade()?.forget(number) {
                true => None,
                // Somebody has taken it at this very moment, and is about to send.
                false => next.recv().ok(),
            },
        }
    }
}

/// Has this thread wait for nothing, before it waits for a library that is being loaded.
///
/// A thread's first wait leaves something to be dropped when the thread ends. glibc notes that under the lock of its
/// loader, which another thread holds for as long as a library takes to load.
pub(super) fn prepare_to_wait() {
    let (_sender, nothing) = mpsc::sync_channel::<()>(0);
    let _ = nothing.recv_timeout(Duration::ZERO);
}

/// Waits until the deadline, awake at first.
pub(super) fn receive<T>(from: &Receiver<T>, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
    // With one processor, staying awake would only keep the other side from finishing.
    static PARALLEL: LazyLock<bool> =
        LazyLock::new(|| thread::available_parallelism().is_ok_and(|processors| processors.get() > 1));
    let began = Instant::now();
    while *PARALLEL && began.elapsed() < AWAKE {
        match from.try_recv() {
            Err(TryRecvError::Empty) => hint::spin_loop(),
            come => return come.map_err(|_| RecvTimeoutError::Disconnected),
        }
    }
    match deadline {
        Some(deadline) => from.recv_timeout(deadline.saturating_duration_since(Instant::now())),
        None => from.recv().map_err(RecvTimeoutError::from),
    }
}

fn serve(threads: &Weak<Threads>, first: Job) {
    let began = Place::of_this_thread();
    first();
    while Place::of_this_thread() == began
        && let Some(job) = Threads::next(threads, began.clone())
    {
        job();
    }
}

/// The network and the mount namespace of a living thread, as `/proc` names them. If these cannot be read, the place
/// equals no other.
#[derive(Clone)]
struct Place(Option<[PathBuf; 2]>);

impl Place {
    fn of_this_thread() -> Self {
        // Reading the link costs half as much as following it.
        let one = |kind: &str| fs::read_link(format!("/proc/thread-self/ns/{kind}")).ok();
        Self(one("net").zip(one("mnt")).map(|(net, mnt)| [net, mnt]))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_some() && self.0 == other.0
    }
}
