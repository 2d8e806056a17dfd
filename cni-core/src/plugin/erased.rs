//! Plugins whose configuration type is forgotten, so that one table can hold them all.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;

use super::{Add, Check, Del, Env, Gc, Plugin, Status, unknown};
use crate::spec::{Code, Error, Object, Success, Version};

/// A request that has passed the skeleton's checks, its configuration not yet decoded.
#[expect(
    clippy::exhaustive_enums,
    reason = "a new verb is a new version of the specification"
)]
#[derive(Debug)]
pub enum Request<'a> {
    /// ADD.
    Add(Add<'a, ()>),
    /// CHECK.
    Check(Check<'a, ()>),
    /// DEL.
    Del(Del<'a, ()>),
    /// GC.
    Gc(Gc<'a, ()>),
    /// STATUS.
    Status(Status<'a, ()>),
}

/// Any [`Plugin`], or an [`AsyncPlugin`](super::AsyncPlugin) in [`Blocking`](super::Blocking). It is implemented for
/// these alone, so that one table can hold plugins with different configurations.
pub trait DynPlugin: sealed::Sealed + Send + Sync {
    /// The plugin's `NAME`.
    fn name(&self) -> &'static str;

    /// The plugin's `VERSIONS`.
    fn versions(&self) -> &'static [Version];

    /// Whether the configuration can be decoded: one that cannot is refused by every verb, DEL included.
    ///
    /// # Errors
    /// Code 7, as [`DynPlugin::perform`] answers it.
    fn accepts(&self, config: &Object) -> Result<(), Error>;

    /// Decodes the configuration and calls the plugin's method; there is a result for ADD only.
    ///
    /// # Errors
    /// Code 7 when the configuration cannot be decoded, else the plugin's own.
    fn perform(&self, request: Request<'_>) -> Result<Option<Success>, Error>;
}

pub(super) mod sealed {
    /// What nobody outside can implement.
    pub trait Sealed {}
}

impl<P: Plugin> sealed::Sealed for P {}

/// The same request with the configuration in place.
macro_rules! decoded {
    ($plugin:ident, $verb:ident { $($field:ident),* }, $request:expr) => {{
        let $verb { config: (), env, $($field),* } = $request;
        let config = super::erased::config($plugin::NAME, &env)?;
        $verb { config, env, $($field),* }
    }};
}
pub(super) use decoded;

impl<P: Plugin> DynPlugin for P {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn versions(&self) -> &'static [Version] {
        P::VERSIONS
    }

    fn accepts(&self, config: &Object) -> Result<(), Error> {
        decode::<P::Config>(config).map(drop)
    }

    fn perform(&self, request: Request<'_>) -> Result<Option<Success>, Error> {
        match request {
            Request::Add(r) => return self.add(decoded!(P, Add { id, netns, prev }, r)).map(Some),
            Request::Check(r) => self.check(decoded!(P, Check { id, netns, prev }, r)),
            Request::Del(r) => self.del(decoded!(P, Del { id, netns, prev }, r)),
            Request::Gc(r) => self.gc(decoded!(P, Gc { valid }, r)),
            Request::Status(r) => self.status(decoded!(P, Status {}, r)),
        }?;
        Ok(None)
    }
}

/// The plugin's configuration, from the whole object.
pub(super) fn config<C: DeserializeOwned>(plugin: &'static str, env: &Env<'_>) -> Result<C, Error> {
    let config = decode(&env.object)?;
    unknown::log::<C>(plugin, &env.object);
    Ok(config)
}

pub(super) fn decode<C: DeserializeOwned>(config: &Object) -> Result<C, Error> {
    config.parse().map_err(|error| {
        let what = Error::from_source(Code::INVALID_CONFIG, &error);
        Error::new(Code::INVALID_CONFIG, "load netconf").with_details(what.to_string())
    })
}

/// The code of a plugin that panicked. No plugin should answer it for anything else.
pub const PANICKED: Code = Code(199);

/// What is said of a failure of which nothing is known.
pub(crate) const NO_MESSAGE: &str = "netplugin failed with no error message";

/// Runs the plugin. A panic becomes the error of this call and goes no further.
pub(super) fn perform_caught(plugin: &dyn DynPlugin, request: Request<'_>) -> Result<Option<Success>, Error> {
    // After a panic nothing that the request borrowed is used again, but for the invoker, which has locks of its own.
    let outcome = catch_unwind(AssertUnwindSafe(|| plugin.perform(request))).unwrap_or_else(|panic| {
        let msg = format!("plugin {:?} panicked", plugin.name());
        Err(Error::new(PANICKED, msg).with_details(panic_text(&*panic)))
    });
    outcome.map_err(|error| match error.says_nothing() {
        // As bytes it would be an object like any other, and no error.
        true => Error::new(Code::UNKNOWN, NO_MESSAGE).with_details(format!("plugin {:?}", plugin.name())),
        false => error.shortened(),
    })
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let fixed = panic.downcast_ref::<&str>().copied();
    let text = fixed.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
