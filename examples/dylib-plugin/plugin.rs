//! The plugin itself: a chained one that tells a directory which addresses each container has.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use cni_core::plugin::{Add, Check, Del, Env, Gc, Plugin, Rollback, Teardown};
use cni_core::spec::{AttachmentId, Code, Error, Success, ValidAttachment};

/// Keeps a file for each attachment, `DIRECTORY/NETWORK/CONTAINER@INTERFACE`, with an address in each line.
pub(crate) struct Hosts;

#[derive(serde::Deserialize)]
pub(crate) struct Config {
    directory: PathBuf,
}

impl Config {
    fn network(&self, env: &Env<'_>) -> PathBuf {
        self.directory.join(env.network.as_str())
    }

    /// All names have been checked: none holds a slash, and a container's no `@`.
    fn file(&self, env: &Env<'_>, id: &AttachmentId) -> PathBuf {
        self.network(env).join(format!("{}@{}", id.container, id.ifname))
    }
}

fn failed(action: &str, path: &Path, cause: &io::Error) -> Error {
    Error::new(Code::IO, format!("{action} {path:?}")).with_details(cause.to_string())
}

/// What is not there counts as removed.
fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", path, &error)),
        _ => Ok(()),
    }
}

fn addresses(result: &Success) -> String {
    result
        .ips
        .iter()
        .map(|ip| format!("{}\n", ip.address.addr()))
        .collect()
}

impl Plugin for Hosts {
    type Config = Config;
    const NAME: &'static str = "hosts";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let no_prev = || Error::new(Code::INVALID_CONFIG, "keep addresses: no plugin ran before");
        let prev = request.prev.ok_or_else(no_prev)?;
        let directory = request.config.network(&request.env);
        fs::create_dir_all(&directory).map_err(|error| failed("create", &directory, &error))?;
        let file = request.config.file(&request.env, &request.id);
        let mut rollback = Rollback::default();
        rollback.on_failure("file", || remove(&file));
        fs::write(&file, addresses(&prev)).map_err(|error| failed("write", &file, &error))?;
        rollback.commit();
        Ok(prev)
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        remove(&request.config.file(&request.env, &request.id))
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let file = request.config.file(&request.env, &request.id);
        let found = fs::read_to_string(&file).map_err(|error| failed("read", &file, &error))?;
        if request.prev.is_some_and(|prev| addresses(&prev) != found) {
            let msg = format!("check {file:?}: it has other addresses");
            return Err(Error::new(Code(100), msg));
        }
        Ok(())
    }

    /// A runtime that does not say what is in use wants nothing removed.
    fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        let Some(valid) = request.valid else { return Ok(()) };
        let name = |id: &ValidAttachment| format!("{}@{}", id.container, id.ifname);
        let valid: BTreeSet<String> = valid.iter().map(name).collect();
        let directory = request.config.network(&request.env);
        let files = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            files => files.map_err(|error| failed("read", &directory, &error))?,
        };
        let mut teardown = Teardown::default();
        for file in files.flatten() {
            if !valid.contains(&*file.file_name().to_string_lossy()) {
                teardown.step("file", remove(&file.path()));
            }
        }
        teardown.finish()
    }
}
