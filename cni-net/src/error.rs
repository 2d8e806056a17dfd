//! What can go wrong between us and the kernel, and which CNI code it has.

use std::fmt;
use std::io;
use std::path::PathBuf;

use cni_core::spec::{Code, Error};

/// A failure of the kernel layer. What it says becomes the message of an [`Error`] with the code that is named here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The path is no network namespace any more: absent, or a file that something else left there. Code 8.
    #[error("network namespace {path:?} is gone: {why}")]
    NetnsGone {
        /// The path that was asked for.
        path: PathBuf,
        /// What was found in its stead.
        why: &'static str,
    },
    /// The namespace's file could not be opened or entered. Code 8.
    #[error("open network namespace {path:?}")]
    Netns {
        /// The path that was asked for.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// A request that the kernel refused. Code 100.
    #[error("{what}")]
    Request {
        /// What was being attempted, with the names involved.
        what: String,
        /// What the kernel said, its own text included where it gave one.
        #[source]
        source: io::Error,
    },
    /// The kernel did not answer in time. Code 11.
    #[error("{what}: no answer from the kernel")]
    Timeout {
        /// What was being attempted.
        what: String,
    },
    /// An interface is not there. Runtimes look for this text. Code 101.
    #[error("Link not found: {name:?}")]
    LinkNotFound {
        /// The interface that was asked for.
        name: String,
    },
    /// An interface of that name is of another kind. Code 102.
    #[error("{name:?} already exists but is not a {wanted}")]
    WrongKind {
        /// The interface.
        name: String,
        /// The kind that was wanted.
        wanted: &'static str,
    },
    /// A value that the kernel has no place for. Code 7.
    #[error("{what} {value} {rule}")]
    Value {
        /// The parameter.
        what: &'static str,
        /// What was given.
        value: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
}

/// A number of the kernel's with the text that the kernel gave for it (`NLMSGERR_ATTR_MSG`).
#[derive(Debug)]
struct Refusal {
    errno: i32,
    text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = io::Error::from_raw_os_error(self.errno);
        write!(f, "{number}: {}", self.text)
    }
}

impl std::error::Error for Refusal {}

impl NetError {
    /// The kernel refused `what` with `errno`, perhaps saying why.
    pub(crate) fn refused(what: impl Into<String>, errno: i32, text: Option<String>) -> Self {
        let number = io::Error::from_raw_os_error(errno);
        let source = match text {
            Some(text) => io::Error::new(number.kind(), Refusal { errno, text }),
            None => number,
        };
        let what = what.into();
        Self::Request { what, source }
    }

    /// The number that the kernel refused with (`errno(3)`), where it was the kernel.
    pub fn errno(&self) -> Option<i32> {
        let (Self::Request { source, .. } | Self::Netns { source, .. }) = self else {
            return None;
        };
        let refusal = source.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>());
        source.raw_os_error().or(refusal.map(|r| r.errno))
    }

    /// Whether the kernel refused because the thing exists already.
    pub fn is_exists(&self) -> bool {
        self.is_kind(io::ErrorKind::AlreadyExists)
    }

    /// Whether the thing is not there: no such interface, address, route, rule or namespace.
    pub fn is_absent(&self) -> bool {
        /// ENODEV, EADDRNOTAVAIL and ESRCH, which `std` has no kind of its own for in every case.
        const ABSENT: [i32; 3] = [19, 99, 3];
        match self {
            Self::NetnsGone { .. } | Self::LinkNotFound { .. } => true,
            Self::Request { source, .. } => {
                source.kind() == io::ErrorKind::NotFound || self.errno().is_some_and(|n| ABSENT.contains(&n))
            }
            Self::Netns { .. } | Self::Timeout { .. } | Self::WrongKind { .. } | Self::Value { .. } => false,
        }
    }

    fn is_kind(&self, kind: io::ErrorKind) -> bool {
        matches!(self, Self::Request { source, .. } if source.kind() == kind)
    }
}

impl From<NetError> for Error {
    /// One code for each failure; without a wildcard, so that a new one has to be given its code here.
    fn from(error: NetError) -> Self {
        let code = match &error {
            NetError::NetnsGone { .. } | NetError::Netns { .. } => Code::INVALID_NETNS,
            NetError::Request { .. } => Code(100),
            NetError::Timeout { .. } => Code::TRY_AGAIN,
            NetError::LinkNotFound { .. } => Code(101),
            NetError::WrongKind { .. } => Code(102),
            NetError::Value { .. } => Code::INVALID_CONFIG,
        };
        Self::from_source(code, &error)
    }
}
