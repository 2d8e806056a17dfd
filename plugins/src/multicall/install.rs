//! Installing: one executable for each plugin, each replaced in one step.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// An installation that failed; the executables named before are in place, the others as they were.
#[derive(Debug, thiserror::Error)]
#[error("{what} {path:?}")]
#[non_exhaustive]
pub struct InstallError {
    /// What was being attempted.
    pub what: &'static str,
    /// With which file.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Puts `program` into `dir`, which is made if need be, under each of `names`; answers the paths.
///
/// There is one copy, with hard links to it where the file system has them. Each name is replaced by
/// `rename(2)`: whoever executes it gets the old program or the new one, never half of one, and one that
/// runs goes on undisturbed.
///
/// # Errors
/// When a file cannot be written; nothing but what was replaced already is left.
pub fn install<'a>(
    program: &Path,
    dir: &Path,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<PathBuf>, InstallError> {
    fs::create_dir_all(dir).map_err(failed("create directory", dir))?;
    let copy = Temporary(dir.join(format!(".cni-plugins.{}.new", std::process::id())));
    copy_of(program, &copy.0).map_err(failed("write", &copy.0))?;
    let mut installed = Vec::new();
    for name in names {
        let path = dir.join(name);
        let new = Temporary(dir.join(format!(".{name}.{}.new", std::process::id())));
        fs::hard_link(&copy.0, &new.0)
            .or_else(|_| copy_of(program, &new.0))
            .map_err(failed("write", &new.0))?;
        fs::rename(&new.0, &path).map_err(failed("replace", &path))?;
        installed.push(path);
    }
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(failed("sync directory", dir))?;
    Ok(installed)
}

/// A file that is removed in the end, unless it has got another name by then.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Not there is the rule, after the rename.
        let _ = fs::remove_file(&self.0);
    }
}

fn copy_of(program: &Path, to: &Path) -> io::Result<()> {
    // Left by a process of the same number that was killed.
    let _ = fs::remove_file(to);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o755).open(to)?;
    io::copy(&mut File::open(program)?, &mut file)?;
    file.sync_all()
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    let path = path.to_owned();
    move |source| InstallError { what, path, source }
}
