//! What has been answered of what was asked.

use super::wire::{Content, messages};
use super::{Outcome, Reply, Request};
use crate::NetError;

/// The requests of one send, and what has come of each.
pub(super) struct Round<'a> {
    requests: &'a [Request],
    /// The number of the first of them; the others follow.
    first: u32,
    /// The messages before the acknowledgement, for each.
    replies: Vec<Vec<Reply>>,
    /// What ended each.
    ends: Vec<Option<Result<(), NetError>>>,
}

impl<'a> Round<'a> {
    pub(super) fn new(requests: &'a [Request], first: u32) -> Self {
        let end = |request: &Request| (!request.acknowledged()).then_some(Ok(()));
        Self {
            requests,
            first,
            replies: vec![Vec::new(); requests.len()],
            ends: requests.iter().map(end).collect(),
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.ends.iter().all(Option::is_some)
    }

    /// Sorts the messages of `datagram` to the requests that they answer.
    ///
    /// # Errors
    /// The refusal of a request that asked for no acknowledgement: the others may then never be answered.
    pub(super) fn take(&mut self, datagram: &[u8]) -> Result<(), NetError> {
        for message in messages(datagram) {
            let at = message.seq.wrapping_sub(self.first) as usize;
            // One of an earlier request, which was given up.
            let (Some(request), Some(replies), Some(end)) = (
                self.requests.get(at),
                self.replies.get_mut(at),
                self.ends.get_mut(at),
            ) else {
                continue;
            };
            match message.content {
                Content::Ack | Content::Done => *end = Some(Ok(())),
                Content::Data(body) => replies.push(body.to_vec()),
                Content::Noop => {}
                Content::Refused(errno, text) => {
                    let refusal = NetError::refused(&*request.what, errno, text);
                    if !request.acknowledged() {
                        return Err(refusal);
                    }
                    *end = Some(Err(refusal));
                }
            }
        }
        Ok(())
    }

    pub(super) fn outcomes(self) -> Vec<Outcome> {
        let pairs = self.replies.into_iter().zip(self.ends);
        pairs
            .map(|(replies, end)| end.unwrap_or(Ok(())).map(|()| replies))
            .collect()
    }
}

/// A list that is being read.
pub(super) struct Dump<'a> {
    what: &'a str,
    seq: u32,
    replies: Vec<Reply>,
    done: bool,
    interrupted: bool,
}

impl<'a> Dump<'a> {
    pub(super) fn new(what: &'a str, seq: u32) -> Self {
        Self {
            what,
            seq,
            replies: Vec::new(),
            done: false,
            interrupted: false,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.done
    }

    /// Takes the messages of `datagram` that belong to the list.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub(super) fn take(&mut self, datagram: &[u8]) -> Result<(), NetError> {
        for message in messages(datagram).filter(|message| message.seq == self.seq) {
            self.interrupted |= message.interrupted;
            match message.content {
                Content::Data(body) => self.replies.push(body.to_vec()),
                Content::Ack | Content::Done => self.done = true,
                Content::Noop => {}
                Content::Refused(errno, text) => return Err(NetError::refused(self.what, errno, text)),
            }
        }
        Ok(())
    }

    /// Nothing when the list changed while it was read.
    pub(super) fn replies(self) -> Option<Vec<Reply>> {
        (!self.interrupted).then_some(self.replies)
    }
}
