//! Finding a plugin's executable.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::spec::{Code, Error, PluginType};

/// The first regular file of that name that may be executed, links followed.
pub(super) fn find(plugin: &PluginType, path: &[PathBuf]) -> Result<PathBuf, Error> {
    if path.is_empty() {
        return Err(Error::new(
            Code::INVALID_ENVIRONMENT,
            "no paths provided in CNI_PATH",
        ));
    }
    let files = || path.iter().map(|dir| dir.join(plugin.as_str()));
    if let Some(found) = files().find(|file| is_executable(file)) {
        return Ok(found);
    }
    let dirs: Vec<String> = path.iter().map(|dir| dir.display().to_string()).collect();
    let msg = format!(
        "failed to find plugin {:?} in path [{}]",
        plugin.as_str(),
        dirs.join(" ")
    );
    let error = Error::new(Code::INVALID_CONFIG, msg);
    Err(match files().find(|file| file.is_file()) {
        Some(file) => error.with_details(format!("{file:?} is not executable")),
        None => error,
    })
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
