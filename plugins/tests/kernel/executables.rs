//! The same tests with the plugins as executables: what is linked in and what is executed must not differ.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bridge;
mod elsewhere;
mod equal;
mod fixture;
mod killed;
mod loopback;
mod macvlan;
mod together;
mod tuning;
mod vxlan;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cni_core::invoke::{Call, Exec, Invoke, Target, Verb};
use cni_core::spec::{Error, PluginType, Success, VersionInfo};
use cni_net::netns::within;
use cni_net::{Kernel, Netns};

/// The plugins on the host `host`, whose kernel is `net`; `dir` is the host's own.
fn plugins(net: &Kernel, host: Netns, dir: &Path) -> Box<dyn Invoke> {
    let bin = dir.join("bin");
    fs::create_dir_all(&bin).unwrap();
    for name in cni_plugins::table(net).types() {
        symlink(env!("CARGO_BIN_EXE_cni-plugins"), bin.join(name)).unwrap();
    }
    Box::new(Executables { host, bin })
}

/// Runs the executables in `bin` on the host.
#[derive(Debug)]
struct Executables {
    host: Netns,
    bin: PathBuf,
}

impl Executables {
    fn on_host<T: Send>(&self, call: &Call<'_>, run: impl FnOnce(&Call<'_>) -> T + Send) -> T {
        let mut target = call.target.clone();
        target.path = vec![self.bin.clone()];
        let mut call = call.clone();
        call.target = &target;
        within(&self.host, || run(&call)).unwrap()
    }
}

impl Invoke for Executables {
    fn add(&self, call: &Call<'_>) -> Result<Success, Error> {
        self.on_host(call, |call| Exec::new().add(call))
    }

    fn run(&self, verb: Verb, call: &Call<'_>) -> Result<(), Error> {
        self.on_host(call, |call| Exec::new().run(verb, call))
    }

    fn version(
        &self,
        plugin: &PluginType,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<VersionInfo, Error> {
        Exec::new().version(plugin, target, deadline)
    }
}
