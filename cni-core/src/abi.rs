//! The C interface of plugins that are shared libraries (`TYPE.so`), both of its sides.
//!
//! [`export_plugin!`](crate::export_plugin) makes such a library of any plugin, and
//! `Dylib` in [`invoke`](crate::invoke) (feature `dylib`) runs it. What passes is what an executable is given and
//! answers, bytes alone, so that either side may be of another compiler, another version of this crate, or
//! another language:
//!
//! ```c
//! struct cni_bytes { const uint8_t *start; size_t length; };
//! struct cni_answer { int32_t exit_code; struct cni_bytes output, messages; };
//!
//! uint32_t cni_plugin_abi_version(void); /* 1 */
//! struct cni_answer cni_plugin_call(struct cni_bytes environment, struct cni_bytes input);
//! void cni_plugin_free(struct cni_answer answer);
//! ```
//!
//! - `environment` holds the variables of the call, `NAME=VALUE` each, with a NUL behind each; `input` is what an
//!   executable reads from stdin. Both are the caller's, and may be read until the call returns.
//! - `exit_code`, `output` and `messages` are an executable's exit code, stdout and stderr. They belong to the
//!   library, and every answer is given back to it once, by `cni_plugin_free`.
//! - The functions may be called by several threads at once, and nothing is thrown out of them.
//! - Another version of the interface has other functions but for the first, which stays as it is.
//!
//! This is the one file of the crate that may be unsafe. Its other public items are for `export_plugin!` alone.

#![expect(unsafe_code, reason = "pointers pass between a program and a library")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use crate::plugin::{DynPlugin, Host, PANICKED, panic_text, run_on};
use crate::spec::{Error, Version};

/// The version of the interface, which `cni_plugin_abi_version` answers.
pub const VERSION: u32 = 1;

/// Bytes of somebody else: `struct cni_bytes`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Bytes {
    start: *const u8,
    length: usize,
}

/// What a call came to: `struct cni_answer`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Answer {
    exit_code: i32,
    output: Bytes,
    messages: Bytes,
}

impl Bytes {
    /// # Safety
    /// `start` is null, or `length` bytes from there may be read, and nobody writes them, for all of `'a`.
    unsafe fn read<'a>(self) -> &'a [u8] {
        if self.start.is_null() {
            return &[];
        }
        // SAFETY: as the caller promises; no allocation is longer than a slice may be.
        // WHY: a pointer and a length are all that C has.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// Bytes for the other side, to be freed by [`free`](Self::free).
    fn leaked(bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        let start = Box::into_raw(bytes.into_boxed_slice());
        Self {
            start: start.cast_const().cast(),
            length,
        }
    }

    /// # Safety
    /// It was made by [`leaked`](Self::leaked) of this very library, and is not used any more.
    unsafe fn free(self) {
        let slice = std::ptr::slice_from_raw_parts_mut(self.start.cast_mut(), self.length);
        // SAFETY: as the caller promises, this is the pointer that `Box::into_raw` gave, freed for the first time.
        // WHY: the memory went through C, which knows no owner.
        drop(unsafe { Box::from_raw(slice) });
    }
}

/// Makes a shared library of a plugin: of an expression that is a [`Plugin`](crate::plugin::Plugin), or anything
/// else that is a [`DynPlugin`]. It is evaluated at the first call.
///
/// For a plugin that is an executable as well, both are made of one source:
///
/// ```
/// #![forbid(unsafe_code)]
/// // src/plugin.rs
/// # mod plugin {
/// use cni_core::plugin::{Add, Check, Del, Plugin};
/// use cni_core::spec::{Error, Success};
///
/// pub(crate) struct Firewall;
///
/// impl Plugin for Firewall {
///     // …
/// #     type Config = serde::de::IgnoredAny;
/// #     const NAME: &'static str = "firewall";
/// #     fn add(&self, request: Add<'_, Self::Config>) -> Result<Success, Error> { Ok(request.prev.unwrap_or_default()) }
/// #     fn del(&self, _: Del<'_, Self::Config>) -> Result<(), Error> { Ok(()) }
/// #     fn check(&self, _: Check<'_, Self::Config>) -> Result<(), Error> { Ok(()) }
/// }
/// # }
///
/// // src/lib.rs
/// // mod plugin;
/// cni_core::export_plugin!(plugin::Firewall);
///
/// // src/main.rs
/// // mod plugin;
/// fn main() -> std::process::ExitCode {
///     cni_core::plugin::run(&plugin::Firewall)
/// }
/// ```
///
/// The rest is in `Cargo.toml`:
///
/// ```toml
/// [package]
/// name = "firewall"
/// edition = "2024"
///
/// [lib]
/// crate-type = ["cdylib"]
/// test = false # the executable has the same source, and with it the tests
/// ```
///
/// The files lie in a directory of `CNI_PATH`, each by its type: `TYPE`, and `TYPE.so` without the `lib` that Cargo
/// puts before it.
///
/// ```sh
/// cargo build --release
/// install target/release/firewall /opt/cni/bin/firewall
/// install -m 644 target/release/libfirewall.so /opt/cni/bin/firewall.so
/// ```
///
/// A crate has one plugin to export, and no other crate is linked with it: the names of the functions are the
/// same in every library. The crate needs no feature of this one, and may forbid `unsafe_code` to itself. Its
/// profile must not say `panic = "abort"`, which would take the whole program down.
///
/// Inside a library the plugin is what it is as an executable: it is called by any number of threads at once,
/// its `env.invoke` runs delegates as executables in `CNI_PATH`, and what it prints by itself goes to stdout and
/// stderr of the program that loaded it.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:expr) => {
        const _: () = {
            fn plugin() -> &'static dyn $crate::plugin::DynPlugin {
                static PLUGIN: ::std::sync::LazyLock<::std::boxed::Box<dyn $crate::plugin::DynPlugin>> =
                    ::std::sync::LazyLock::new(|| ::std::boxed::Box::new($plugin));
                &**PLUGIN
            }

