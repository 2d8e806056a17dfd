//! A node: a thread with network and mounts of its own, which runs what it is given.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use cni_core::spec::NetnsPath;

use super::sandbox;

type Job = Box<dyn FnOnce() + Send>;

/// A thread that is a machine of its own as far as network and files go.
pub(super) struct Machine {
    pub(super) name: String,
    /// Its namespace, open for as long as the node is there.
    netns: File,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Machine {
    /// Starts the node.
    ///
    /// # Errors
    /// When its namespaces cannot be made.
    pub(super) fn start(name: &str) -> io::Result<Self> {
        let (jobs, todo) = channel::<Job>();
        let (ready, started) = channel();
        let work = move || {
            let netns = sandbox::become_node().and_then(|()| File::open("/proc/thread-self/ns/net"));
            let began = netns.is_ok();
            if ready.send(netns).is_ok() && began {
                run(&todo);
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work)?;
        let netns = started
            .recv()
            .map_err(|_| io::Error::other("the node's thread ended"))??;
        Ok(Self {
            name: name.to_owned(),
            netns,
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Where its network namespace is.
    pub(super) fn netns(&self) -> NetnsPath {
        NetnsPath::new(format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            self.netns.as_raw_fd()
        ))
    }

    /// Runs `job` on the node and waits for what it answers.
    ///
    /// # Errors
    /// When the job panicked, now or an earlier one.
    pub(super) fn run<R: Send + 'static>(&self, job: impl FnOnce() -> R + Send + 'static) -> io::Result<R> {
        let (answer, answered) = channel();
        let job: Job = Box::new(move || drop(answer.send(job())));
        let gone = || io::Error::other(format!("node {:?} ended", self.name));
        self.jobs
            .as_ref()
            .ok_or_else(gone)?
            .send(job)
            .map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())
    }
}

fn run(todo: &Receiver<Job>) {
    while let Ok(job) = todo.recv() {
        job();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic on the node was already answered to whoever gave it the job.
            drop(thread.join());
        }
    }
}
