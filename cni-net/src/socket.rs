//! A blocking netlink socket: several requests in one send, dumps that are whole, waits that end.

mod pool;
mod round;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use netlink_bindings::consts::{NLM_F_ACK, NLM_F_DUMP};
use netlink_bindings::traits::{NetlinkRequest, Protocol as Requested};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, netlink, recv, send, socket_with,
    sockopt,
};

use crate::NetError;
use crate::sockopt::{Switch, turn_on};
pub(crate) use pool::Sockets;
use round::{Dump, Round};

/// How long the kernel may take to hand over the next answer.
const WAIT: Duration = Duration::from_secs(5);

/// The kernel's dumps come in pieces of 32 KiB at most; a single answer never reaches this.
const BUFFER: usize = 64 * 1024;

/// The answers to a send wait in the socket's buffer until we read them, so a send must not ask for more
/// than fits there.
const AT_ONCE: usize = 32;

/// How often a list that changed while it was read is read again.
const DUMPS: u32 = 10;

/// What an answer may occupy while it waits; also the most that one transaction may send.
const QUEUE: usize = 4 * 1024 * 1024;

/// Which part of the kernel a socket talks to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    /// nftables and connection tracking.
    Netfilter,
    /// Links, addresses, routes, neighbours.
    Route,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    what: String,
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl Request {
    /// `request`, which attempts `what`; the kernel is to acknowledge it.
    pub(crate) fn of(what: impl Into<String>, request: &impl NetlinkRequest) -> Self {
        let kind = match request.protocol() {
            Requested::Raw { request_type, .. } => request_type,
            // The number of a generic family is known at run time only, and we use none.
            Requested::Generic(_) => 0,
        };
        Self {
            what: what.into(),
            kind,
            flags: request.flags() | NLM_F_ACK as u16,
            body: request.payload().to_vec(),
        }
    }

    /// The same with no acknowledgement asked for: only a refusal is answered, and it fails the whole send.
    pub(crate) fn unacknowledged(mut self) -> Self {
        self.flags &= !(NLM_F_ACK as u16);
        self
    }

    fn acknowledged(&self) -> bool {
        self.flags & NLM_F_ACK as u16 != 0
    }
}

/// One message of an answer: what follows the netlink header.
pub(crate) type Reply = Vec<u8>;

/// What came of one request: the messages of its answer, often none.
pub(crate) type Outcome = Result<Vec<Reply>, NetError>;

/// One netlink socket in one namespace.
struct Socket {
    fd: OwnedFd,
    /// The number of the last request; answers bear it, so that a late one is known and dropped.
    seq: u32,
    buffer: Vec<u8>,
}

impl fmt::Debug for Socket {
    /// Without the buffer, which holds answers of earlier requests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("fd", &self.fd)
            .finish_non_exhaustive()
    }
}

impl Socket {
    /// A socket in the calling thread's namespace.
    fn open(protocol: Protocol) -> Result<Self, NetError> {
        let failed = |source| NetError::Request {
            what: "open a netlink socket".to_owned(),
            source,
        };
        let fd = connected(protocol).map_err(failed)?;
        let buffer = vec![0; BUFFER];
        Ok(Self { fd, seq: 0, buffer })
    }

    fn batch(&mut self, requests: &[Request]) -> Result<Vec<Outcome>, NetError> {
        let mut outcomes = Vec::with_capacity(requests.len());
        for part in requests.chunks(AT_ONCE) {
            outcomes.extend(self.round(part)?);
        }
        Ok(outcomes)
    }

    fn dump(&mut self, request: &Request) -> Outcome {
        for _ in 0..DUMPS {
            if let Some(replies) = self.dump_once(request)? {
                return Ok(replies);
            }
        }
        let text = Some("the list changed each time that it was read".to_owned());
        Err(NetError::refused(
            &*request.what,
            Errno::INTR.raw_os_error(),
            text,
        ))
    }

