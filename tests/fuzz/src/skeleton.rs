//! The program around a plugin: environment and stdin.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use cni_core::plugin::{Add, Check, Del, Host, Plugin, run_on};
use cni_core::spec::{Code, Error, Object, Success, Version, VersionInfo};
use serde::Deserialize;

pub(crate) const SEEDS: &[&str] = &[
    "CNI_COMMAND=ADD\nCNI_CONTAINERID=c1\nCNI_NETNS=/nowhere\nCNI_IFNAME=eth0\nCNI_PATH=/nowhere:/b\nCNI_ARGS=a=b\n\n{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"noop\",\"prevResult\":{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\"}]}}",
    "CNI_COMMAND=ADD\nCNI_CONTAINERID=c1\nCNI_NETNS=/nowhere\nCNI_IFNAME=eth0\nCNI_PATH=/b\n\n{\"cniVersion\":\"0.2.0\",\"name\":\"n\",\"answer\":{\"ips\":[{\"address\":\"10.0.0.2/24\"}],\"routes\":[{\"dst\":\"::/0\"}]}}",
    "CNI_COMMAND=DEL\nCNI_CONTAINERID=c1\nCNI_IFNAME=eth0\nCNI_PATH=/b\nPLEXUS_TIMEOUT_MS=5\n\n{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"failure\":{\"code\":101,\"msg\":\"m\",\"details\":\"d\"}}",
    "CNI_COMMAND=CHECK\nCNI_CONTAINERID=c1\nCNI_NETNS=/proc/self/ns/net\nCNI_IFNAME=eth0\nCNI_PATH=/b\nCNI_NETNS_OVERRIDE=1\n\n{\"cniVersion\":\"0.4.0\",\"name\":\"n\"}",
    "CNI_COMMAND=GC\nCNI_PATH=/b\n\n{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"cni.dev/valid-attachments\":[{\"containerID\":\"c\",\"ifname\":\"e\"}]}",
    "CNI_COMMAND=STATUS\nCNI_PATH=/b\n\n{\"cniVersion\":\"1.1.0\",\"name\":\"n\"}",
    "CNI_COMMAND=VERSION\n\n{\"cniVersion\":\"1.0.0\"}",
    "CNI_COMMAND=HELP\n\n{\"cniVersion\":\"1.0.0\",\"name\":\"n\"}",
    "\n",
];

/// Does what its configuration says, and touches nothing.
struct Noop;

#[derive(Deserialize)]
struct Config {
    failure: Option<Error>,
    answer: Option<Object>,
}

impl Config {
    fn outcome(&self) -> Result<(), Error> {
        self.failure.clone().map_or(Ok(()), Err)
    }
}

impl Plugin for Noop {
    type Config = Config;
    const NAME: &'static str = "noop";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        request.config.outcome()?;
        match request.config.answer {
            Some(answer) => Ok(Success::decode(Version::V1_1_0, answer.to_string().as_bytes())?),
            None => Ok(request.prev.unwrap_or_default()),
        }
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        request.config.outcome()
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        request.config.outcome()
    }
}

/// Lines of variables, an empty line, stdin.
pub(crate) fn skeleton(data: &[u8]) {
    let (environment, stdin) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &b""[..]),
    };
    let env = |name: &str| -> Option<OsString> {
        let value = |line: &[u8]| Some(line.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_vec());
        let value = environment.split(|b| *b == b'\n').find_map(value)?;
        Some(OsStr::from_bytes(&value).to_owned())
    };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let host = Host {
        env: &env,
        stdin: &mut &*stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        invoke: None,
    };
    let ok = run_on(&Noop, host) == ExitCode::SUCCESS;
    let command = env("CNI_COMMAND").unwrap_or_default();
    match command.to_str() {
        _ if !ok => is_error(&stdout),
        Some("ADD") => drop(Success::decode(Version::V1_1_0, &stdout).unwrap()),
        Some("VERSION") => assert!(
            !VersionInfo::decode(&stdout)
                .unwrap()
                .supported_versions
                .is_empty()
        ),
        _ => assert!(stdout.is_empty()),
    }
}

/// One error object: with a version that exists, and no panic behind it.
fn is_error(stdout: &[u8]) {
    let object = Object::from_slice(stdout).unwrap();
    let error: Error = object.parse().unwrap();
    assert_ne!(error.code, cni_core::plugin::PANICKED, "{error}");
    let version: Version = object.parse_key("cniVersion").unwrap().unwrap();
    assert!(Version::ALL.contains(&version));
    assert!(object.parse_key::<Code>("code").unwrap().is_some());
}
