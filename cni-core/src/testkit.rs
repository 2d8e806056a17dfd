//! What the author of a plugin tests it with (feature `testkit`).
//!
//! [`Invocation`] calls a plugin as a runtime would: in memory, or as an executable.
//! [`conformance`] puts an executable through the contract that every plugin has with its runtime.
//! [`Noop`] does nothing; [`Scripted`] is a plugin for the tests of those who run plugins: it notes what it was asked, and answers or
//! fails as its configuration says.
//!
//! ```
//! # use cni_core::plugin::{Add, Check, Del, Plugin};
//! # use cni_core::spec::{Code, Error, Success};
//! # struct Mine;
//! # impl Plugin for Mine {
//! #     type Config = serde::de::IgnoredAny;
//! #     const NAME: &'static str = "mine";
//! #     fn add(&self, request: Add<'_, Self::Config>) -> Result<Success, Error> {
//! #         request.prev.ok_or_else(|| Error::new(Code::INVALID_CONFIG, "change an interface: no plugin ran before"))
//! #     }
//! #     fn del(&self, _: Del<'_, Self::Config>) -> Result<(), Error> {
//! #         Ok(())
//! #     }
//! #     fn check(&self, _: Check<'_, Self::Config>) -> Result<(), Error> {
//! #         Ok(())
//! #     }
//! # }
//! use cni_core::testkit::Invocation;
//!
//! let outcome = Invocation::new("ADD").run(&Mine, r#"{ "cniVersion": "1.1.0", "name": "n" }"#);
//! assert_eq!(outcome.result().unwrap_err().code, Code::INVALID_CONFIG);
//! ```
//!
//! Like assertions, the parts of this module panic where a plugin's answer is none.

mod conformance;
mod invocation;
mod noop;
mod outcome;
mod scripted;

pub use conformance::{Case, Fault, Leniency, Report, Subject, conformance};
pub use invocation::Invocation;
pub use noop::Noop;
pub use outcome::Outcome;
pub use scripted::{Scripted, ScriptedConfig};
