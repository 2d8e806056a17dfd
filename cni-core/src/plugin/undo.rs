//! Undoing an ADD that fails, and taking an attachment down as far as it goes.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::spec::Error;

/// One thing to take back.
type Undo<'a> = Box<dyn FnOnce() -> Result<(), Error> + 'a>;

/// What an ADD has made so far: taken back on drop, newest first, unless committed.
#[derive(Default)]
#[must_use = "dropping it at once undoes nothing of what follows"]
pub struct Rollback<'a> {
    steps: Vec<(&'static str, Undo<'a>)>,
}

impl<'a> Rollback<'a> {
    /// Adds a step to take back on failure; `what` names it in the log, which is lost unless `main` has set a
    /// subscriber ([`guide::errors`](crate::guide::errors)).
    pub fn on_failure(&mut self, what: &'static str, undo: impl FnOnce() -> Result<(), Error> + 'a) {
        self.steps.push((what, Box::new(undo)));
    }

    /// The ADD succeeded: nothing is taken back.
    pub fn commit(mut self) {
        self.steps.clear();
    }
}

impl fmt::Debug for Rollback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps.iter().map(|(what, _)| what);
        f.debug_list().entries(steps).finish()
    }
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        while let Some((what, undo)) = self.steps.pop() {
            // The error that led here is the one to report; this one is only for the log. A panic, which
            // would leave the steps below undone, and end the process if one led here, goes no further.
            match catch_unwind(AssertUnwindSafe(undo)) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(what, %error, "undo"),
                Err(_) => tracing::warn!(what, "undo panicked"),
            }
        }
    }
}

/// A DEL: every step is run, whatever became of those before it.
#[derive(Debug, Default)]
#[must_use = "finish it to learn what failed"]
pub struct Teardown {
    failures: Vec<(&'static str, Error)>,
}

impl Teardown {
    /// Keeps the failure of a step, if it has one, under the name `what`.
    pub fn step(&mut self, what: &'static str, outcome: Result<(), Error>) {
        if let Err(error) = outcome {
            self.failures.push((what, error));
        }
    }

    /// The outcome of all steps.
    ///
    /// # Errors
    /// All failures in one, under the first one's code.
    pub fn finish(mut self) -> Result<(), Error> {
        let code = match &self.failures[..] {
            [] => return Ok(()),
            [_] => return Err(self.failures.remove(0).1),
            [(_, first), ..] => first.code,
        };
        let each = self
            .failures
            .iter()
            .map(|(what, error)| format!("{what}: {error}"));
        Err(Error::new(code, each.collect::<Vec<_>>().join(" / ")))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::spec::Code;

    #[test]
    fn steps_are_undone_newest_first_unless_committed() {
        let undone = RefCell::new(Vec::new());
        let with_steps = || {
            let mut rollback = Rollback::default();
            for step in ["a", "b", "c"] {
                let undone = &undone;
                rollback.on_failure(step, move || {
                    undone.borrow_mut().push(step);
                    Err(Error::new(Code::IO, "undo"))
                });
            }
            rollback
        };
        with_steps().commit();
        assert!(undone.borrow().is_empty());
        drop(with_steps());
        assert_eq!(*undone.borrow(), ["c", "b", "a"]);
    }

    #[test]
    fn a_step_that_panics_keeps_no_other_from_being_undone() {
        let undone = RefCell::new(0);
        let unwinding = catch_unwind(AssertUnwindSafe(|| {
            let mut rollback = Rollback::default();
            rollback.on_failure("first", || {
                *undone.borrow_mut() += 1;
                Ok(())
            });
            rollback.on_failure("second", || panic!("in the undo"));
            panic!("in the ADD");
        }));
        assert!(unwinding.is_err());
        assert_eq!(*undone.borrow(), 1);
    }

    #[test]
    fn every_failure_is_reported_under_the_first_code() {
        let mut teardown = Teardown::default();
        teardown.step("one", Ok(()));
        teardown.step("two", Err(Error::new(Code(100), "a")));
        teardown.step("three", Err(Error::new(Code(101), "b").with_details("c")));
        assert_eq!(
            teardown.finish(),
            Err(Error::new(Code(100), "two: a / three: b; c"))
        );
        assert_eq!(Teardown::default().finish(), Ok(()));
    }
}