    fn round(&mut self, requests: &[Request]) -> Result<Vec<Outcome>, NetError> {
        let what = requests.first().map_or("", |request| &request.what);
        let first = self.seq.wrapping_add(1);
        self.seq = self.seq.wrapping_add(requests.len() as u32);
        let mut datagram = Vec::new();
        for (seq, request) in (0..).zip(requests) {
            wire::push(&mut datagram, request, request.flags, first.wrapping_add(seq));
        }
        self.send(&datagram, what)?;
        let mut round = Round::new(requests, first);
        while !round.is_complete() {
            let length = self.receive(what)?;
            round.take(self.buffer.get(..length).unwrap_or_default())?;
        }
        Ok(round.outcomes())
    }

    /// Nothing when the list changed while it was read.
    fn dump_once(&mut self, request: &Request) -> Result<Option<Vec<Reply>>, NetError> {
        self.seq = self.seq.wrapping_add(1);
        let flags = request.flags & !(NLM_F_ACK as u16) | NLM_F_DUMP as u16;
        let mut datagram = Vec::new();
        wire::push(&mut datagram, request, flags, self.seq);
        self.send(&datagram, &request.what)?;
        let mut dump = Dump::new(&request.what, self.seq);
        while !dump.is_complete() {
            let length = self.receive(&request.what)?;
            dump.take(self.buffer.get(..length).unwrap_or_default())?;
        }
        Ok(dump.replies())
    }

    fn send(&self, datagram: &[u8], what: &str) -> Result<(), NetError> {
        loop {
            match send(&self.fd, datagram, SendFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failed(what, errno)),
            }
        }
    }

    fn receive(&mut self, what: &str) -> Result<usize, NetError> {
        loop {
            match recv(&self.fd, &mut *self.buffer, RecvFlags::TRUNC) {
                // A piece was cut off, so the answer is not known.
                Ok((read, length)) if length > read => return Err(failed(what, Errno::MSGSIZE)),
                Ok((read, _)) => return Ok(read),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failed(what, errno)),
            }
        }
    }
}

/// What came of a batch as a whole.
///
/// # Errors
/// The first refusal.
pub(crate) fn first_refusal(outcomes: Vec<Outcome>) -> Result<(), NetError> {
    outcomes.into_iter().try_for_each(|outcome| outcome.map(drop))
}

/// Whether a deletion found what it was to delete.
///
/// # Errors
/// When the kernel refused for another reason than that it was not there.
pub(crate) fn present(outcome: Outcome) -> Result<bool, NetError> {
    match outcome {
        Err(error) if error.is_absent() => Ok(false),
        outcome => outcome.map(|_| true),
    }
}

fn failed(what: &str, errno: Errno) -> NetError {
    match errno {
        Errno::AGAIN => NetError::Timeout {
            what: what.to_owned(),
        },
        _ => NetError::refused(what, errno.raw_os_error(), None),
    }
}

/// A socket that hears the kernel alone: connected, so that nobody else can send to it.
fn connected(protocol: Protocol) -> io::Result<OwnedFd> {
    let number = match protocol {
        Protocol::Netfilter => Some(netlink::NETFILTER),
        Protocol::Route => None,
    };
    let fd = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        number,
    )?;
    for switch in [Switch::CapAck, Switch::ExtAck, Switch::StrictCheck] {
        turn_on(fd.as_fd(), switch)?;
    }
    sockopt::set_socket_timeout(&fd, sockopt::Timeout::Recv, Some(WAIT))?;
    sockopt::set_socket_timeout(&fd, sockopt::Timeout::Send, Some(WAIT))?;
    // Beyond the machine's limit only with CAP_NET_ADMIN over the machine; the limit is enough for most.
    if sockopt::set_socket_recv_buffer_size_force(&fd, QUEUE).is_err() {
        sockopt::set_socket_recv_buffer_size(&fd, QUEUE)?;
    }
    if sockopt::set_socket_send_buffer_size_force(&fd, QUEUE).is_err() {
        sockopt::set_socket_send_buffer_size(&fd, QUEUE)?;
    }
    connect(&fd, &netlink::SocketAddrNetlink::new(0, 0))?;
    Ok(fd)
}
