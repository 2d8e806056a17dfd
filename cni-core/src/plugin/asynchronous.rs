//! Plugins that await: the same requests, and one adapter.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use super::erased::decoded;
use super::erased::sealed::Sealed;
use super::{Add, Check, Del, DynPlugin, Gc, Request, Status};
use crate::spec::{Error, Object, Success, Version};

/// One CNI plugin whose work awaits something: a daemon, an API, several things at once. [`Blocking`] makes a
/// [`DynPlugin`] of it, which is run, linked in or exported as any other.
///
/// As in a [`Plugin`](super::Plugin), everything was parsed and checked before a method is called. A future may be
/// polled by different threads. Delegates are run by the same methods of the request, which block.
///
/// ```no_run
/// use cni_core::plugin::{Add, AsyncPlugin, Blocking, Check, Del, async_trait, run};
/// use cni_core::spec::{Error, IpConfig, Success};
///
/// # async fn lease(pool: &str) -> Result<IpConfig, Error> { unimplemented!("{pool}") }
/// # async fn give_back(pool: &str) -> Result<(), Error> { unimplemented!("{pool}") }
/// /// Gets addresses from a service.
/// struct Leases;
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     pool: String,
/// }
///
/// #[async_trait]
/// impl AsyncPlugin for Leases {
///     type Config = Config;
///     const NAME: &'static str = "leases";
///
///     async fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
///         let mut result = Success::new();
///         result.ips.push(lease(&request.config.pool).await?);
///         Ok(result)
///     }
///
///     async fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
///         give_back(&request.config.pool).await
///     }
///
///     async fn check(&self, _: Check<'_, Config>) -> Result<(), Error> {
///         Ok(())
///     }
/// }
///
/// fn main() -> std::process::ExitCode {
///     run(&Blocking::new(Leases))
/// }
/// ```
#[async_trait]
pub trait AsyncPlugin: Send + Sync {
    /// As [`Plugin::Config`](super::Plugin::Config).
    type Config: DeserializeOwned + Send;

    /// The plugin's `type`.
    const NAME: &'static str;

    /// The versions that the plugin takes, lowest first.
    const VERSIONS: &'static [Version] = Version::ALL;