            // SAFETY: the name is that of no other function but another library's.
            // WHY: whoever loads the library finds its functions by name.
            #[unsafe(no_mangle)]
            extern "C" fn cni_plugin_abi_version() -> u32 {
                $crate::abi::VERSION
            }

            // SAFETY: as above.
            // WHY: as above.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn cni_plugin_call(
                environment: $crate::abi::Bytes,
                input: $crate::abi::Bytes,
            ) -> $crate::abi::Answer {
                // SAFETY: who calls this promises the same.
                // WHY: who calls this may be a program in C.
                unsafe { $crate::abi::serve(plugin, environment, input) }
            }

            // SAFETY: as above.
            // WHY: as above.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn cni_plugin_free(answer: $crate::abi::Answer) {
                // SAFETY: who calls this promises the same.
                // WHY: who calls this may be a program in C.
                unsafe { $crate::abi::free(answer) }
            }
        };
    };
}

/// `cni_plugin_call` of a library whose plugin is `plugin`.
///
/// # Safety
/// Both bytes may be read, and nobody writes them, until it returns.
#[doc(hidden)]
pub unsafe fn serve(plugin: fn() -> &'static dyn DynPlugin, environment: Bytes, input: Bytes) -> Answer {
    // SAFETY: as the caller promises; neither is used after the return.
    // WHY: they come from the other side.
    let (environment, input) = unsafe { (environment.read(), input.read()) };
    let (exit_code, output, messages) = outcome(plugin, environment, input);
    Answer {
        exit_code,
        output: Bytes::leaked(output),
        messages: Bytes::leaked(messages),
    }
}

/// `cni_plugin_free`.
///
/// # Safety
/// `answer` came from [`serve`] of the same library, and is not used any more.
#[doc(hidden)]
pub unsafe fn free(answer: Answer) {
    // SAFETY: `serve` made both of leaked boxes, and the caller promises that this is the only time.
    // WHY: they come back from the other side.
    unsafe {
        answer.output.free();
        answer.messages.free();
    }
}

/// Exit code, stdout and stderr of one run.
///
/// A plugin's own panic is an error already. This is for what surrounds it, the making of the plugin above all:
/// unwinding into C ends the process.
fn outcome(
    plugin: fn() -> &'static dyn DynPlugin,
    environment: &[u8],
    input: &[u8],
) -> (i32, Vec<u8>, Vec<u8>) {
    let outcome = catch_unwind(AssertUnwindSafe(|| run(plugin(), environment, input)));
    outcome.unwrap_or_else(|panic| {
        let error = Error::new(PANICKED, "plugin panicked").with_details(panic_text(&*panic));
        (1, error.answer(Version::V1_1_0).into_bytes(), Vec::new())
    })
}

fn run(plugin: &dyn DynPlugin, environment: &[u8], mut input: &[u8]) -> (i32, Vec<u8>, Vec<u8>) {
    let variables: BTreeMap<&[u8], OsString> = variables(environment).collect();
    let (mut output, mut messages) = (Vec::new(), Vec::new());
    let host = Host {
        env: &|name| variables.get(name.as_bytes()).cloned(),
        stdin: &mut input,
        stdout: &mut output,
        stderr: &mut messages,
        invoke: None,
    };
    let failed = run_on(plugin, host) != ExitCode::SUCCESS;
    (failed.into(), output, messages)
}

/// Names and values; what has no `=` is passed over.
fn variables(environment: &[u8]) -> impl Iterator<Item = (&[u8], OsString)> {
    environment.split(|byte| *byte == 0).filter_map(|variable| {
        let end = variable.iter().position(|byte| *byte == b'=')?;
        let (name, value) = variable.split_at(end);
        Some((name, OsStr::from_bytes(value.get(1..)?).to_owned()))
    })
}

