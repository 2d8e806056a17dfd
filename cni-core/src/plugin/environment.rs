//! The environment of a plugin: which verb, about what (specification, section 2: parameters).

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::checked::missing;
use super::checks::text;
use crate::invoke::{Operation, OwnNetns, TIMEOUT_MS, Target, TraceContext};
use crate::spec::{AttachmentId, CniArgs, Code, ContainerId, Error, IfName, NetnsPath};

/// What a plugin is told to do.
pub(super) enum Command {
    /// Nothing: somebody called it by hand.
    About,
    /// An operation.
    Operation(Operation),
    /// A word that is no verb. As in the reference, a bad configuration is reported before it.
    Unknown(String),
    /// VERSION.
    Version,
}

impl Command {
    fn is_about_an_attachment(&self) -> bool {
        matches!(
            self,
            Self::Operation(Operation::Add | Operation::Check | Operation::Del)
        )
    }
}

/// The variables of one call.
pub(super) struct Environment {
    pub(super) command: Command,
    pub(super) target: Target,
    pub(super) deadline: Option<Instant>,
    /// What is wrong with the `CNI_ARGS` that the call goes on without.
    pub(super) unread_args: Option<Error>,
}

type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Environment {
    /// Reads the variables of a call.
    pub(super) fn read(lookup: Lookup<'_>) -> Result<Self, Error> {
        let var = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let command = command(var("CNI_COMMAND"));
        let id = attachment(required(&command), &var)?;
        let (args, unread_args) = args(&command, var("CNI_ARGS"))?;
        let target = Target {
            id,
            netns: var("CNI_NETNS")
                .filter(|_| command.is_about_an_attachment())
                .map(NetnsPath::new),
            args,
            path: var("CNI_PATH").map(|path| split(&path)).unwrap_or_default(),
            own_netns: own_netns(var("CNI_NETNS_OVERRIDE")),
            trace: TraceContext::read(lookup),
        };
        let deadline = var(TIMEOUT_MS).and_then(deadline);
        Ok(Self {
            command,
            target,
            deadline,
            unread_args,
        })
    }
}

fn command(value: Option<OsString>) -> Command {
    let Some(value) = value else { return Command::About };
    let value = value.to_string_lossy();
    if value == "VERSION" {
        return Command::Version;
    }
    match Operation::ALL
        .into_iter()
        .find(|operation| operation.as_str() == value)
    {
        Some(operation) => Command::Operation(operation),
        None => Command::Unknown(value.into_owned()),
    }
}

/// The variables that the reference demands for a verb, in its order.
fn required(command: &Command) -> &'static [&'static str] {
    match command {
        Command::Operation(Operation::Add | Operation::Check) => {
            &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]
        }
        Command::Operation(Operation::Del) => &["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
        Command::Operation(Operation::Gc | Operation::Status) => &["CNI_PATH"],
        Command::About | Command::Unknown(_) | Command::Version => &[],
    }
}

/// The attachment that the call is about, if its verb is about one: variables that are invalid are refused before those
/// that are missing.
fn attachment(required: &[&str], var: Lookup<'_>) -> Result<Option<AttachmentId>, Error> {
    let wanted = |name: &str| var(name).filter(|_| required.contains(&name));
    let container = wanted("CNI_CONTAINERID").map(|id| parse::<ContainerId>("CNI_CONTAINERID", id));
    let container = container.transpose()?;
    let ifname = wanted("CNI_IFNAME").map(|name| parse::<IfName>("CNI_IFNAME", name));
    let ifname = ifname.transpose()?;
    let absent = required.iter().copied().filter(|name| var(name).is_none());
    let absent: Vec<&str> = absent.collect();
    if !absent.is_empty() {
        return Err(missing(&absent.join(",")));
    }
    let both = container.zip(ifname);
    Ok(both.map(|(container, ifname)| AttachmentId { container, ifname }))
}

/// The value of a variable. One that is not UTF-8 is refused: with its bytes replaced it would be another name.
fn parse<T: std::str::FromStr<Err: std::error::Error>>(name: &str, value: OsString) -> Result<T, Error> {
    let invalid = Error::new(Code::INVALID_ENVIRONMENT, format!("invalid {name}"));
    match value.into_string() {
        Ok(value) => value.parse().map_err(|error| invalid.with_details(text(&error))),
        Err(value) => Err(invalid.with_details(format!("{value:?} is not UTF-8"))),
    }
}

/// Reads `CNI_ARGS`. DEL goes on without bad ones, and removes what it can: then there is an error beside none.
fn args(command: &Command, value: Option<OsString>) -> Result<(CniArgs, Option<Error>), Error> {
    let Some(value) = value else {
        return Ok((CniArgs::default(), None));
    };
    match (parse("CNI_ARGS", value), command) {
        (Ok(args), _) => Ok((args, None)),
        (Err(error), Command::Operation(Operation::Add | Operation::Check)) => Err(error),
        (Err(error), _) => Ok((CniArgs::default(), Some(error))),
    }
}

/// The directories of `CNI_PATH`. An empty part, which would stand for the working directory, is left out.
fn split(path: &OsString) -> Vec<PathBuf> {
    let parts = path
        .as_bytes()
        .split(|byte| *byte == b':')
        .filter(|part| !part.is_empty());
    parts
        .map(|part| OsString::from_vec(part.to_vec()).into())
        .collect()
}

fn own_netns(value: Option<OsString>) -> OwnNetns {
    let allowed = value.is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"));
    if allowed {
        OwnNetns::Allowed
    } else {
        OwnNetns::Refused
    }
}

fn deadline(value: OsString) -> Option<Instant> {
    let millis = value.to_str()?.parse().ok()?;
    Instant::now().checked_add(Duration::from_millis(millis))
}
