//! How messages lie in a datagram (RFC 3549, section 2.3.2; netlink(7)).

use netlink_bindings::consts::{NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLM_F_REQUEST};
use netlink_bindings::utils::{IterableChunks, align, nla_align_up, parse_i32, parse_u16, parse_u32};

use super::Request;

/// The length of `struct nlmsghdr`.
const HEADER: usize = 16;

const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// Appends `request` with `flags` and the number `seq`.
pub(super) fn push(datagram: &mut Vec<u8>, request: &Request, flags: u16, seq: u32) {
    let length = (HEADER + request.body.len()) as u32;
    datagram.extend(length.to_ne_bytes());
    datagram.extend(request.kind.to_ne_bytes());
    datagram.extend((flags | NLM_F_REQUEST as u16).to_ne_bytes());
    datagram.extend(seq.to_ne_bytes());
    datagram.extend(0_u32.to_ne_bytes());
    datagram.extend(&request.body);
    align(datagram);
}

/// One message of the kernel's.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) seq: u32,
    /// Whether the list that this is a part of changed while it was read.
    pub(super) interrupted: bool,
    pub(super) content: Content<'a>,
}

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// The request was carried out.
    Ack,
    /// A part of the answer.
    Data(&'a [u8]),
    /// The list ends here.
    Done,
    /// Nothing.
    Noop,
    /// The request was refused with a number and perhaps a text.
    Refused(i32, Option<String>),
}

/// The messages of a datagram, up to the first that is cut off.
pub(super) fn messages(datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = parse_u32(rest)? as usize;
        let message = read(rest.get(..length)?)?;
        rest = rest.get(nla_align_up(length)..).unwrap_or_default();
        Some(message)
    })
}

/// Nothing when it is shorter than its header.
fn read(message: &[u8]) -> Option<Message<'_>> {
    let kind = parse_u16(message.get(4..)?)?;
    let flags = parse_u16(message.get(6..)?)?;
    let seq = parse_u32(message.get(8..)?)?;
    let body = message.get(HEADER..)?;
    let content = match kind {
        NLMSG_NOOP => Content::Noop,
        NLMSG_ERROR => outcome(body, flags, Content::Ack)?,
        // The number that ends a list is left out by some of the kernel's parts.
        NLMSG_DONE => outcome(body, flags, Content::Done).unwrap_or(Content::Done),
        _ => Content::Data(body),
    };
    let interrupted = flags & NLM_F_DUMP_INTR as u16 != 0;
    Some(Message {
        seq,
        interrupted,
        content,
    })
}

/// `good` when the number is 0, else the refusal.
fn outcome<'a>(body: &[u8], flags: u16, good: Content<'a>) -> Option<Content<'a>> {
    let number = parse_i32(body)?;
    if number == 0 {
        return Some(good);
    }
    let text = (flags & NLM_F_ACK_TLVS as u16 != 0).then(|| text(body, flags, &good));
    Some(Content::Refused(number.wrapping_neg(), text.flatten()))
}

/// The kernel's text, which follows the number and, in a refusal, the request's header and maybe the request.
fn text(body: &[u8], flags: u16, good: &Content<'_>) -> Option<String> {
    let skipped = match good {
        Content::Done => 4,
        _ if flags & NLM_F_CAPPED as u16 != 0 => 4 + HEADER,
        _ => 4 + nla_align_up(parse_u32(body.get(4..)?)? as usize),
    };
    let mut attributes = IterableChunks::new(body.get(skipped..)?);
    let (_, text) = attributes.find(|(header, _)| header.r#type == NLMSGERR_ATTR_MSG)?;
    let text = text.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(text).into_owned())
}
