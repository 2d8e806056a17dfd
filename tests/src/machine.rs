//! What a machine looks like to its administrator, for "nothing is left behind".

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Links, named namespaces, firewall rules and files where state is kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Machine {
    links: String,
    namespaces: String,
    ruleset: String,
    files: BTreeSet<String>,
}

impl Machine {
    /// The machine as it is now.
    ///
    /// # Panics
    /// When `ip` or `nft` cannot be run.
    pub fn look() -> Self {
        let mut files = BTreeSet::new();
        for directory in [
            "/tmp",
            "/run",
            "/var/lib",
            "/etc/cni",
            "/opt/cni",
            "/etc/plexus",
            "/opt/plexus",
        ] {
            list(Path::new(directory), &mut files);
        }
        Self {
            links: print("ip", &["-j", "link"]),
            namespaces: print("ip", &["netns"]),
            ruleset: print("nft", &["list", "ruleset"]),
            files,
        }
    }
}

fn print(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn list(directory: &Path, files: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(&path, files);
        }
        files.insert(path.display().to_string());
    }
}
