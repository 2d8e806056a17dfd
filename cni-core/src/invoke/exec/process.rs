//! One child process: its pipes served by one loop, its end awaited up to a deadline.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

use super::capture::Capture;
use crate::invoke::wire::{MOST_STDERR, MOST_STDOUT};

/// The process group of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// The caller's: whoever ends the caller's group ends the plugin.
    Callers,
    /// One of its own, which is ended at the deadline with all that the plugin started.
    Own,
}

/// What became of a child.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) end: End,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) enum End {
    /// By itself.
    Exited(ExitStatus),
    /// Killed for writing too much.
    Overflow,
    /// Killed at the deadline, after this long.
    Timeout(Duration),
}

/// From TERM to KILL, where a plugin may have something to take back, and from KILL to giving up on a process
/// that the kernel does not let go.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// How long the pipes are read after the child's end, while others hold them open. What the child itself
/// wrote is there at once; this is for the rest of a pipeline that a script ends with.
const DRAIN: Duration = Duration::from_millis(100);

/// Runs `command`, writes `input` to it and reads its output. At the deadline it has `grace` from TERM to KILL.
pub(crate) fn run(
    command: &mut Command,
    group: Group,
    input: &[u8],
    deadline: Option<Instant>,
    grace: Duration,
) -> io::Result<Finished> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if group == Group::Own {
        command.process_group(0);
    }
    let mut running = Running::new(spawn(command, deadline)?, group, input)?;
    running.grace = grace;
    match running.drive(deadline) {
        Ok(end) => Ok(running.finish(end)),
        Err(error) => {
            running.signal(Signal::KILL);
            reap(running.child);
            Err(error)
        }
    }
}

/// Starts it. A file that somebody holds open for writing cannot be executed; with threads that start
/// processes of their own this passes within milliseconds, so it is tried again for a good second.
fn spawn(command: &mut Command, deadline: Option<Instant>) -> io::Result<Child> {
    let mut pause = Duration::from_millis(5);
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                let late = deadline.is_some_and(|deadline| Instant::now() + pause >= deadline);
                if late || pause > Duration::from_millis(640) {
                    return Err(error);
                }
                thread::sleep(pause);
                pause *= 2;
            }
            outcome => return outcome,
        }
    }
}

struct Running<'i> {
    child: Child,
    pid: Pid,
    group: Group,
    grace: Duration,
    /// Readable once the child has ended. It is not waited for until nothing is sent to its group any
    /// more: until then no other process can get its number.
    end: OwnedFd,
    ended: bool,
    stdin: Option<ChildStdin>,
    input: &'i [u8],
    stdout: Capture<ChildStdout>,
    stderr: Capture<ChildStderr>,
}

