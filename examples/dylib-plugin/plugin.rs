//! The plugin itself: a chained one that tells a directory which addresses each container has.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use cni_core::plugin::{Add, Check, Del, Env, Gc, Plugin, Teardown};
use cni_core::spec::{Code, Error, Success};

/// Keeps a file for each attachment, `DIRECTORY/NETWORK/CONTAINER@INTERFACE`, with an address in each line.
pub(crate) struct Hosts;

#[derive(serde::Deserialize)]
pub(crate) struct Config {
    directory: PathBuf,
}

impl Config {
    /// Names of networks and containers were checked: neither holds a slash, nor `@`.
    fn of_network(&self, env: &Env<'_>) -> PathBuf {
        self.directory.join(env.network.as_str())
    }
}

fn failed(action: &str, path: &Path, cause: &io::Error) -> Error {
    Error::new(Code::IO, format!("{action} {path:?}")).with_details(cause.to_string())
}

/// What is not there is removed.
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
        let directory = request.config.of_network(&request.env);
        fs::create_dir_all(&directory).map_err(|error| failed("create", &directory, &error))?;
        let file = directory.join(format!("{}@{}", request.id.container, request.id.ifname));
        fs::write(&file, addresses(&prev)).map_err(|error| failed("write", &file, &error))?;
        Ok(prev)
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let directory = request.config.of_network(&request.env);
        remove(&directory.join(format!("{}@{}", request.id.container, request.id.ifname)))
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let directory = request.config.of_network(&request.env);
        let file = directory.join(format!("{}@{}", request.id.container, request.id.ifname));
        let found = fs::read_to_string(&file).map_err(|error| failed("read", &file, &error))?;
        if request.prev.is_some_and(|prev| addresses(&prev) != found) {
            return Err(Error::new(
                Code(100),
                format!("check {file:?}: it has other addresses"),
            ));
        }
        Ok(())
    }

    /// Who does not know what is in use has nothing deleted.
    fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        let Some(valid) = &request.valid else {
            return Ok(());
        };
        let valid: BTreeSet<String> = valid
            .iter()
            .map(|v| format!("{}@{}", v.container, v.ifname))
            .collect();
        let directory = request.config.of_network(&request.env);
        let files = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            files => files.map_err(|error| failed("read", &directory, &error))?,
        };
        let mut teardown = Teardown::default();
        for file in files
            .flatten()
            .filter(|file| !valid.contains(&*file.file_name().to_string_lossy()))
        {
            teardown.step("file", remove(&file.path()));
        }
        teardown.finish()
    }
}
