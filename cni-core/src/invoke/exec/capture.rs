//! What a plugin writes, kept up to a bound.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// One of a plugin's output pipes.
pub(super) struct Capture<P> {
    /// `None` once everybody who could write has closed it.
    pipe: Option<P>,
    kept: Vec<u8>,
    limit: usize,
    overflowed: bool,
}

impl<P: Read + AsFd> Capture<P> {
    pub(super) fn new(pipe: Option<P>, limit: usize) -> Self {
        Self {
            pipe,
            kept: Vec::new(),
            limit,
            overflowed: false,
        }
    }

    /// What to wait on for more.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.pipe.is_none()
    }

    /// Whether something was dropped for being beyond the limit.
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn into_kept(self) -> Vec<u8> {
        self.kept
    }

    /// Reads what there is; to be called when the pipe is readable, so that it does not block.
    pub(super) fn take(&mut self) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        let mut buffer = [0; 16 << 10];
        match pipe.read(&mut buffer) {
            Ok(0) => self.pipe = None,
            Ok(length) => {
                let room = self.limit - self.kept.len();
                self.overflowed |= length > room;
                self.kept.extend(buffer.iter().take(length.min(room)));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
