//! An IPAM plugin that awaits: addresses come from a service behind a Unix socket, which may be slow.
//!
//! The service reads one line, `lease ID`, `find ID`, `release ID` or `status`, and answers one: an address, `ok`, or
//! `error TEXT`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use cni_core::plugin::{Add, AsyncPlugin, Blocking, Check, Del, Status, async_trait, run};
use cni_core::spec::{Code, Error, IpConfig, Success};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::UnixStream;
use tokio::time::timeout;

struct Leases;

#[derive(serde::Deserialize)]
struct Config {
    ipam: Ipam,
}

#[derive(serde::Deserialize)]
struct Ipam {
    socket: PathBuf,
}

/// Another try may find the service in better health.
fn later(msg: &str, cause: impl ToString) -> Error {
    Error::new(Code::TRY_AGAIN, msg).with_details(cause.to_string())
}

impl Ipam {
    async fn ask(&self, question: String) -> Result<String, Error> {
        let conversation = async {
            let mut stream = BufStream::new(UnixStream::connect(&self.socket).await?);
            stream.write_all(format!("{question}\n").as_bytes()).await?;
            stream.flush().await?;
            let mut answer = String::new();
            stream.read_line(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let answer = timeout(Duration::from_secs(5), conversation).await;
        let answer = answer.map_err(|late| later("ask for an address", late))?;
        let answer = answer.map_err(|error| later("ask for an address", error))?;
        match answer.trim().strip_prefix("error ") {
            Some(refusal) => Err(Error::new(Code(100), question).with_details(refusal)),
            None => Ok(answer.trim().to_owned()),
        }
    }
}

#[async_trait]
impl AsyncPlugin for Leases {
    type Config = Config;
    const NAME: &'static str = "leases";

    async fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let address = request.config.ipam.ask(format!("lease {}", request.id)).await?;
        let address = address.parse().map_err(|error| later("read the lease", error))?;
        let mut result = Success::new();
        result.ips.push(IpConfig::new(address));
        Ok(result)
    }

    /// The service answers `ok` for what it never gave, so that DEL may come again.
    async fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let released = request.config.ipam.ask(format!("release {}", request.id));
        released.await.map(drop)
    }

    async fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let address = request.config.ipam.ask(format!("find {}", request.id)).await?;
        let prev = request.prev.unwrap_or_default();
        if prev.ips.iter().any(|ip| ip.address.to_string() == address) {
            return Ok(());
        }
        Err(Error::new(Code(100), format!("check the lease: it is {address}")))
    }

    async fn status(&self, request: Status<'_, Config>) -> Result<(), Error> {
        let answer = request.config.ipam.ask("status".to_owned()).await;
        answer
            .map(drop)
            .map_err(|error| Error::new(Code::UNAVAILABLE, error.msg).with_details(error.details))
    }
}

fn main() -> std::io::Result<ExitCode> {
    // What fails no call goes to stderr: stdout is for the answer alone.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let plugin = Blocking::on(Leases, move |call| runtime.block_on(call));
    Ok(run(&plugin))
}
