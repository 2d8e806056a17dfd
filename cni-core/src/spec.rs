//! The specification's types: names, versions, configurations, results, errors.
//!
//! Everything is parsed once, at the edge; inside, illegal values do not exist.
//!
//! - What is configured: [`ConfList`] is a network's list of plugins, [`PluginConf`] one plugin's object in it.
//! - What configurations name addresses by: [`Cidr`], [`IpConfig`], [`Route`], [`Mac`].
//! - What is asked: [`AttachmentId`], [`NetnsPath`], [`CniArgs`].
//! - What is answered: [`Success`] by ADD, [`VersionInfo`] by VERSION, [`Error`] with its [`Code`] by every verb.
//! - [`Object`] is JSON as it came: keys in order, numbers to the digit, with all that this crate does not know.

mod args;
mod attachment;
mod conf;
mod error;
mod names;
mod net;
mod object;
mod result;
mod version;

pub use args::{CniArgs, CniArgsError};
pub use attachment::{AttachmentId, NetnsPath, ValidAttachment};
pub(crate) use conf::Draft;
pub use conf::{ConfError, ConfList, PluginConf};
pub(crate) use error::shortened;
pub use error::{Code, Error, with_causes};
pub use names::{ContainerId, IfName, Mac, NameError, NetName, PluginType};
pub use net::{Cidr, CidrError, parse_net};
pub use object::{Object, ObjectError};
pub use result::{Dns, Interface, IpConfig, ResultError, Route, Success};
pub use version::{Version, VersionError, VersionInfo};
