//! What the suite found.

use std::fmt;
use std::path::{Path, PathBuf};

/// All cases that an executable was put through.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    path: PathBuf,
    cases: Vec<Case>,
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
    pub(super) fn new(path: &Path, cases: Vec<Case>) -> Self {
        Self {
            path: path.to_owned(),
            cases,
        }
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
        writeln!(f, "{path}: {} of {all} cases hold", all - self.failed().count())?;
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
