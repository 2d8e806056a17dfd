#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::round::{Dump, Round};
use super::wire::{Content, messages};
use super::{Request, wire};

const ERROR: u16 = 2;
const DONE: u16 = 3;
const NEWLINK: u16 = 16;
const MULTI: u16 = 2;
const INTERRUPTED: u16 = 0x10;
const CAPPED_WITH_TEXT: u16 = 0x300;

fn request(what: &str, acknowledged: bool) -> Request {
    Request {
        what: what.to_owned(),
        kind: NEWLINK,
        flags: if acknowledged { 4 } else { 0 },
        body: vec![7; 5],
    }
}

/// One message as the kernel lays it.
fn message(kind: u16, flags: u16, seq: u32, body: &[u8]) -> Vec<u8> {
    let carrier = Request {
        what: String::new(),
        kind,
        flags: 0,
        body: body.to_vec(),
    };
    let mut bytes = Vec::new();
    wire::push(&mut bytes, &carrier, flags, seq);
    bytes
}

/// A refusal with the header of the request and the kernel's text.
fn refusal(seq: u32, errno: i32, text: &str) -> Vec<u8> {
    let mut body = (-errno).to_ne_bytes().to_vec();
    body.extend(message(NEWLINK, 0, seq, &[]));
    body.extend((text.len() as u16 + 5).to_ne_bytes());
    body.extend(1_u16.to_ne_bytes());
    body.extend(text.as_bytes());
    body.push(0);
    message(ERROR, CAPPED_WITH_TEXT, seq, &body)
}

fn ack(seq: u32) -> Vec<u8> {
    message(ERROR, 0, seq, &[0; 20])
}

#[test]
fn each_request_of_a_send_has_its_own_outcome() {
    let requests = [
        request("first", true),
        request("second", true),
        request("third", true),
    ];
    let mut round = Round::new(&requests, 10);
    round.take(&[ack(10), refusal(11, 17, "taken")].concat()).unwrap();
    assert!(!round.is_complete());
    round
        .take(&[message(NEWLINK, 0, 12, b"link"), ack(12)].concat())
        .unwrap();
    assert!(round.is_complete());
    let mut outcomes = round.outcomes().into_iter();
    assert!(outcomes.next().unwrap().unwrap().is_empty());
    let error = outcomes.next().unwrap().unwrap_err();
    assert!(error.is_exists() && error.errno() == Some(17), "{error:?}");
    assert_eq!(error.to_string(), "second");
    assert_eq!(outcomes.next().unwrap().unwrap(), [b"link"]);
}

#[test]
fn the_kernels_text_is_the_cause() {
    let requests = [request("set address", true)];
    let mut round = Round::new(&requests, 1);
    round.take(&refusal(1, 22, "Invalid prefix length")).unwrap();
    let error = round.outcomes().remove(0).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "Invalid argument (os error 22): Invalid prefix length");
}

#[test]
fn a_late_answer_of_an_earlier_request_is_dropped() {
    let requests = [request("now", true)];
    let mut round = Round::new(&requests, 5);
    round
        .take(&[refusal(4, 1, "late"), ack(u32::MAX), ack(6)].concat())
        .unwrap();
    assert!(!round.is_complete());
    round.take(&ack(5)).unwrap();
    assert!(round.is_complete() && round.outcomes().remove(0).is_ok());
}

#[test]
fn a_refused_request_that_asked_for_no_answer_fails_the_send() {
    let requests = [request("begin", false), request("rule", true)];
    let mut round = Round::new(&requests, 1);
    assert!(!round.is_complete());
    let error = round.take(&refusal(1, 1, "not allowed")).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.errno()), ("begin", Some(1)));
}

#[test]
fn a_list_that_changed_while_it_was_read_is_no_answer() {
    let mut dump = Dump::new("list", 3);
    dump.take(&message(NEWLINK, MULTI, 3, b"one")).unwrap();
    dump.take(&message(NEWLINK, MULTI | INTERRUPTED, 3, b"two"))
        .unwrap();
    dump.take(&message(DONE, MULTI, 3, &[0; 4])).unwrap();
    assert!(dump.is_complete());
    assert_eq!(dump.replies(), None);
}

#[test]
fn a_list_ends_with_its_last_message_or_with_a_refusal() {
    let mut dump = Dump::new("list", 3);
    dump.take(
        &[
            message(NEWLINK, MULTI, 2, b"late"),
            message(NEWLINK, MULTI, 3, b"one"),
        ]
        .concat(),
    )
    .unwrap();
    assert!(!dump.is_complete());
    dump.take(&message(DONE, MULTI, 3, &[])).unwrap();
    assert_eq!(dump.replies().unwrap(), [b"one"]);
    let refused = Dump::new("list", 3).take(&message(DONE, MULTI, 3, &(-95_i32).to_ne_bytes()));
    assert_eq!(refused.unwrap_err().errno(), Some(95));
}

#[test]
fn bytes_cut_anywhere_are_no_answer_and_no_panic() {
    let whole = [
        message(NEWLINK, MULTI, 1, b"link"),
        refusal(1, 22, "text"),
        message(DONE, MULTI, 1, &[0; 4]),
    ];
    let whole = whole.concat();
    assert_eq!(messages(&whole).count(), 3);
    for end in 0..whole.len() {
        assert!(messages(&whole[..end]).count() < 3, "{end}");
    }
    for start in 0..whole.len() {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[start] = byte;
            messages(&bytes).for_each(drop);
        }
    }
    let short = message(ERROR, CAPPED_WITH_TEXT, 1, &(-1_i32).to_ne_bytes());
    assert_eq!(
        messages(&short).next().unwrap().content,
        Content::Refused(1, None)
    );
}
