//! What the runtime is told about a DEL that failed.

use cni_core::spec::Error;

use crate::journal::State;

/// How often DEL may fail before the runtime is no longer told.
const TRIES: u32 = 10;
/// How long DEL may fail before the runtime is no longer told, in seconds.
const PATIENCE: u64 = 600;

/// Whether the runtime is to try again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is told, and tries again.
    Report,
    /// It has tried long enough: a pod must not stay in its way for ever.
    Stuck,
}

impl Verdict {
    /// The verdict on the failures in `state`, at `now` in seconds since 1970.
    pub(super) fn of(state: &State, now: u64) -> Self {
        let deletions = state.entries.values().filter_map(|entry| entry.deletion.as_ref());
        let hopeless = deletions.into_iter().any(|deletion| {
            let since = deletion.since.unwrap_or(now);
            deletion.failures >= TRIES || now.saturating_sub(since) >= PATIENCE
        });
        if hopeless || state.stuck.is_some() {
            Self::Stuck
        } else {
            Self::Report
        }
    }
}

/// Several failures as one.
///
/// # Errors
/// All of them, under the first one's code; none is success.
pub(crate) fn joined(mut failures: Vec<Error>) -> Result<(), Error> {
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.remove(0)),
        _ => {
            let code = failures[0].code;
            let each: Vec<String> = failures.iter().map(ToString::to_string).collect();
            Err(Error::new(code, each.join(" / ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use cni_core::spec::Code;

    use super::*;

    #[test]
    fn all_failures_are_one_under_the_first_code() {
        let failures = [(100, "a"), (101, "b")].map(|(code, msg)| Error::new(Code(code), msg));
        assert_eq!(joined(failures.to_vec()), Err(Error::new(Code(100), "a / b")));
        assert_eq!(joined(failures[1..].to_vec()), Err(failures[1].clone()));
        assert_eq!(joined(Vec::new()), Ok(()));
    }
}
