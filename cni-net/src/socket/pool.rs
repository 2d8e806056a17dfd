//! The sockets of one namespace for one part of the kernel: as many as there are threads that ask at once.
//!
//! The kernel works on a request while it is being sent. To delete a link takes it 17 ms and more, most of which
//! several deletions can wait for together: with one socket for all threads of a process they would queue up, and
//! everything else behind them.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Outcome, Protocol, Reply, Request, Socket};
use crate::NetError;
use crate::netns::Door;
use crate::sockopt::netns_cookie;

/// How many sockets that nobody uses are kept.
const KEPT: usize = 16;

/// The sockets of a namespace for one part of the kernel, opened when they are needed.
#[derive(Debug)]
pub(crate) struct Sockets {
    door: Arc<Door>,
    protocol: Protocol,
    idle: Mutex<Vec<Socket>>,
}

impl Sockets {
    /// None yet.
    pub(crate) fn new(door: Arc<Door>, protocol: Protocol) -> Self {
        Self {
            door,
            protocol,
            idle: Mutex::default(),
        }
    }

    /// The number of the namespace that they are in.
    pub(crate) fn netns_cookie(&self) -> Result<io::Result<u64>, NetError> {
        self.with(|socket| Ok(netns_cookie(socket.fd.as_fd())))
    }

    /// Sends one request and waits for its answer.
    pub(crate) fn ask(&self, request: &Request) -> Outcome {
        let mut outcomes = self.batch(std::slice::from_ref(request))?;
        outcomes.pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Sends `requests` together and answers for each what came of it, in their order. The kernel goes on
    /// after one that it refused, so none may rest on the success of another.
    pub(crate) fn batch(&self, requests: &[Request]) -> Result<Vec<Outcome>, NetError> {
        self.with(|socket| socket.batch(requests))
    }

    /// Sends `requests` in one piece, however many they are: what nftables takes as one transaction.
    ///
    /// # Errors
    /// The first refusal.
    pub(crate) fn transaction(&self, requests: &[Request]) -> Result<Vec<Vec<Reply>>, NetError> {
        self.with(|socket| socket.round(requests)?.into_iter().collect())
    }

    /// Reads a list as it was at one moment.
    ///
    /// # Errors
    /// When the kernel refuses, or the list changed each time that it was read.
    pub(crate) fn dump(&self, request: &Request) -> Outcome {
        self.with(|socket| socket.dump(request))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Socket) -> Result<T, NetError>) -> Result<T, NetError> {
        let idle = self.idle().pop();
        let mut socket = match idle {
            Some(socket) => socket,
            None => self.door.run(|| Socket::open(self.protocol))??,
        };
        let outcome = f(&mut socket);
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(socket);
        }
        outcome
    }

    /// A list of sockets is whole at every moment, so a panic of another thread does no harm.
    fn idle(&self) -> MutexGuard<'_, Vec<Socket>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use crate::netns::Place;

    #[test]
    fn nobody_waits_for_anothers_answer_and_sockets_are_used_again() {
        let place = Place::here().unwrap();
        let sockets = place.route();
        let in_use = sockets.with(|_| sockets.with(|_| Ok(sockets.idle().len())));
        assert_eq!((in_use.unwrap(), sockets.idle().len()), (0, 2));
        sockets.with(|_| Ok(())).unwrap();
        assert_eq!(sockets.idle().len(), 2);
    }
}