#[cfg(feature = "dylib")]
pub(crate) use loading::{Answered, Functions, LoadError};

/// The side of the program.
#[cfg(feature = "dylib")]
mod loading {
    use super::{Answer, Bytes, VERSION};
    use crate::invoke::{MOST_STDERR, MOST_STDOUT, Trusted};

    /// The functions of a library that is loaded, and stays so.
    #[derive(Clone, Copy)]
    pub(crate) struct Functions {
        call: unsafe extern "C" fn(Bytes, Bytes) -> Answer,
        free: unsafe extern "C" fn(Answer),
    }

    /// What a library answered, copied.
    pub(crate) struct Answered {
        pub(crate) exit_code: i32,
        pub(crate) stdout: Vec<u8>,
        pub(crate) stderr: Vec<u8>,
        /// Whether there was more on stdout than anybody takes.
        pub(crate) overflowed: bool,
    }

    /// Why a file is of no use as a plugin.
    #[derive(Clone, Debug, thiserror::Error)]
    pub(crate) enum LoadError {
        #[error("it has no function {0:?}")]
        Missing(&'static str),
        /// In the words of the system's loader; nothing was loaded.
        #[error("{0}")]
        Refused(String),
        #[error("this program is linked statically, and such a program cannot load libraries")]
        Static,
        #[error("it speaks version {0} of the interface, this program version {VERSION}")]
        Version(u32),
    }

    impl LoadError {
        fn refused(error: &libloading::Error, path: &std::path::Path) -> Self {
            let text =
                std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
            // The name that it was loaded by says nothing to anybody.
            Self::Refused(text.replace(&format!("{}: ", path.display()), ""))
        }
    }

    impl Functions {
        /// Loads `file`. Whatever comes of it, what was loaded is never unloaded: threads of the library's own
        /// may run on, and its answers be in use.
        pub(crate) fn load(file: Trusted) -> Result<Self, LoadError> {
            use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

            // It would be given a C library of its own, which ends the process sooner or later.
            if cfg!(target_feature = "crt-static") {
                return Err(LoadError::Static);
            }
            // SAFETY: what the library does when it is loaded is as safe as its author made it, who is the
            // administrator, or whoever may act as this process: that is what `Trusted` stands for.
            // WHY: no safe way can know what the code in a file does.
            let library = unsafe { Library::open(Some(file.path()), RTLD_NOW | RTLD_LOCAL) };
            let library = library.map_err(|error| LoadError::refused(&error, &file.path()))?;
            // The loader knows libraries by name, too, and this one's is the descriptor's: it stays open, so
            // that no other file ever has that name.
            file.keep_open();
            let library: &'static Library = Box::leak(Box::new(library));
            // SAFETY: the function of this name has this type in every version of the interface.
            // WHY: a symbol has no type.
            let version = unsafe { library.get::<unsafe extern "C" fn() -> u32>("cni_plugin_abi_version") };
            let version = version.map_err(|_| LoadError::Missing("cni_plugin_abi_version"))?;
            // SAFETY: it takes nothing, and throws nothing, as the interface says.
            // WHY: it is the library's.
            match unsafe { version() } {
                VERSION => {}
                other => return Err(LoadError::Version(other)),
            }
            // SAFETY: in this version of the interface the functions of these names have these types, and
            // they stay where they are, since the library is never unloaded.
            // WHY: a symbol has no type.
            let (call, free) = unsafe { (library.get("cni_plugin_call"), library.get("cni_plugin_free")) };
            Ok(Self {
                call: *call.map_err(|_| LoadError::Missing("cni_plugin_call"))?,
                free: *free.map_err(|_| LoadError::Missing("cni_plugin_free"))?,
            })
        }

        /// One call.
        pub(crate) fn call(self, environment: &[u8], input: &[u8]) -> Answered {
            let lent = |bytes: &[u8]| Bytes {
                start: bytes.as_ptr(),
                length: bytes.len(),
            };
            // SAFETY: both slices are borrowed until after the call, and the library has functions of these
            // types. It may be called by several threads, and throws nothing, as the interface says.
            // WHY: it is the library's.
            let answer = unsafe { (self.call)(lent(environment), lent(input)) };
            // SAFETY: the answer is ours to read until it is given back, below.
            // WHY: it is the library's memory.
            let (stdout, stderr) = unsafe { (answer.output.read(), answer.messages.read()) };
            let kept = |bytes: &[u8], most: usize| bytes.get(..most).unwrap_or(bytes).to_vec();
            let answered = Answered {
                exit_code: answer.exit_code,
                stdout: kept(stdout, MOST_STDOUT),
                stderr: kept(stderr, MOST_STDERR),
                overflowed: stdout.len() > MOST_STDOUT,
            };
            // SAFETY: it is given back once, and neither slice is used any more.
            // WHY: it is the library's.
            unsafe { (self.free)(answer) };
            answered
        }
    }
}

#[cfg(test)]
mod tests;
