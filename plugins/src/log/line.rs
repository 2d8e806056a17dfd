//! One line of the log.

use std::fmt::{self, Arguments, Debug, Write};

use tracing::field::{Field, Visit};

/// Text on one line, and without what would command a terminal or be shown as something else: errors hold what others
/// have said.
#[derive(Default)]
pub(super) struct Line(String);

impl Line {
    pub(super) fn push(&mut self, text: Arguments<'_>) {
        // It is written to memory; a value that cannot be formatted is left out.
        self.write_fmt(text).unwrap_or_default();
    }

    /// Adds what `record` shows, with blanks between.
    pub(super) fn fields(&mut self, record: impl FnOnce(&mut dyn Visit)) {
        record(&mut Fields {
            line: self,
            first: true,
        });
    }

    pub(super) fn text(self) -> String {
        self.0
    }

    /// The text with the line's end.
    pub(super) fn ended(self) -> String {
        self.0 + "\n"
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(is_plain) {
            self.0.push_str(text);
            return Ok(());
        }
        for c in text.chars() {
            match u8::try_from(c).is_ok_and(is_plain) {
                true => self.0.push(c),
                false => self.0.extend(c.escape_debug()),
            }
        }
        Ok(())
    }
}

/// `text key=value key=value`.
struct Fields<'l> {
    line: &'l mut Line,
    first: bool,
}

impl Fields<'_> {
    fn name(&mut self, field: &Field) {
        if !self.first {
            self.line.0.push(' ');
        }
        self.first = false;
        if field.name() != "message" {
            self.line.0.push_str(field.name());
            self.line.0.push('=');
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.name(field);
        self.line.push(format_args!("{value:?}"));
    }

    /// The same for a string, without looking at each of its characters again where that changes nothing: what
    /// every call costs is the fields of its span, and these are strings.
    fn record_str(&mut self, field: &Field, value: &str) {
        let bare = value.bytes().all(|b| is_plain(b) && b != b'"' && b != b'\\');
        if !bare {
            return self.record_debug(field, &value);
        }
        self.name(field);
        for part in ["\"", value, "\""] {
            self.line.0.push_str(part);
        }
    }
}

/// Whether it stands for itself: a character of ASCII that shows.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_stay_and_what_turns_or_breaks_a_line_is_named() {
        let mut line = Line::default();
        line.push(format_args!("'\u{e4}\u{6f22}' \u{202e}\u{2028}\u{9b}2J\\ \t"));
        assert_eq!(line.text(), "'\u{e4}\u{6f22}' \\u{202e}\\u{2028}\\u{9b}2J\\ \\t");
    }
}