impl<'i> Running<'i> {
    fn new(mut child: Child, group: Group, input: &'i [u8]) -> io::Result<Self> {
        let prepared = Self::prepare(&mut child);
        let (pid, end, stdin) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                drop(child.kill());
                drop(child.wait());
                return Err(error);
            }
        };
        Ok(Self {
            pid,
            group,
            grace: GRACE,
            end,
            ended: false,
            stdin,
            input,
            stdout: Capture::new(child.stdout.take(), MOST_STDOUT),
            stderr: Capture::new(child.stderr.take(), MOST_STDERR),
            child,
        })
    }

    fn prepare(child: &mut Child) -> io::Result<(Pid, OwnedFd, Option<ChildStdin>)> {
        let pid = Pid::from_child(child);
        let end = pidfd_open(pid, PidfdFlags::empty())?;
        let stdin = child.stdin.take();
        if let Some(stdin) = &stdin {
            // A plugin that does not read must not hold up the reading of what it writes.
            rustix::io::ioctl_fionbio(stdin, true)?;
        }
        Ok((pid, end, stdin))
    }

    /// Sees it through to its end, in whatever way.
    fn drive(&mut self, deadline: Option<Instant>) -> io::Result<End> {
        let started = Instant::now();
        if !self.serve(deadline, Self::is_done)? {
            self.end()?;
            return Ok(End::Timeout(started.elapsed()));
        }
        if !self.stdout.overflowed() {
            self.serve(Instant::now().checked_add(DRAIN), Self::is_drained)?;
        }
        if self.stdout.overflowed() {
            self.end()?;
            return Ok(End::Overflow);
        }
        self.child.wait().map(End::Exited)
    }

    fn is_done(&self) -> bool {
        self.ended || self.stdout.overflowed()
    }

    fn is_drained(&self) -> bool {
        self.stdout.is_closed() && self.stderr.is_closed()
    }

    fn is_over(&self) -> bool {
        self.ended && self.is_drained()
    }

    /// Serves the pipes until `done`, or until `limit`: then the answer is `false`.
    fn serve(&mut self, limit: Option<Instant>, done: fn(&Self) -> bool) -> io::Result<bool> {
        while !done(self) {
            let left = limit.map(|limit| limit.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(false);
            }
            self.step(left)?;
        }
        Ok(true)
    }

    /// Waits for something to happen, and deals with it.
    fn step(&mut self, left: Option<Duration>) -> io::Result<()> {
        let [end, stdin, stdout, stderr] = self.wait(left)?;
        self.ended |= end;
        if stdin {
            self.write();
        }
        if stdout {
            self.stdout.take()?;
        }
        if stderr {
            self.stderr.take()?;
        }
        Ok(())
    }

    /// Which of the child's end, stdin, stdout and stderr is ready.
    fn wait(&self, left: Option<Duration>) -> io::Result<[bool; 4]> {
        let end = (!self.ended).then(|| self.end.as_fd());
        let stdin = self.stdin.as_ref().map(AsFd::as_fd);
        let fds = [end, stdin, self.stdout.fd(), self.stderr.fd()];
        let mut places = Vec::with_capacity(fds.len());
        let mut polled = Vec::with_capacity(fds.len());
        for (place, fd) in fds.iter().enumerate() {
            if let Some(fd) = fd {
                let flags = if place == 1 { PollFlags::OUT } else { PollFlags::IN };
                places.push(place);
                polled.push(PollFd::from_borrowed_fd(*fd, flags));
            }
        }
        // The longest time that can be said is as good as for ever.
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = [false; 4];
        for (place, fd) in places.into_iter().zip(polled) {
            ready[place] = !fd.revents().is_empty();
        }
        Ok(ready)
    }

    /// Writes as much of the input as fits; a plugin that reads no further is no failure by itself.
    fn write(&mut self) {
        let Some(stdin) = &mut self.stdin else { return };
        match stdin.write(self.input) {
            Ok(written) => self.input = self.input.get(written..).unwrap_or_default(),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return;
            }
            Err(_) => self.input = &[],
        }
        if self.input.is_empty() {
            self.stdin = None;
        }
    }

    /// Ends the child and, if it has a group of its own, everything in it.
    fn end(&mut self) -> io::Result<()> {
        self.signal(Signal::TERM);
        self.serve(Instant::now().checked_add(self.grace), Self::is_over)?;
        self.signal(Signal::KILL);
        self.serve(Instant::now().checked_add(GRACE), |running| running.ended)?;
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        let sent = match self.group {
            Group::Callers => kill_process(self.pid, signal),
            Group::Own => kill_process_group(self.pid, signal),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, ?signal, "signal plugin");
        }
    }

    fn finish(self, end: End) -> Finished {
        if !matches!(end, End::Exited(_)) {
            reap(self.child);
        }
        Finished {
            end,
            stdout: self.stdout.into_kept(),
            stderr: self.stderr.into_kept(),
        }
    }
}

/// Waits for a child that was killed. If the kernel keeps it, in a file system that hangs perhaps, a
/// thread does the waiting.
fn reap(mut child: Child) {
    if !matches!(child.try_wait(), Ok(Some(_))) {
        // Without a thread it stays a zombie until we end, which is the lesser evil.
        drop(thread::Builder::new().spawn(move || child.wait()));
    }
}
