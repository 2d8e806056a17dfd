//! Plexus as a node has it: `plexus`, which is the shim, beside the plugins; definitions and pods as files.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::cnitool::Cnitool;
use crate::pod::Pod;
use crate::{plugins, program};

/// A node's directories, apart from those of all other tests; the kernel is shared with them.
pub struct Installed {
    directory: tempfile::TempDir,
}

impl Installed {
    /// Our plugins and the shim, and nothing else yet.
    ///
    /// # Panics
    /// When something cannot be put in its place.
    #[expect(clippy::new_without_default, reason = "it makes something on the disk")]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for part in ["bin", "nads", "pods", "conf"] {
            fs::create_dir(directory.path().join(part)).unwrap();
        }
        let node = Self { directory };
        for file in fs::read_dir(plugins()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), node.path("bin").join(file.file_name())).unwrap();
        }
        fs::copy(program("plexus-shim"), node.path("bin/plexus")).unwrap();
        node
    }

    /// Below the node's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Puts an executable among the plugins.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn plugin(&self, name: &str, content: &[u8]) {
        let path = self.path("bin").join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Writes definitions, as YAML.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn nads(&self, file: &str, text: &str) {
        fs::write(self.path("nads").join(file), text).unwrap();
    }

    /// Writes the file of pod `name` of `default`, with `networks` as its annotation.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn pod(&self, name: &str, networks: &str) {
        let annotations = json!({"k8s.v1.cni.cncf.io/networks": networks});
        let metadata = json!({"name": name, "namespace": "default", "annotations": annotations});
        let directory = self.path("pods/default");
        fs::create_dir_all(&directory).unwrap();
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata});
        fs::write(directory.join(format!("{name}.yaml")), pod.to_string()).unwrap();
    }

    /// The entry of type `plexus` in stand-alone mode, and what `more` says.
    ///
    /// # Panics
    /// When `more` is no object.
    pub fn entry(&self, more: &Value) -> Value {
        let mut entry = json!({
            "type": "plexus", "mode": "standalone", "nads": self.path("nads"), "pods": self.path("pods"),
            "stateDir": self.path("state"), "capabilities": {"ips": true, "mac": true, "portMappings": true},
        });
        let more = more.as_object().unwrap().clone();
        entry.as_object_mut().unwrap().extend(more);
        entry
    }

    /// The runtime: `00-plexus.conflist` in `version` with one entry.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn runtime(&self, version: &str, entry: &Value) -> Cnitool {
        let list = json!({"cniVersion": version, "name": "pods", "plugins": [entry]});
        fs::write(self.path("conf/00-plexus.conflist"), list.to_string()).unwrap();
        let tool = Cnitool::over(&self.path("conf"), "pods", &self.path("bin"));
        tool.with_env("PLEXUS_PROGRAM", program("plexus"))
    }

    /// Calls the shim as a runtime does, but with the variables that the caller names and no others.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn shim(&self, config: &Value, environment: &[(&str, &str)]) -> Output {
        let mut command = self.shim_command();
        command.envs(environment.iter().copied());
        given(&mut command, config.to_string().as_bytes())
    }

    /// The shim with where things are in its environment, and nothing else.
    pub fn shim_command(&self) -> Command {
        let mut command = Command::new(self.path("bin/plexus"));
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("PLEXUS_PROGRAM", program("plexus"))
            .env("CNI_PATH", self.path("bin"));
        command
    }

    /// The whole program by hand, with this node's state directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("plexus"));
        command.args(arguments).arg("--state-dir").arg(self.path("state"));
        command
            .env_remove("CNI_COMMAND")
            .env("CNI_PATH", self.path("bin"));
        command.stdin(Stdio::null());
        command
    }

    /// The containers of which there is a journal.
    pub fn journals(&self) -> Vec<String> {
        crate::host::files(self.path("state/attachments").to_str().unwrap_or_default())
    }

    /// Asserts that of all pods nothing is left: no interface, no journal.
    ///
    /// # Panics
    /// When something is.
    #[track_caller]
    pub fn assert_nothing_in(&self, pod: &Pod) {
        assert_eq!(pod.links(), ["lo"]);
        assert_eq!(self.journals(), Vec::<String>::new());
    }
}

/// Runs `command` with `input` on its stdin.
fn given(command: &mut Command, input: &[u8]) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Whoever does not read it says why in its answer.
    drop(child.stdin.take().unwrap().write_all(input));
    child.wait_with_output().unwrap()
}

/// The addresses that host-local holds for the network, sorted.
pub fn reserved(network: &str) -> Vec<String> {
    let directory = Path::new("/var/lib/cni/networks").join(network);
    let mut files = crate::host::files(directory.to_str().unwrap_or_default());
    files.retain(|name| name.parse::<std::net::IpAddr>().is_ok());
    files.sort();
    files
}
