//! What came of a call.

use std::fmt;

use crate::spec::{Error, Object, Success, Version, shortened};

/// What a plugin left behind: its exit code and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The exit code; `None` when it was killed.
    pub exit: Option<i32>,
    /// What it wrote to stdout: the answer.
    pub stdout: String,
    /// What it wrote to stderr: for people.
    pub stderr: String,
}

impl Outcome {
    /// What is not UTF-8 is replaced: it is no answer, and a reader of a failed test sees where.
    pub(super) fn new(exit: Option<i32>, stdout: Vec<u8>, stderr: Vec<u8>) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            exit,
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }

    /// Whether it ended with exit code 0.
    pub fn succeeded(&self) -> bool {
        self.exit == Some(0)
    }

    /// The answer to ADD.
    ///
    /// # Errors
    /// The plugin's error object.
    ///
    /// # Panics
    /// When the answer is neither a result nor an error.
    #[track_caller]
    pub fn result(&self) -> Result<Success, Error> {
        let object = self.answer()?;
        let version = object.parse_key("cniVersion").ok().flatten();
        let result = Success::decode(version.unwrap_or(Version::V0_1_0), self.stdout.as_bytes());
        Ok(result.unwrap_or_else(|error| self.no_answer(&error)))
    }

    /// The answer to a verb that has no result.
    ///
    /// # Errors
    /// The plugin's error object.
    ///
    /// # Panics
    /// When there is a result, or a failure without an error object.
    #[track_caller]
    pub fn done(&self) -> Result<(), Error> {
        if self.succeeded() && self.stdout.is_empty() {
            return Ok(());
        }
        self.answer()?;
        self.no_answer(&"a result where there is none")
    }

    /// The object on stdout if the call succeeded, else the error.
    #[track_caller]
    fn answer(&self) -> Result<Object, Error> {
        let object = Object::from_slice(self.stdout.as_bytes());
        let object = object.unwrap_or_else(|error| self.no_answer(&error));
        if self.succeeded() {
            return Ok(object);
        }
        Err(object.parse().unwrap_or_else(|error| self.no_answer(&error)))
    }

    #[track_caller]
    fn no_answer(&self, why: &dyn fmt::Display) -> ! {
        panic!("no answer: {why}: {self:?}")
    }
}

impl fmt::Display for Outcome {
    /// For a person who looks for a fault: what is long is cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exit {
            Some(code) => write!(f, "exit code {code}")?,
            None => f.write_str("no exit code")?,
        }
        write!(f, ", stdout {:?}", shortened(&self.stdout))?;
        match self.stderr.as_str() {
            "" => Ok(()),
            stderr => write!(f, ", stderr {:?}", shortened(stderr)),
        }
    }
}
