//! Where a node begins and ends: its first process, and its cgroups.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Starts the first process of a node; its parent, and its own id.
pub(crate) fn boot(name: &str, directory: &Path, boots: u32) -> (Child, u32) {
    fs::write(
        directory.join("boot_id"),
        format!("{boots:08}-0000-4000-8000-000000000000\n"),
    )
    .unwrap();
    let script = plexus_tests::root().join("tests/tests/runtimes/boot.sh");
    // Should the test be killed, the node ends with it.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "bash"])
        .arg(script)
        .arg(name)
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut outer = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(outer.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let init = line.trim().parse().unwrap_or_else(|_| {
        drop(remove_cgroups(name));
        panic!("the node did not start: these tests need root")
    });
    (outer, init)
}

/// Removes the node's cgroups, which is possible as soon as nothing runs in them.
pub(crate) fn remove_cgroups(name: &str) -> std::io::Result<()> {
    let hierarchies = fs::read_dir("/sys/fs/cgroup")?
        .flatten()
        .map(|entry| entry.path());
    for hierarchy in hierarchies.chain([PathBuf::from("/sys/fs/cgroup")]) {
        remove_directories(&hierarchy.join(name))?;
    }
    Ok(())
}

fn remove_directories(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type()?.is_dir() {
            remove_directories(&entry.path())?;
        }
    }
    match fs::remove_dir(path) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Err(error),
        _ => Ok(()),
    }
}
