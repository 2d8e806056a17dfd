//! A manual: how to write a plugin, and how to run plugins, in the order in which one learns it.
//!
//! 1. [`first_plugin`]: a complete plugin, from nothing to a container's interface.
//! 2. [`results`]: what ADD answers, and what a chained plugin does with the answer of the one before,
//!    and addresses in a configuration.
//! 3. [`errors`]: codes and messages that help whoever reads them, leaving nothing behind, and the log.
//! 4. [`delegation`]: having another plugin do a part of the work, as IPAM does.
//! 5. [`versions`]: what the versions of the specification mean for a plugin, which is little.
//! 6. [`chaining`]: the other side, a runtime that runs lists of plugins.
//! 7. [`testing`]: tests without a kernel, as an executable, and as a runtime would do it.

#[doc = include_str!("guide/first_plugin.md")]
pub mod first_plugin {}

#[doc = include_str!("guide/results.md")]
pub mod results {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/delegation.md")]
pub mod delegation {}

#[doc = include_str!("guide/versions.md")]
pub mod versions {}

#[doc = include_str!("guide/chaining.md")]
pub mod chaining {}

#[cfg_attr(feature = "testkit", doc = include_str!("guide/testing.md"))]
#[cfg_attr(
    not(feature = "testkit"),
    doc = "Testing a plugin: the chapter is there when the documentation is built with the feature `testkit`."
)]
pub mod testing {}
