//! ICMP echo by a socket of our own: the demonstration needs no `ping`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketType, connect, ipproto, recv, send, socket, sockopt,
};

/// Echo requests before an address counts as unreachable; the first may be lost to neighbour discovery.
const TRIES: u8 = 3;
const WAIT: Duration = Duration::from_secs(1);

/// Sends echo requests to `address` from the calling thread's namespace; how long the answer took.
///
/// The namespace must let group 0 use ICMP sockets (`net.ipv4.ping_group_range`).
///
/// # Errors
/// When no answer came, with the kind of the last failure.
pub(super) fn ping(address: IpAddr) -> io::Result<Duration> {
    let (family, protocol, request, reply) = match address {
        IpAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP, 8, 0),
        IpAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6, 128, 129),
    };
    let socket = socket(family, SocketType::DGRAM, Some(protocol))?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(WAIT))?;
    connect(&socket, &SocketAddr::new(address, 0))?;
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for sequence in 0..TRIES {
        let start = Instant::now();
        // Type, code, checksum and identifier (both the kernel's), sequence number.
        let packet = [request, 0, 0, 0, 0, 0, 0, sequence];
        match exchange(&socket, &packet) {
            Ok(answer) if answer[0] == reply && answer[7] == sequence => return Ok(start.elapsed()),
            Ok(_) => {}
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn exchange(socket: &rustix::fd::OwnedFd, packet: &[u8; 8]) -> io::Result<[u8; 8]> {
    send(socket, packet, SendFlags::empty())?;
    let mut answer = [0; 8];
    let (length, _) = recv(socket, &mut answer, RecvFlags::empty())?;
    if length == answer.len() {
        Ok(answer)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
