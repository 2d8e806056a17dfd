//! The command line: what a runtime does for a pod, by hand, and looks at what there is.

mod attach;
mod check;
mod detach;
mod list;
mod machine;
mod out;
mod status;
mod validate;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use machine::{Env, Failure};
use out::{Format, Out};

/// Several networks for each pod, as NetworkAttachmentDefinitions say.
#[derive(Parser)]
#[command(name = "plexus", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// ADD by hand: attach a network namespace to the networks of a pod
    #[command(after_help = attach::EXECUTABLES)]
    Attach(Box<attach::Options>),
    /// CHECK by hand: compare what was attached with what there is
    Check(check::Options),
    /// Show it all: three nodes, four pods with four networks each, nothing left afterwards
    Demo,
    /// DEL by hand: remove what was attached to a container, by whomever
    Detach(detach::Options),
    /// Show what is attached on this machine
    List(list::Options),
    /// STATUS by hand: ask what the runtime asks, whether the node could attach a pod
    Status(status::Options),
    /// Say what is wrong in files: definitions, pods, CNI configurations, policies
    Validate(validate::Options),
    /// Print the version
    Version,
}

/// What every command that shows attachments takes.
#[derive(Args)]
struct Journals {
    /// The directory of the journals
    #[arg(long, value_name = "DIR", default_value = STATE_DIR)]
    state_dir: PathBuf,
    /// A table for people, or JSON for programs
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// What every command that runs plugins takes.
#[derive(Args)]
struct Common {
    #[command(flatten)]
    journals: Journals,
    /// The policy of the node, in place of /etc/plexus/config.json
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

const STATE_DIR: &str = "/var/lib/plexus";

/// The whole command line. `args` begin with the program's name.
///
/// The exit code is 0 on success, 1 on failure and 2 when the arguments make no sense.
pub(crate) fn main(
    args: impl IntoIterator<Item = OsString>,
    env: Env<'_>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> ExitCode {
    let command = match Cli::try_parse_from(args) {
        Ok(cli) => cli.command,
        Err(error) => {
            let text = error.render();
            let to: &mut dyn Write = if error.use_stderr() { stderr } else { stdout };
            // Nobody is left to tell when the stream is gone.
            drop(write!(to, "{text}"));
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let mut out = Out::new(command.format(), stdout, stderr);
    match run(command, env, &mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

impl Command {
    fn format(&self) -> Format {
        match self {
            Self::Attach(options) => options.common.journals.output,
            Self::Check(options) => options.common.journals.output,
            Self::Detach(options) => options.common.journals.output,
            Self::List(options) => options.journals.output,
            Self::Status(options) => options.output,
            Self::Validate(options) => options.output,
            Self::Demo | Self::Version => Format::Table,
        }
    }
}

fn run(command: Command, env: Env<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
    match command {
        Command::Attach(options) => attach::run(*options, env, out),
        Command::Check(options) => check::run(options, out),
        Command::Demo => Ok(plexus::demo::run(out.stdout())?),
        Command::Detach(options) => detach::run(options, out),
        Command::List(options) => list::run(&options, out),
        Command::Status(options) => status::run(&options, env, out),
        Command::Validate(options) => validate::run(&options, out),
        Command::Version => out.line(concat!("plexus ", env!("CARGO_PKG_VERSION"))),
    }
}
