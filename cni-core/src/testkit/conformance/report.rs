//! What the suite found.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use super::NamedCase;
use super::probe::Probe;

/// All cases that an executable was put through.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    path: PathBuf,
    cases: Vec<Case>,
    /// The likely cause of faults.
    hint: Option<String>,
    /// How many cases were not run, and for want of what.
    left_out: Option<(usize, &'static str)>,
}

/// One case.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// A sentence that is true if the case holds.
    pub name: &'static str,
    /// Where it does not; nothing when the case holds.
    pub faults: Vec<Fault>,
}

/// One answer that is not as it has to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fault {
    /// What the plugin was asked.
    pub call: String,
    /// What had to come.
    pub expected: String,
    /// What came.
    pub seen: String,
}

/// More of one case tell nothing new.
const SHOWN: usize = 3;

impl Report {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            cases: Vec::new(),
            hint: None,
            left_out: None,
        }
    }

    /// Of an executable that could not be started: no case could be run.
    pub(super) fn not_started(path: &Path, error: &io::Error) -> Self {
        let mut report = Self::new(path);
        report.cases.push(Case::new(
            "the executable can be started",
            Vec::from([Fault {
                call: path.display().to_string(),
                expected: "a process".to_owned(),
                seen: error.to_string(),
            }]),
        ));
        report.hint = Some(format!("{} cannot be started: {error}", path.display()));
        report
    }

    /// Runs a case. If it has ADDs of which none succeeds, what the last came to.
    pub(super) fn run(&mut self, case: &NamedCase, mut probe: Probe<'_>) -> Option<String> {
        let (name, run) = case;
        run(&mut probe);
        let refusal = probe.refusal();
        self.cases.push(Case::new(name, probe.into_faults()));
        refusal
    }

    /// Says why there is no attachment. Of the case that found it out, the last fault is enough.
    pub(super) fn never_added(&mut self, refusal: &str) {
        let hint = "is `with_config`, `with_prev` or `with_ifname` of the `Subject` missing?";
        self.hint = Some(format!("ADD never succeeded: {refusal}; {hint}"));
        if let Some(case) = self.cases.last_mut() {
            case.faults.drain(..case.faults.len().saturating_sub(1));
        }
    }

    /// Says that `cases` more were not run, for want of `what`.
    pub(super) fn leave_out(&mut self, cases: usize, what: &'static str) {
        self.left_out = Some((cases, what));
    }

    /// All cases, in the order in which they were run.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The cases that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| !case.faults.is_empty())
    }

    /// Nothing if every case holds.
    ///
    /// # Panics
    /// With the whole report if one does not.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.failed().next().is_none(), "{self}");
    }
}

impl Case {
    pub(super) fn new(name: &'static str, faults: Vec<Fault>) -> Self {
        Self { name, faults }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, all) = (self.path.display(), self.cases.len());
        if let Some(hint) = &self.hint {
            writeln!(f, "{hint}")?;
        }
        write!(f, "{path}: {} of {all} cases hold", all - self.failed().count())?;
        match self.left_out {
            Some((cases, what)) => writeln!(f, "; {cases} more were not run for want of {what}")?,
            None => writeln!(f)?,
        }
        self.failed().try_for_each(|case| case.fmt(f))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "- does not hold: {}", self.name)?;
        for fault in self.faults.iter().take(SHOWN) {
            fault.fmt(f)?;
        }
        match self.faults.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "    and {more} more like these"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, expected, seen } = self;
        writeln!(f, "    {call}\n      expected {expected}\n      seen     {seen}")
    }
}
