//! Driving plugins through the reference's own runtime, `cnitool`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// One network configuration in a directory of its own, driven by `cnitool`.
pub struct Cnitool {
    configurations: PathBuf,
    network: String,
    plugins: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    _directory: Option<tempfile::TempDir>,
}

impl Cnitool {
    /// Writes `list`, a network list, and looks for its plugins in `plugins`.
    ///
    /// # Panics
    /// When `list` has no name or cannot be written.
    pub fn new(list: &Value, plugins: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("10-test.conflist"), list.to_string()).unwrap();
        let mut tool = Self::over(directory.path(), list["name"].as_str().unwrap(), plugins);
        tool._directory = Some(directory);
        tool
    }

    /// The configuration named `network` in a directory of the caller's.
    pub fn over(configurations: &Path, network: &str, plugins: &Path) -> Self {
        Self {
            configurations: configurations.to_owned(),
            network: network.to_owned(),
            plugins: plugins.to_owned(),
            environment: Vec::new(),
            _directory: None,
        }
    }

    /// The same with capability arguments.
    #[must_use]
    pub fn with_capabilities(self, capabilities: &Value) -> Self {
        self.with_env("CAP_ARGS", capabilities.to_string())
    }

    /// The same with a variable in the environment, `CNI_ARGS` for one.
    #[must_use]
    pub fn with_env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Runs `verb` for the interface `eth0` of the namespace at `netns`.
    ///
    /// # Panics
    /// When cnitool cannot be started.
    pub fn output(&self, verb: &str, netns: &str) -> Output {
        self.command(verb, netns).output().unwrap()
    }

    /// The same, still to be run.
    pub fn command(&self, verb: &str, netns: &str) -> Command {
        let mut command = Command::new(crate::peers().join("cnitool"));
        command.args([verb, &self.network, netns]);
        command
            .env("NETCONFPATH", &self.configurations)
            .env("CNI_PATH", &self.plugins)
            .envs(self.environment.iter().cloned());
        command
    }

    /// Runs `verb`, which must succeed; what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn run(&self, verb: &str, netns: &str) -> String {
        let output = self.output(verb, netns);
        let (stdout, stderr) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            output.status.success(),
            "cnitool {verb} {}: {stdout}{stderr}",
            self.network
        );
        stdout.into_owned()
    }

    /// Runs ADD, which must succeed; the result.
    ///
    /// # Panics
    /// When it fails or prints no JSON.
    #[track_caller]
    pub fn add(&self, netns: &str) -> Value {
        serde_json::from_str(&self.run("add", netns)).unwrap()
    }
}
