//! What a plugin's end and output mean.

use std::io;
use std::time::Duration;

use super::process::{End, Finished};
use crate::spec::{Code, Error, Object, PluginType, Success, Version, VersionInfo, shortened};

/// The output of a plugin that succeeded.
pub(super) struct Answered {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Success or failure of the run.
pub(super) fn judge(
    plugin: &PluginType,
    word: &'static str,
    finished: io::Result<Finished>,
) -> Result<Answered, Error> {
    let Finished { end, stdout, stderr } = finished.map_err(|error| unstartable(plugin, &error))?;
    let stderr_text = String::from_utf8_lossy(&stderr);
    match end {
        End::Exited(status) if status.success() => Ok(Answered { stdout, stderr }),
        End::Exited(status) => Err(failure(plugin, &stdout, stderr_text.trim(), &status.to_string())),
        End::Overflow => {
            let msg = format!("plugin {:?} wrote more than 16 MiB", plugin.as_str());
            Err(Error::new(Code::IO, msg).with_details(shortened(stderr_text.trim())))
        }
        End::Timeout(after) => Err(timeout(plugin, word, after, stderr_text.trim())),
    }
}

fn unstartable(plugin: &PluginType, error: &io::Error) -> Error {
    // Whoever writes the file will be done with it.
    let busy = error.kind() == io::ErrorKind::ExecutableFileBusy;
    let code = if busy { Code::TRY_AGAIN } else { Code::IO };
    Error::new(code, format!("run plugin {:?}", plugin.as_str())).with_details(error.to_string())
}

fn timeout(plugin: &PluginType, word: &'static str, after: Duration, stderr: &str) -> Error {
    let plugin = plugin.as_str();
    let msg = format!("plugin {plugin:?} did not end {word} in time and was killed after {after:.1?}");
    Error::new(late(word), msg).with_details(shortened(stderr))
}

/// The time was up before the plugin was started.
pub(super) fn too_late(plugin: &PluginType, word: &'static str) -> Error {
    let msg = format!("no time was left for {word} of plugin {:?}", plugin.as_str());
    Error::new(late(word), msg)
}

/// Another try may find more time; STATUS has a code of its own for a plugin that cannot serve.
fn late(word: &str) -> Code {
    if word == "STATUS" {
        Code::UNAVAILABLE
    } else {
        Code::TRY_AGAIN
    }
}

/// The plugin's own error object, or what can be said without one. The texts begin as the reference's.
fn failure(plugin: &PluginType, stdout: &[u8], stderr: &str, status: &str) -> Error {
    if let Ok(object) = Object::from_slice(stdout)
        && let Ok(error) = object.parse::<Error>()
        // An object of another kind is an error that says nothing.
        && error != Error::new(Code::UNKNOWN, "")
    {
        return error;
    }
    let stdout = String::from_utf8_lossy(stdout);
    let msg = match (stdout.trim(), stderr) {
        ("", "") => "netplugin failed with no error message".to_owned(),
        ("", stderr) => format!("netplugin failed: {:?}", shortened(stderr)),
        (stdout, _) => {
            let stdout = shortened(stdout);
            format!("netplugin failed but its diagnostic message is no error object: {stdout:?}")
        }
    };
    Error::new(Code::UNKNOWN, msg).with_details(format!("plugin {:?}: {status}", plugin.as_str()))
}

/// The result of ADD, in the version that it names itself, else in the configuration's.
pub(super) fn result(plugin: &PluginType, version: Version, stdout: &[u8]) -> Result<Success, Error> {
    let undecodable = |details: String| {
        let msg = format!("decode result of plugin {:?}", plugin.as_str());
        Error::new(Code::DECODING, msg).with_details(details)
    };
    if stdout.trim_ascii().is_empty() {
        return Err(undecodable("no output".to_owned()));
    }
    Success::decode(version, stdout).map_err(|error| undecodable(Error::from(error).to_string()))
}

/// The answer to VERSION; plugins older than the verb refuse it, and take 0.1.0.
pub(super) fn versions(plugin: &PluginType, stdout: Result<Vec<u8>, Error>) -> Result<VersionInfo, Error> {
    let stdout = match stdout {
        Ok(stdout) => stdout,
        Err(error) if error.msg == "unknown CNI_COMMAND: VERSION" => {
            return Ok(VersionInfo::new(Version::V0_1_0, &[Version::V0_1_0]));
        }
        Err(error) => return Err(error),
    };
    VersionInfo::decode(&stdout).map_err(|error| {
        let msg = format!("decode versions of plugin {:?}", plugin.as_str());
        let cause = Error::from_source(Code::DECODING, &error);
        Error::new(Code::DECODING, msg).with_details(cause.to_string())
    })
}
