//! What a program tells its operator: one line on stderr for each event.
//!
//! For `main` functions alone: who listens to a library is its program's business.

use std::ffi::OsStr;
use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;

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
    if level == LevelFilter::OFF {
        return;
    }
    // A span is no line: what is told within it says what it is about, whatever the level.
    let of_spans = level.max(LevelFilter::INFO);
    let told = filter_fn(move |event| match event.is_span() {
        true => *event.level() <= of_spans,
        false => *event.level() <= level,
    });
    let lines = layer().without_time().with_ansi(false).with_writer(|| OneLine);
    let subscriber = tracing_subscriber::registry()
        .with(lines.log_internal_errors(false))
        .with(told.with_max_level_hint(of_spans));
    drop(tracing::subscriber::set_global_default(subscriber));
}

/// Stderr, each event on a line of its own, without what would command a terminal or be shown as something else: errors
/// hold what others have said.
struct OneLine;

impl Write for OneLine {
    /// A whole event, which comes in one piece. When stderr is gone, so is whoever read it.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // What is left of the event's own blanks and the line's end.
        let mut line = escaped(String::from_utf8_lossy(event).trim());
        line.push('\n');
        // In one piece: other processes write there, too.
        io::stderr().write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn escaped(text: &str) -> String {
    let shows = |c: char| matches!(c, ' '..='~');
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        match shows(c) {
            true => line.push(c),
            false => line.extend(c.escape_debug()),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_stay_and_what_turns_or_breaks_a_line_is_named() {
        let said = escaped("'\u{e4}\u{6f22}' \u{202e}\u{2028}\u{9b}2J\\ \t");
        assert_eq!(said, "'\u{e4}\u{6f22}' \\u{202e}\\u{2028}\\u{9b}2J\\ \\t");
    }
}
