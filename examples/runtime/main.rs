//! A runtime: runs the network list in a file against a network namespace.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use cni_core::chain::{self, FailedAdd, Results, Runtime};
use cni_core::invoke::Exec;
use cni_core::load;
use cni_core::spec::{AttachmentId, ConfList, NetnsPath, ValidAttachment, with_causes};
use cni_core::store::Store;

const USAGE: &str = "usage: runtime add|check|del LIST NETNS [DIRECTORY]
       runtime status|gc LIST [DIRECTORY]
LIST is a .conflist, .conf or .json file, NETNS a file as `ip netns add` makes it below /run/netns,
DIRECTORY where the plugins are, /opt/cni/bin if it is not given.";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = run(&arguments);
    let written = match &answer {
        Ok(text) => std::io::stdout().write_all(text.as_bytes()),
        Err(error) => std::io::stderr().write_all(format!("{}\n", with_causes(&**error)).as_bytes()),
    };
    match (answer, written) {
        (Ok(_), Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// What goes to stdout: the result of `add`.
fn run(arguments: &[&str]) -> Result<String, Failure> {
    let (verb, list, more) = match *arguments {
        [verb, list, ref more @ ..] => (verb, load::from_file(list)?, more),
        _ => return Err(USAGE.into()),
    };
    let directory = |given: &[&str]| given.first().copied().unwrap_or("/opt/cni/bin").into();
    let exec = Exec::new().with_limit(Duration::from_secs(30));
    // What ADD answered is kept where every runtime keeps it, for CHECK and DEL.
    let kept = Store::new(Store::DEFAULT_DIR);
    match (verb, more) {
        ("add" | "check" | "del", [netns, more @ ..]) if more.len() < 2 => {
            let runtime = Runtime::new(&exec, [directory(more)]);
            attachment(verb, &list, &NetnsPath::new(netns), runtime, &kept)
        }
        ("status" | "gc", more) if more.len() < 2 => {
            let runtime = Runtime::new(&exec, [directory(more)]);
            network(verb, &list, &runtime, &kept).map(|()| String::new())
        }
        _ => Err(USAGE.into()),
    }
}

/// The container is called as the file of its namespace is.
fn attachment(
    verb: &str,
    list: &ConfList,
    netns: &NetnsPath,
    mut runtime: Runtime<'_>,
    kept: &Store,
) -> Result<String, Failure> {
    let name = netns.as_path().file_name().unwrap_or_default();
    let id = AttachmentId::new(name.to_string_lossy().parse()?, "eth0".parse()?);
    // The specification has a DEL follow an ADD that failed: what plugins made before the failure is there still.
    runtime.failed_add = FailedAdd::Undo(Duration::from_secs(30));
    match verb {
        "add" => {
            // Undoing a second ADD would take away what the first one made.
            if kept.get(list, &id)?.is_some() {
                return Err("already attached".into());
            }
            let result = chain::add(list, &id, netns, &runtime, kept)?;
            return Ok(format!("{}\n", result.encode(list.version)?));
        }
        "check" => chain::check(list, &id, netns, &runtime, kept)?,
        _ => chain::del(list, &id, Some(netns), &runtime, kept)?,
    }
    Ok(String::new())
}

fn network(verb: &str, list: &ConfList, runtime: &Runtime<'_>, kept: &Store) -> Result<(), Failure> {
    if verb == "status" {
        return Ok(chain::status(list, runtime)?);
    }
    // An attachment is valid as long as its namespace is there.
    let lives = |netns: &NetnsPath| netns.as_path().exists();
    let living = kept
        .list(list)?
        .into_iter()
        .filter(|kept| kept.netns.as_ref().is_some_and(lives));
    let valid: BTreeSet<ValidAttachment> = living.map(|kept| (&kept.id).into()).collect();
    Ok(chain::gc(list, Some(&valid), runtime, kept)?)
}
