//! A subscriber that keeps what it is told.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Spans and events, each as its name and fields in one line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) spans: Vec<String>,
    /// Each with the span that it is in.
    pub(crate) events: Vec<(Option<String>, String)>,
    entered: Vec<usize>,
}

/// The subscriber; spans are numbered from 1.
pub(crate) struct Recorder(Arc<Mutex<Recorded>>);

impl Recorder {
    /// What this thread told while it ran `told`.
    pub(crate) fn record(told: impl FnOnce()) -> Recorded {
        let recorded = Arc::default();
        tracing::subscriber::with_default(Self(Arc::clone(&recorded)), told);
        recorded.lock().unwrap().clone()
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
        let mut recorded = self.0.lock().unwrap();
        recorded.spans.push(line.0);
        Id::from_u64(recorded.spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        let mut recorded = self.0.lock().unwrap();
        let span = recorded.entered.last().map(|at| recorded.spans[at - 1].clone());
        recorded.events.push((span, line.0));
    }

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.push(span.into_u64() as usize);
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().entered.pop();
    }
}
