//! What a program tells its operator: one line on stderr for each event.
//!
//! For `main` functions alone: who listens to a library is its program's business.

mod line;
mod spans;

use std::ffi::OsStr;
use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

use line::Line;
use spans::Spans;

/// The variable of the environment that says how much is told: `error`, `warn` (the default), `info`, `debug`,
/// `trace` or `off`.
pub const VARIABLE: &str = "PLEXUS_LOG";

/// From now on, writes to stderr what this process logs; `wanted` is the value of [`VARIABLE`].
///
/// A line has the level, the spans with their fields (of a plugin: verb, plugin, network, container, interface
/// and trace), the module, the text and its fields. It bears no time: whoever keeps it knows when it came.
///
/// A `wanted` that is no level is warned of: no call fails for what would have been said about it. Nothing
/// happens when somebody listens to the process already.
pub fn to_stderr(wanted: Option<&OsStr>) {
    let wanted = wanted.filter(|wanted| !wanted.is_empty());
    let level = wanted.map(|wanted| wanted.to_str()?.parse().ok());
    listen(level.flatten().unwrap_or(LevelFilter::WARN));
    if let (Some(value), Some(None)) = (wanted, level) {
        tracing::warn!(
            ?value,
            "{VARIABLE} is none of error, warn, info, debug, trace and off"
        );
    }
}

fn listen(level: LevelFilter) {
    // Spans then cost nothing, either.
    if level != LevelFilter::OFF {
        let spans = Spans::default();
        drop(tracing::subscriber::set_global_default(Stderr { level, spans }));
    }
}

/// The subscriber.
///
/// It is ours because a program lives for milliseconds: what `tracing-subscriber` lays out before the first span
/// is an eighth of the instructions of a bridge's ADD, this is a hundredth.
struct Stderr {
    level: LevelFilter,
    spans: Spans,
}

impl Stderr {
    /// A span is no line: what is told within it says what it is about, whatever the level.
    fn level_of_spans(&self) -> LevelFilter {
        self.level.max(LevelFilter::INFO)
    }
}

impl Subscriber for Stderr {
    fn enabled(&self, told: &Metadata<'_>) -> bool {
        let level = if told.is_span() {
            self.level_of_spans()
        } else {
            self.level
        };
        *told.level() <= level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level_of_spans())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.spans.open(span)
    }

    /// Our spans have all their fields from the beginning.
    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let told = event.metadata();
        let mut line = Line::default();
        line.push(format_args!("{} ", told.level()));
        if let Some(span) = self.spans.text_around(event) {
            line.push(format_args!("{span}: "));
        }
        line.push(format_args!("{}: ", told.target()));
        line.fields(|visit| event.record(visit));
        // In one piece: other processes write there, too. When stderr is gone, so is whoever read it.
        drop(io::stderr().write_all(line.ended().as_bytes()));
    }

    fn enter(&self, span: &Id) {
        self.spans.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.spans.exit(span);
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.spans.keep(span);
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        self.spans.release(&span)
    }

    fn current_span(&self) -> Current {
        self.spans.current()
    }
}
