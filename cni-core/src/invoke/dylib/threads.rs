//! The threads that a library's calls run on.

use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::{self, SendError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::{fs, io, thread};

/// What a thread is given to do.
type Job = Box<dyn FnOnce() + Send>;

/// One thread for each call. One that has ended its call is used again, which costs a fifth of making another, but
/// only in the network namespace that it began in: a call that went into another one and stayed there takes its
/// thread with it.
#[derive(Default)]
pub(super) struct Threads {
    idle: Mutex<Vec<Idle>>,
}

/// A thread that waits for something to do.
struct Idle {
    netns: Netns,
    jobs: SyncSender<Job>,
}

/// More calls than this end at the same time, and their threads do as well.
const MOST_IDLE: usize = 4;

impl Threads {
    /// Runs `job` on a thread that is in the caller's network namespace.
    pub(super) fn run(self: &Arc<Self>, name: &str, mut job: Job) -> io::Result<()> {
        if let Some(idle) = self.idle_in(netns()) {
            match idle.send(job) {
                Ok(()) => return Ok(()),
                Err(SendError(unsent)) => job = unsent,
            }
        }
        let threads = Arc::downgrade(self);
        let thread = thread::Builder::new().name(name.to_owned());
        thread.spawn(move || serve(&threads, job)).map(drop)
    }

    fn idle_in(&self, netns: Netns) -> Option<SyncSender<Job>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let place = idle.iter().position(|idle| idle.netns == netns)?;
        Some(idle.swap_remove(place).jobs)
    }

    /// Waits for the next job; there is none for a thread too many.
    fn next(threads: &Weak<Self>, netns: Netns) -> Option<Job> {
        let (jobs, next) = mpsc::sync_channel(1);
        {
            let threads = threads.upgrade()?;
            let mut idle = threads.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() >= MOST_IDLE {
                return None;
            }
            idle.push(Idle { netns, jobs });
        }
        next.recv().ok()
    }
}

fn serve(threads: &Weak<Threads>, first: Job) {
    let began = netns();
    first();
    while netns() == began
        && let Some(job) = Threads::next(threads, began)
    {
        job();
    }
}

/// Device and inode of a namespace that a thread is in, and which is therefore alive; none is none's equal.
#[derive(Clone, Copy)]
struct Netns(Option<(u64, u64)>);

impl PartialEq for Netns {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_some() && self.0 == other.0
    }
}

fn netns() -> Netns {
    let file = fs::metadata("/proc/thread-self/ns/net");
    Netns(file.ok().map(|file| (file.dev(), file.ino())))
}