    /// As [`Plugin::add`](super::Plugin::add).
    ///
    /// # Errors
    /// As there.
    async fn add(&self, request: Add<'_, Self::Config>) -> Result<Success, Error>;

    /// As [`Plugin::del`](super::Plugin::del).
    ///
    /// # Errors
    /// As there.
    async fn del(&self, request: Del<'_, Self::Config>) -> Result<(), Error>;

    /// As [`Plugin::check`](super::Plugin::check).
    ///
    /// # Errors
    /// As there.
    async fn check(&self, request: Check<'_, Self::Config>) -> Result<(), Error>;

    /// As [`Plugin::status`](super::Plugin::status).
    ///
    /// # Errors
    /// As there.
    async fn status(&self, request: Status<'_, Self::Config>) -> Result<(), Error> {
        let _ = request;
        Ok(())
    }

    /// As [`Plugin::gc`](super::Plugin::gc).
    ///
    /// # Errors
    /// As there.
    async fn gc(&self, request: Gc<'_, Self::Config>) -> Result<(), Error> {
        let _ = request;
        Ok(())
    }
}

/// What a call of a plugin comes to: a result for ADD, `None` for every other verb, or an error.
pub type Outcome = Result<Option<Success>, Error>;

/// A call of an [`AsyncPlugin`] that has still to be driven to its end.
pub type Pending<'c> = Pin<Box<dyn Future<Output = Outcome> + Send + 'c>>;

/// An [`AsyncPlugin`] whose caller blocks until its call has ended.
///
/// This crate brings no asynchronous runtime. [`Blocking::new`] is enough for futures that are woken by a thread
/// of their own; timers and sockets of a runtime need that runtime:
///
/// ```no_run
/// # use cni_core::plugin::{Add, AsyncPlugin, Blocking, Check, Del, async_trait, run};
/// # use cni_core::spec::{Error, Success};
/// # mod tokio {
/// #     pub mod runtime {
/// #         pub struct Runtime;
/// #         impl Runtime {
/// #             pub fn new() -> std::io::Result<Self> { Ok(Self) }
/// #             pub fn block_on<F: Future>(&self, _: F) -> F::Output { unimplemented!() }
/// #         }
/// #     }
/// # }
/// # struct Leases;
/// # #[async_trait]
/// # impl AsyncPlugin for Leases {
/// #     type Config = serde::de::IgnoredAny;
/// #     const NAME: &'static str = "leases";
/// #     async fn add(&self, _: Add<'_, Self::Config>) -> Result<Success, Error> { unimplemented!() }
/// #     async fn del(&self, _: Del<'_, Self::Config>) -> Result<(), Error> { unimplemented!() }
/// #     async fn check(&self, _: Check<'_, Self::Config>) -> Result<(), Error> { unimplemented!() }
/// # }
/// # fn main() -> std::io::Result<()> {
/// let runtime = tokio::runtime::Runtime::new()?;
/// run(&Blocking::on(Leases, move |call| runtime.block_on(call)));
/// # Ok(())
/// # }
/// ```
pub struct Blocking<P> {
    plugin: P,
    block_on: Box<dyn Fn(Pending<'_>) -> Outcome + Send + Sync>,
}

impl<P: AsyncPlugin> Blocking<P> {
    /// `plugin`, its futures polled by the calling thread, which sleeps until they are woken.
    pub fn new(plugin: P) -> Self {
        Self::on(plugin, park)
    }

    /// `plugin`, its futures driven by `block_on`: a runtime's function of that name, perhaps with a limit.
    pub fn on(plugin: P, block_on: impl Fn(Pending<'_>) -> Outcome + Send + Sync + 'static) -> Self {
        Self {
            plugin,
            block_on: Box::new(block_on),
        }
    }
}

impl<P: AsyncPlugin> fmt::Debug for Blocking<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Blocking").field(&P::NAME).finish()
    }
}

impl<P: AsyncPlugin> Sealed for Blocking<P> {}

impl<P: AsyncPlugin> DynPlugin for Blocking<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn versions(&self) -> &'static [Version] {
        P::VERSIONS
    }

    fn accepts(&self, config: &Object) -> Result<(), Error> {
        super::erased::decode::<P::Config>(config).map(drop)
    }

    fn perform(&self, request: Request<'_>) -> Outcome {
        (self.block_on)(Box::pin(perform(&self.plugin, request)))
    }
}

async fn perform<P: AsyncPlugin>(plugin: &P, request: Request<'_>) -> Outcome {
    match request {
        Request::Add(r) => {
            return plugin
                .add(decoded!(P, Add { id, netns, prev }, r))
                .await
                .map(Some);
        }
        Request::Check(r) => plugin.check(decoded!(P, Check { id, netns, prev }, r)).await,
        Request::Del(r) => plugin.del(decoded!(P, Del { id, netns, prev }, r)).await,
        Request::Gc(r) => plugin.gc(decoded!(P, Gc { valid }, r)).await,
        Request::Status(r) => plugin.status(decoded!(P, Status {}, r)).await,
    }?;
    Ok(None)
}

/// Wakes one thread. The flag is what counts: other code that this thread runs may park as well, and swallow
/// the wake-up.
struct Alarm {
    rung: AtomicBool,
    sleeper: Thread,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.sleeper.unpark();
    }
}

/// Polls `call` whenever it is woken.
fn park(mut call: Pending<'_>) -> Outcome {
    let alarm = Arc::new(Alarm {
        rung: AtomicBool::new(false),
        sleeper: thread::current(),
    });
    let waker = Waker::from(Arc::clone(&alarm));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(outcome) = call.as_mut().poll(&mut context) {
            return outcome;
        }
        while !alarm.rung.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}
