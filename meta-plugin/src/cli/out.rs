//! Where answers go: tables or JSON on stdout, everything else on stderr.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::machine::Failure;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

/// Stdout and stderr of a command.
pub(crate) struct Out<'a> {
    format: Format,
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
}

impl<'a> Out<'a> {
    pub(crate) fn new(format: Format, stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        Self {
            format,
            stdout,
            stderr,
        }
    }

    /// The answer: `json` as it is, or else the lines of `table`, whose columns are aligned.
    pub(crate) fn answer(&mut self, json: &impl Serialize, table: &[Vec<String>]) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.stdout.write_all(aligned(table).as_bytes())?,
            Format::Json => {
                serde_json::to_writer_pretty(&mut *self.stdout, json).map_err(io::Error::from)?;
                self.stdout.write_all(b"\n")?;
            }
        }
        Ok(self.stdout.flush()?)
    }

    /// Stdout, for an answer that comes piece by piece.
    pub(crate) fn stdout(&mut self) -> &mut dyn Write {
        self.stdout
    }

    /// One line on stdout.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.stdout, "{text}")?;
        Ok(self.stdout.flush()?)
    }

    /// What is going on, for somebody who watches.
    pub(crate) fn progress(&mut self, text: &str) {
        if io::stderr().is_terminal() {
            self.warning(text);
        }
    }

    /// What went well and yet is not as it should be.
    pub(crate) fn warning(&mut self, text: &str) {
        // A lost message is no reason to fail.
        drop(writeln!(self.stderr, "plexus: {}", printable(text)));
    }

    /// Why the command failed: the error object for programs, a line for people.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        match (self.format, failure) {
            (Format::Json, Failure::Cni(error)) => {
                // If stdout is gone the exit code still says it.
                drop(self.answer(error, &[]));
            }
            (_, Failure::Cni(error)) => self.warning(&format!("{error} (code {})", error.code)),
            (_, Failure::Told) => {}
            (_, Failure::Plain(text)) => self.warning(text),
        }
    }
}

/// `text` on one line, and without what would command the terminal: plugins may say anything.
fn printable(text: &str) -> String {
    let one = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(one).collect()
}

/// The cells of each column below each other.
fn aligned(rows: &[Vec<String>]) -> String {
    let printable = |row: &Vec<String>| row.iter().map(|cell| printable(cell)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(printable).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["A", "LONG", "C"], ["bbbb", "é", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows), "A     LONG  C\nbbbb  é\n");
    }

    #[test]
    fn a_cell_is_one_line_and_commands_no_terminal() {
        let rows = [vec!["a\nb".to_owned(), "\u{1b}[2J".to_owned()]];
        assert_eq!(aligned(&rows), "a\\nb  \\u{1b}[2J\n");
    }
}
