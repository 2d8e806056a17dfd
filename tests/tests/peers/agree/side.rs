//! Whose plugins are run, and by whom.

use std::path::PathBuf;
use std::process::Command;

use cni_core::chain::{self, Runtime};
use cni_core::invoke::{Exec, Invoke};
use cni_core::spec::{AttachmentId, ConfList, Error, NetnsPath, Object};
use cni_core::store::Store;
use cni_net::Kernel;
use plexus_tests::cnitool::Cnitool;
use plexus_tests::{peers, plugins};
use serde_json::Value;

/// Where libcni keeps the results, and our chain does here.
pub(crate) const RESULTS: &str = "/var/lib/cni/results";

/// Who runs the plugins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum By {
    /// libcni.
    Cnitool,
    /// Our chain, as executables.
    Exec,
    /// Our chain, linked in.
    Builtin,
}

/// Whose plugins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Of {
    Ours,
    Reference,
}

/// One of the ways to run a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side(pub(crate) Of, pub(crate) By);

/// A list with what a runtime adds to it.
pub(crate) struct Request<'a> {
    pub(crate) list: &'a Value,
    pub(crate) args: &'a str,
    pub(crate) capabilities: &'a Value,
    pub(crate) container: &'a str,
    pub(crate) netns: &'a str,
}

impl Side {
    fn plugins(self) -> PathBuf {
        match self.0 {
            Of::Ours => plugins().to_owned(),
            Of::Reference => peers(),
        }
    }

    /// Runs `verb` in this thread's namespace; for `add` there is a result, else `null`.
    pub(crate) fn run(self, verb: &str, request: &Request<'_>) -> Result<Value, String> {
        match self.1 {
            By::Cnitool => self.cnitool(verb, request),
            By::Exec => self.chain(verb, request, &Exec::new()),
            By::Builtin => self.chain(verb, request, &cni_plugins::table(&Kernel::new())),
        }
    }

    fn cnitool(self, verb: &str, request: &Request<'_>) -> Result<Value, String> {
        let tool = Cnitool::new(request.list, &self.plugins()).with_capabilities(request.capabilities);
        let output = tool
            .with_env("CNI_ARGS", request.args)
            .output(verb, request.netns);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    fn chain(self, verb: &str, request: &Request<'_>, invoke: &dyn Invoke) -> Result<Value, String> {
        let list = ConfList::from_bytes(request.list.to_string().as_bytes()).unwrap();
        let id = AttachmentId::new(request.container.parse().unwrap(), "eth0".parse().unwrap());
        let (netns, kept) = (NetnsPath::new(request.netns), Store::new(Store::DEFAULT_DIR));
        let mut runtime = Runtime::new(invoke, [self.plugins()]);
        runtime.args = request.args.parse().unwrap();
        runtime.capability_args = Object::from_slice(request.capabilities.to_string().as_bytes()).unwrap();
        let done = match verb {
            "add" => {
                let result = chain::add(&list, &id, &netns, &runtime, &kept).map_err(text)?;
                let result = result.encode(list.version).unwrap();
                return Ok(serde_json::from_str(result.get()).unwrap());
            }
            "check" => chain::check(&list, &id, &netns, &runtime, &kept).map_err(text),
            "del" => chain::del(&list, &id, Some(&netns), &runtime, &kept).map_err(text),
            // As cnitool does it: no attachment is in use.
            "gc" => chain::gc(&list, Some(&[].into()), &runtime, &kept).map_err(text),
            "status" => chain::status(&list, &runtime).map_err(text),
            other => panic!("no verb {other:?}"),
        };
        done.map(|()| Value::Null)
    }
}

fn text(error: chain::ChainError) -> String {
    Error::from(error).to_string()
}

/// The id that cnitool gives to the container whose namespace is at `netns`.
pub(crate) fn container(netns: &str) -> String {
    let script = "printf %s \"$0\" | sha512sum | cut -c1-20";
    let output = Command::new("sh").args(["-c", script, netns]).output().unwrap();
    format!("cnitool-{}", String::from_utf8(output.stdout).unwrap().trim())
}
