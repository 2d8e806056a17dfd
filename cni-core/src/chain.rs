//! Network lists, run as the specification says (section 3), for runtimes.
//!
//! One function for each verb. A [`Runtime`] says how and where plugins are run, with which arguments, until when, and
//! what is done about failures. [`Results`] keeps what ADD answered for CHECK, DEL and GC:
//! [`Store`](crate::store::Store) on disk, [`InMemory`] for as long as it lives. The manual's chapter
//! [`guide::chaining`](crate::guide::chaining) shows them all.
//!
//! Nothing is locked here: the specification has the runtime see to it that no two operations on one
//! container run at once, and none beside a GC.

mod add;
mod check;
mod del;
mod error;
mod failure;
mod gc;
mod request;
mod results;
mod status;
mod validate;
mod version;

pub use add::add;
pub use check::check;
pub use del::del;
pub use error::ChainError;
pub use failure::{FailedAdd, FailedDel};
pub use gc::gc;
pub use request::Runtime;
pub use results::{InMemory, KeptAttachment, NoResults, Results, ResultsError};
pub use status::status;
pub use validate::validate;
pub use version::{Versions, version};
