//! `plexus validate`: what is wrong in files, before a runtime meets it.

use std::path::{Path, PathBuf};

use clap::Args;
use plexus::validate::{self, Problem};
use serde::Serialize;

use super::machine::Failure;
use super::{Format, Out};

#[derive(Args)]
pub(crate) struct Options {
    /// Definitions and pods (.yaml, .yml, .json), CNI configurations (.conflist, .conf) or a policy
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A table for people, or JSON for programs
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
}

#[derive(Serialize)]
struct Row<'a> {
    file: &'a Path,
    #[serde(flatten)]
    problem: Problem,
}

pub(crate) fn run(options: &Options, out: &mut Out<'_>) -> Result<(), Failure> {
    let found = options.files.iter().flat_map(|file| {
        let problems = validate::file(file);
        problems.into_iter().map(move |problem| Row { file, problem })
    });
    let rows: Vec<Row<'_>> = found.collect();
    let line = |row: &Row<'_>| {
        let Problem { place, what, .. } = &row.problem;
        vec![format!("{}: {place}: {what}", row.file.display())]
    };
    let table: Vec<_> = match rows.is_empty() {
        true => vec![vec!["all is well".to_owned()]],
        false => rows.iter().map(line).collect(),
    };
    out.answer(&rows, &table)?;
    if rows.is_empty() {
        Ok(())
    } else {
        Err(Failure::Told)
    }
}
