//! Finding a plugin's file.

use std::path::{Path, PathBuf};

use crate::spec::{Code, Error};

/// The first file of that name that fits.
pub(super) fn find(name: &str, path: &[PathBuf], fits: impl Fn(&Path) -> bool) -> Result<PathBuf, Error> {
    if path.is_empty() {
        return Err(Error::new(
            Code::INVALID_ENVIRONMENT,
            "no paths provided in CNI_PATH",
        ));
    }
    let files = || path.iter().map(|dir| dir.join(name));
    if let Some(found) = files().find(|file| fits(file)) {
        return Ok(found);
    }
    let dirs: Vec<String> = path.iter().map(|dir| dir.display().to_string()).collect();
    let msg = format!("failed to find plugin {name:?} in path [{}]", dirs.join(" "));
    let error = Error::new(Code::INVALID_CONFIG, msg);
    Err(match files().find(|file| file.is_file()) {
        Some(file) => error.with_details(format!("{file:?} is not executable")),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_path_there_is_nothing_to_find_it_in() {
        let error = find("a", &[], |_| true).unwrap_err();
        assert_eq!(
            error,
            Error::new(Code::INVALID_ENVIRONMENT, "no paths provided in CNI_PATH")
        );
    }
}
