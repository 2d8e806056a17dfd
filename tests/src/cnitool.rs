//! Driving plugins through the reference's own runtime, `cnitool`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// One network configuration in a directory of its own, driven by `cnitool`.
pub struct Cnitool {
    directory: tempfile::TempDir,
    network: String,
    plugins: std::path::PathBuf,
    capabilities: Option<Value>,
}

impl Cnitool {
    /// Writes `list`, a network list, and looks for its plugins in `plugins`.
    ///
    /// # Panics
    /// When `list` has no name or cannot be written.
    pub fn new(list: &Value, plugins: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("10-test.conflist"), list.to_string()).unwrap();
        let network = list["name"].as_str().unwrap().to_owned();
        Self {
            directory,
            network,
            plugins: plugins.to_owned(),
            capabilities: None,
        }
    }

    /// The same with capability arguments.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = Some(capabilities);
        self
    }

    /// Runs `verb` for the interface `eth0` of the namespace at `netns`.
    ///
    /// # Panics
    /// When cnitool cannot be started.
    pub fn output(&self, verb: &str, netns: &str) -> Output {
        let mut command = Command::new(crate::peers().join("cnitool"));
        command.args([verb, &self.network, netns]);
        command
            .env("NETCONFPATH", self.directory.path())
            .env("CNI_PATH", &self.plugins);
        if let Some(capabilities) = &self.capabilities {
            command.env("CAP_ARGS", capabilities.to_string());
        }
        command.output().unwrap()
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
