//! Network lists, run as the specification says (section 3), for runtimes.
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
