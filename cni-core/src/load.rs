//! Network lists from files and directories.
//!
//! One file that cannot be read hides no other: it is reported beside what was found.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::spec::{ConfError, ConfList, Draft, Object, PluginConf, with_causes};

/// What could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file that is not a configuration.
    #[error("load network configuration {path:?}")]
    Conf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ConfError,
    },
    /// There is no configuration at all.
    #[error("no net configurations found in {dir:?}")]
    Empty {
        /// The directory.
        dir: PathBuf,
    },
    /// No file that could be read has the name.
    #[error("no net configuration with name {name:?} in {dir:?}{}", unreadable(.broken))]
    NotFound {
        /// The name asked for.
        name: String,
        /// The directory.
        dir: PathBuf,
        /// The files that could not be read: it may be in one of them.
        broken: Vec<LoadError>,
    },
    /// A file or directory that could not be read.
    #[error("read {path:?}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
}

fn unreadable(broken: &[LoadError]) -> String {
    let each: Vec<String> = broken.iter().map(|error| with_causes(error)).collect();
    if each.is_empty() {
        String::new()
    } else {
        format!("; unreadable: {}", each.join(", "))
    }
}

/// A list, and the files that had to be passed over to find it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Found {
    /// The list.
    pub list: ConfList,
    /// The file that it is in.
    pub path: PathBuf,
    /// The files met before it that could not be read.
    pub broken: Vec<LoadError>,
}

impl Found {
    /// The list, if no broken file had to be passed over: what the reference does.
    ///
    /// # Errors
    /// The first broken file.
    pub fn strict(self) -> Result<ConfList, LoadError> {
        match self.broken.into_iter().next() {
            Some(broken) => Err(broken),
            None => Ok(self.list),
        }
    }
}

/// Reads the list in the file at `path`; a name ending in `.conf` or `.json` is that of one plugin's.
///
/// Unless the list says `loadOnlyInlinedPlugins`, the files `*.conf` in the folder beside it that is
/// named after the network are appended, in the order of their names (specification, section 1).
///
/// # Errors
/// When the file, or one of those in the folder, cannot be read or breaks a rule of the specification.
pub fn from_file(path: impl AsRef<Path>) -> Result<ConfList, LoadError> {
    let path = path.as_ref();
    let broken = |source: ConfError| LoadError::Conf {
        path: path.to_owned(),
        source,
    };
    let object = read_object(path)?;
    if has_extension(path, &["conf", "json"]) {
        return ConfList::from_plugin_object(object).map_err(broken);
    }
    let mut draft = Draft::parse(&object).map_err(broken)?;
    if !draft.load_only_inlined_plugins {
        let folder = path.with_file_name(draft.name.as_str());
        for file in files(&folder, &["conf"])? {
            let plugin = PluginConf::from_object(read_object(&file)?, draft.plugins.len());
            let plugin = plugin.map_err(|source| LoadError::Conf { path: file, source })?;
            draft.plugins.push(plugin);
        }
    }
    draft.finish().map_err(broken)
}

/// The list named `name` in `dir`: the first of the `*.conflist` files by name, else of the `*.conf`
/// and `*.json` files with one plugin each.
///
/// # Errors
/// When there is none, or the directory cannot be read.
pub fn by_name(dir: impl AsRef<Path>, name: impl AsRef<str>) -> Result<Found, LoadError> {
    let (dir, name) = (dir.as_ref(), name.as_ref());
    let mut paths = files(dir, &["conflist"])?;
    paths.extend(files(dir, &["conf", "json"])?);
    if paths.is_empty() {
        return Err(LoadError::Empty { dir: dir.to_owned() });
    }
    let mut broken = Vec::new();
    for path in paths {
        match from_file(&path) {
            Ok(list) if list.name.as_str() == name => return Ok(Found { list, path, broken }),
            Ok(_) => {}
            Err(error) => broken.push(error),
        }
    }
    Err(LoadError::NotFound {
        name: name.to_owned(),
        dir: dir.to_owned(),
        broken,
    })
}

/// The files in `dir` with one of `extensions` (without the dot, case counts), by name.
///
/// A directory that does not exist has none. Directories, pipes and devices are left out; links to files are
/// not, and one that leads nowhere is there to be reported.
///
/// # Errors
/// When the directory cannot be read.
pub fn files(dir: impl AsRef<Path>, extensions: &[&str]) -> Result<Vec<PathBuf>, LoadError> {
    let dir = dir.as_ref();
    let failed = |source: io::Error| LoadError::Read {
        path: dir.to_owned(),
        source,
    };
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let is_other = |path: &Path| fs::metadata(path).is_ok_and(|found| !found.is_file());
        if has_extension(&path, extensions) && !is_other(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The content of the file at `path`, if it is no larger than any configuration can be: 16 MiB.
///
/// It may be a pipe, for somebody who names one; [`regular`] is for what lies in a place of its own.
///
/// # Errors
/// When it cannot be read, or is larger, as a device without end is.
pub fn bytes(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    content(File::open(path)?)
}

/// As [`bytes`], of a regular file alone: nobody waits for what writes to a pipe in its place.
///
/// # Errors
/// As for [`bytes`], and when it is no regular file.
pub fn regular(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut options = File::options();
    let options = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let no_file = || io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
    // A socket, or links that lead in a circle, cannot even be opened.
    let never = [Errno::NXIO, Errno::LOOP].map(|errno| Some(errno.raw_os_error()));
    let file = options.read(true).open(path);
    let file = file.map_err(|error| match never.contains(&error.raw_os_error()) {
        true => no_file(),
        false => error,
    })?;
    if !file.metadata()?.is_file() {
        return Err(no_file());
    }
    content(file)
}

/// What [`bytes`] and [`regular`] read at most.
pub(crate) const LARGEST: u64 = 16 << 20;

fn content(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is larger than 16 MiB",
        ));
    }
    Ok(bytes)
}

fn read_object(path: &Path) -> Result<Object, LoadError> {
    let bytes = bytes(path).map_err(|source| LoadError::Read {
        path: path.to_owned(),
        source,
    })?;
    Object::from_slice(&bytes).map_err(|source| LoadError::Conf {
        path: path.to_owned(),
        source: source.into(),
    })
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let own = path.extension().and_then(|e| e.to_str());
    own.is_some_and(|own| extensions.contains(&own))
}

#[cfg(test)]
mod tests;
