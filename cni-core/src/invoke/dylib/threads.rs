//! The threads that a library's calls run on.

use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SendError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use std::{fs, io, thread};

/// What a thread is given to do.
type Job = Box<dyn FnOnce() + Send>;

/// One thread for each call. One that has ended its call is used again for a moment, which costs a fifth of making
/// another, but only in the network and mount namespace that it began in: a call that went into others and stayed
/// there takes its thread with it.
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

/// More calls than this end at the same time, and their threads do as well.
const MOST_IDLE: usize = 4;

impl Threads {
    /// Runs `job` on a thread that is in the caller's namespaces.
    pub(super) fn run(self: &Arc<Self>, name: &str, mut job: Job) -> io::Result<()> {
        if let Some(idle) = self.idle_in(Place::of_this_thread()) {
            match idle.send(job) {
                Ok(()) => return Ok(()),
                Err(SendError(unsent)) => job = unsent,
            }
        }
        let threads = Arc::downgrade(self);
        let thread = thread::Builder::new().name(name.to_owned());
        thread.spawn(move || serve(&threads, job)).map(drop)
    }

    fn idle_in(&self, place: Place) -> Option<SyncSender<Job>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().position(|idle| idle.place == place)?;
        Some(idle.swap_remove(at).jobs)
    }

    /// Takes a thread back that nobody has taken.
    fn forget(&self, number: u64) -> bool {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().position(|idle| idle.number == number);
        at.map(|at| idle.swap_remove(at)).is_some()
    }

    /// Waits for the next job; there is none for a thread too many.
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
        match next.recv_timeout(PATIENCE) {
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

fn serve(threads: &Weak<Threads>, first: Job) {
    let began = Place::of_this_thread();
    first();
    while Place::of_this_thread() == began
        && let Some(job) = Threads::next(threads, began)
    {
        job();
    }
}

/// The network and the mount namespace of a thread, by device and inode, while they are alive; what cannot be known
/// is nothing's equal.
#[derive(Clone, Copy)]
struct Place(Option<[(u64, u64); 2]>);

impl Place {
    fn of_this_thread() -> Self {
        let one = |kind: &str| {
            let file = fs::metadata(format!("/proc/thread-self/ns/{kind}")).ok()?;
            Some((file.dev(), file.ino()))
        };
        Self(one("net").zip(one("mnt")).map(|(net, mnt)| [net, mnt]))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_some() && self.0 == other.0
    }
}
