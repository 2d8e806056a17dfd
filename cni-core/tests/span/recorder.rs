//! A subscriber that keeps what it is told, for each thread.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Spans and events, each as its name and fields in one line.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) spans: Vec<String>,
    /// Each with the span that it is in.
    pub(crate) events: Vec<(Option<String>, String)>,
    entered: Vec<usize>,
}

thread_local! {
    static RECORDED: RefCell<Recorded> = RefCell::default();
}

/// The subscriber; a thread's spans are numbered from 1.
///
/// It is the whole process', and there before anything is told: of what threads without a subscriber tell while
/// another gets one, tracing may remember that nobody wants to hear it.
pub(crate) struct Recorder;

impl Recorder {
    /// What this thread told while it ran `told`.
    pub(crate) fn record(told: impl FnOnce()) -> Recorded {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| tracing::subscriber::set_global_default(Self).unwrap());
        RECORDED.take();
        told();
        RECORDED.take()
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value}").unwrap();
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(span.metadata().name().to_owned());
        span.record(&mut line);
        let number = RECORDED.with_borrow_mut(|recorded| {
            recorded.spans.push(line.0);
            recorded.spans.len()
        });
        Id::from_u64(number as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        RECORDED.with_borrow_mut(|recorded| {
            let span = recorded.entered.last().map(|at| recorded.spans[at - 1].clone());
            recorded.events.push((span, line.0));
        });
    }

    fn enter(&self, span: &Id) {
        RECORDED.with_borrow_mut(|recorded| recorded.entered.push(span.into_u64() as usize));
    }

    fn exit(&self, _: &Id) {
        RECORDED.with_borrow_mut(|recorded| recorded.entered.pop());
    }
}
