//! `plexus validate`: what is wrong in files, before a runtime meets it.

use std::path::{Path, PathBuf};

use clap::Args;
use plexus::validate::{self, Problem};
use serde::Serialize;

use super::machine::Failure;
use super::{Format, Out};

#[derive(Args)]
pub(crate) struct Options {
    /// Definitions, pods and what has a template of pods (.yaml, .yml, .json), CNI configurations
    /// (.conflist, .conf) or a policy (.json)
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
    let (mut rows, mut found) = (Vec::new(), 0);
    for file in &options.files {
        let report = validate::file(file);
        found += report.found;
        if report.found == 0 && report.problems.is_empty() {
            out.warning(&format!(
                "{}: nothing in it is of a kind that is looked into",
                file.display()
            ));
        }
        rows.extend(report.problems.into_iter().map(|problem| Row { file, problem }));
    }
    let line = |row: &Row<'_>| {
        let Problem { place, what, .. } = &row.problem;
        vec![format!("{}: {place}: {what}", row.file.display())]
    };
    let table: Vec<_> = match rows.is_empty() {
        true => vec![vec![format!("no problems ({found} looked into)")]],
        false => rows.iter().map(line).collect(),
    };
    out.answer(&rows, &table)?;
    if rows.is_empty() {
        Ok(())
    } else {
        Err(Failure::Told)
    }
}
