//! The spans that are open, and those that each thread is in.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata};
use tracing_core::span::Current;

use super::line::Line;

/// All spans of the process.
#[derive(Default)]
pub(super) struct Spans(Mutex<Open>);

#[derive(Default)]
struct Open {
    last: u64,
    spans: BTreeMap<u64, Span>,
}

struct Span {
    shown: Shown,
    /// How many hold it.
    holders: usize,
}

/// A span in a line, behind those around it.
#[derive(Clone)]
struct Shown {
    text: Arc<str>,
    metadata: &'static Metadata<'static>,
}

thread_local! {
    /// The spans that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<(Id, Shown)>> = const { RefCell::new(Vec::new()) };
}

/// `None` at the very end of a thread, when what it kept for itself is gone already: what is told then is in no span.
fn entered<T>(then: impl FnOnce(&mut Vec<(Id, Shown)>) -> T) -> Option<T> {
    ENTERED.try_with(|entered| then(&mut entered.borrow_mut())).ok()
}

impl Spans {
    pub(super) fn open(&self, span: &Attributes<'_>) -> Id {
        let metadata = span.metadata();
        let mut line = Line::default();
        if let Some(around) = self.around(span.parent(), span.is_contextual()) {
            line.push(format_args!("{around}:"));
        }
        line.push(format_args!("{}{{", metadata.name()));
        line.fields(|visit| span.record(visit));
        line.push(format_args!("}}"));
        let shown = Shown {
            text: line.text().into(),
            metadata,
        };
        let mut open = self.lock();
        open.last += 1;
        let number = open.last;
        open.spans.insert(number, Span { shown, holders: 1 });
        Id::from_u64(number)
    }

    pub(super) fn keep(&self, id: &Id) {
        if let Some(span) = self.lock().spans.get_mut(&id.into_u64()) {
            span.holders += 1;
        }
    }

    /// Whether it was the last who held it.
    pub(super) fn release(&self, id: &Id) -> bool {
        let mut open = self.lock();
        let Some(span) = open.spans.get_mut(&id.into_u64()) else {
            return false;
        };
        span.holders = span.holders.saturating_sub(1);
        let closed = span.holders == 0;
        if closed {
            open.spans.remove(&id.into_u64());
        }
        closed
    }

    pub(super) fn enter(&self, id: &Id) {
        if let Some(shown) = self.shown(id) {
            entered(|entered| entered.push((id.clone(), shown)));
        }
    }

    pub(super) fn exit(&self, id: &Id) {
        entered(|entered| {
            let innermost = entered.iter().rposition(|(entered, _)| entered == id);
            innermost.map(|at| entered.remove(at))
        });
    }

    pub(super) fn current(&self) -> Current {
        match entered(|entered| entered.last().cloned()).flatten() {
            Some((id, shown)) => Current::new(id, shown.metadata),
            None => Current::none(),
        }
    }

    /// The spans in which `event` is told.
    pub(super) fn text_around(&self, event: &Event<'_>) -> Option<Arc<str>> {
        self.around(event.parent(), event.is_contextual())
    }

    /// The text of the parent: the one named, or else the one that the thread is in.
    fn around(&self, parent: Option<&Id>, contextual: bool) -> Option<Arc<str>> {
        let shown = match parent {
            Some(id) => self.shown(id),
            None if contextual => entered(|entered| Some(entered.last()?.1.clone())).flatten(),
            None => None,
        };
        shown.map(|shown| shown.text)
    }

    fn shown(&self, id: &Id) -> Option<Shown> {
        Some(self.lock().spans.get(&id.into_u64())?.shown.clone())
    }

    /// A thread that panicked has left nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Last;

    impl Drop for Last {
        fn drop(&mut self) {
            assert!(Spans::default().current().id().is_none());
        }
    }

    thread_local! {
        static LAST: Last = const { Last };
    }

    #[test]
    fn a_thread_may_tell_of_its_very_end() {
        let thread = std::thread::spawn(|| {
            // What is used first is dropped last.
            LAST.with(|_| ());
            Spans::default().current();
        });
        thread.join().unwrap();
    }
}
