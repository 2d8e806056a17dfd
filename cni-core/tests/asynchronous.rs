//! Plugins that await, linked in and as a program: the contract is that of a blocking one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use cni_core::invoke::{Builtin, Call, Invoke, Target, Verb};
use cni_core::plugin::{
    Add, AsyncPlugin, Blocking, Check, Del, Gc, Host, Outcome, PANICKED, Pending, Status, async_trait, run_on,
};
use cni_core::spec::{AttachmentId, Code, Error, Interface, NetnsPath, Object, Success, Version};

/// Keeps one file for each attachment, by a thread of its own, as a client of a daemon would.
struct Remote;

#[derive(serde::Deserialize)]
struct Config {
    dir: PathBuf,
    #[serde(default)]
    panic: bool,
}

#[async_trait]
impl AsyncPlugin for Remote {
    type Config = Config;
    const NAME: &'static str = "remote";
    const VERSIONS: &'static [Version] = &[Version::V0_4_0, Version::V1_1_0];

    async fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let (file, ifname) = (file(&request.config, &request.id), request.id.ifname.to_string());
        elsewhere(move || std::fs::write(file, "").unwrap()).await;
        assert!(!request.config.panic, "after it was woken");
        let mut result = request.prev.unwrap_or_default();
        result.interfaces.push(Interface::new(&ifname));
        Ok(result)
    }

    async fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let file = file(&request.config, &request.id);
        elsewhere(move || drop(std::fs::remove_file(file))).await;
        Ok(())
    }

    async fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let file = file(&request.config, &request.id);
        match elsewhere(move || file.exists()).await {
            true => Ok(()),
            false => Err(Error::new(Code(100), "find the file")),
        }
    }

    async fn status(&self, request: Status<'_, Config>) -> Result<(), Error> {
        let dir = request.config.dir.clone();
        match elsewhere(move || dir.is_dir()).await {
            true => Ok(()),
            false => Err(Error::new(Code::UNAVAILABLE, "find the directory")),
        }
    }

    async fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        let valid = request.valid.unwrap_or_default();
        let dir = request.config.dir.clone();
        let files = elsewhere(move || std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path())).await;
        for file in files {
            let used = valid.iter().any(|of| file.ends_with(of.container.as_str()));
            if !used {
                elsewhere(move || std::fs::remove_file(file).unwrap()).await;
            }
        }
        Ok(())
    }
}

fn file(config: &Config, id: &AttachmentId) -> PathBuf {
    config.dir.join(id.container.as_str())
}

/// What another thread comes to after a while, and a waker for who waits.
struct Reply<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Reply<T> {
    let slot = Arc::new(Mutex::new((None, None::<Waker>)));
    let theirs = Arc::clone(&slot);
    thread::spawn(move || {
        // Long enough for the future to have been polled, and to be asleep.
        thread::sleep(Duration::from_millis(20));
        let done = work();
        let waker = {
            let mut slot = theirs.lock().unwrap();
            slot.0 = Some(done);
            slot.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    });
    Reply(slot)
}

impl<T> Future for Reply<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut slot = self.0.lock().unwrap();
        match slot.0.take() {
            Some(done) => Poll::Ready(done),
            None => {
                slot.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A directory that no other test uses, removed when dropped.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("cni-core-async-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn files(&self) -> usize {
        std::fs::read_dir(&self.0).unwrap().count()
    }

    fn config(&self, keys: &str) -> Object {
        let dir = self.0.display();
        let text = format!(r#"{{"cniVersion":"1.1.0","name":"n","dir":"{dir}"{keys}}}"#);
        Object::from_slice(text.as_bytes()).unwrap()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn table(plugin: Blocking<Remote>) -> Builtin {
    Builtin::new().with(plugin)
}

fn call<T>(config: &Object, then: impl FnOnce(&Call<'_>) -> T) -> T {
    let id = AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap());
    let target = Target::of(id, Some(NetnsPath::new("/nowhere/ns")));
    then(&Call::new(&"remote".parse().unwrap(), config, &target))
}

fn names(result: &Success) -> Vec<&str> {
    result.interfaces.iter().map(|i| i.name.as_str()).collect()
}

/// The life of an attachment, DEL twice, and GC with another that is not valid.
fn live(table: &Builtin) {
    let dir = Dir::new();
    let config = dir.config("");
    let add = || call(&config, |call| table.add(call));
    let run = |verb| call(&config, |call| table.run(verb, call));
    assert_eq!(names(&add().unwrap()), ["eth0"]);
    assert_eq!(
        (run(Verb::Check), run(Verb::Status), dir.files()),
        (Ok(()), Ok(()), 1)
    );
    assert_eq!((run(Verb::Del), run(Verb::Del), dir.files()), (Ok(()), Ok(()), 0));
    assert_eq!(run(Verb::Check).unwrap_err().code, Code(100));
    add().unwrap();
    std::fs::write(dir.0.join("c2"), "").unwrap();
    let valid = dir.config(r#","cni.dev/valid-attachments":[{"containerID":"c1","ifname":"eth0"}]"#);
    assert_eq!(call(&valid, |call| table.run(Verb::Gc, call)), Ok(()));
    assert!(dir.files() == 1 && dir.0.join("c1").exists());
}

#[test]
fn a_future_that_another_thread_wakes_is_driven_to_its_end() {
    live(&table(Blocking::new(Remote)));
}

/// Drives a call on a thread of its own, as a runtime with several threads may.
fn on_another_thread(call: Pending<'_>) -> Outcome {
    fn spin(mut call: Pending<'_>) -> Outcome {
        loop {
            if let Poll::Ready(outcome) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return outcome;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
    thread::scope(|scope| scope.spawn(|| spin(call)).join().unwrap())
}

#[test]
fn a_runtime_of_the_authors_choice_drives_the_future() {
    live(&table(Blocking::on(Remote, on_another_thread)));
    let refusing = Blocking::on(Remote, |call| {
        drop(call);
        Err(Error::new(Code::TRY_AGAIN, "wait"))
    });
    let dir = Dir::new();
    let outcome = call(&dir.config(""), |call| table(refusing).add(call));
    assert_eq!(outcome, Err(Error::new(Code::TRY_AGAIN, "wait")));
    assert_eq!(dir.files(), 0);
}

#[test]
fn a_panic_in_the_future_is_an_error_of_its_call() {
    let (dir, table) = (Dir::new(), table(Blocking::new(Remote)));
    let panicking = dir.config(r#","panic":true"#);
    let error = call(&panicking, |call| table.add(call)).unwrap_err();
    let expected = Error::new(PANICKED, "plugin \"remote\" panicked").with_details("after it was woken");
    assert_eq!(error, expected);
    call(&dir.config(""), |call| table.add(call)).unwrap();
}

#[test]
fn it_is_checked_as_any_other() {
    let (dir, table) = (Dir::new(), table(Blocking::new(Remote)));
    assert_eq!(table.find("remote").unwrap().versions(), Remote::VERSIONS);
    let mut config = dir.config("");
    config.set("dir", &7).unwrap();
    let error = call(&config, |call| table.add(call)).unwrap_err();
    assert_eq!(
        (error.code, error.msg.as_str()),
        (Code::INVALID_CONFIG, "load netconf")
    );
    config.set("cniVersion", "1.0.0").unwrap();
    let error = call(&config, |call| table.add(call)).unwrap_err();
    assert_eq!(error.code, Code::INCOMPATIBLE_VERSION);
}

/// Exit code and stdout of one run as a program.
fn program(verb: &str, dir: &Path) -> (bool, String) {
    let env: BTreeMap<&str, &str> = [
        ("CNI_COMMAND", verb),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", "/nowhere/ns"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/nowhere/bin"),
    ]
    .into();
    let stdin = format!(r#"{{"cniVersion":"0.4.0","name":"n","dir":"{}"}}"#, dir.display());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let host = Host {
        env: &|name| env.get(name).map(OsString::from),
        stdin: &mut stdin.as_bytes(),
        stdout: &mut stdout,
        stderr: &mut stderr,
        invoke: None,
    };
    let code = run_on(&Blocking::new(Remote), host);
    (code == ExitCode::SUCCESS, String::from_utf8(stdout).unwrap())
}

#[test]
fn as_a_program_it_answers_on_stdout() {
    let dir = Dir::new();
    let added = r#"{"cniVersion":"0.4.0","interfaces":[{"name":"eth0"}],"dns":{}}"#;
    assert_eq!(program("ADD", &dir.0), (true, added.to_owned()));
    for _ in 0..2 {
        assert_eq!(program("DEL", &dir.0), (true, String::new()));
    }
    let (ok, error) = program("CHECK", &dir.0);
    assert!(
        !ok && error.contains(r#""code":100,"msg":"find the file""#),
        "{error}"
    );
    let versions = r#""supportedVersions":["0.4.0","1.1.0"]"#;
    assert!(program("VERSION", &dir.0).1.contains(versions));
}

/// Is woken at once, and swallows the wake-up as code that parks by itself would.
struct Swallows(bool);

impl Future for Swallows {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        thread::park();
        Poll::Pending
    }
}

struct Swallowing;

#[async_trait]
impl AsyncPlugin for Swallowing {
    type Config = serde::de::IgnoredAny;
    const NAME: &'static str = "remote";

    async fn add(&self, _: Add<'_, Self::Config>) -> Result<Success, Error> {
        Swallows(false).await;
        Ok(Success::new())
    }

    async fn del(&self, _: Del<'_, Self::Config>) -> Result<(), Error> {
        Ok(())
    }

    async fn check(&self, _: Check<'_, Self::Config>) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn a_wake_up_that_other_code_swallows_is_not_lost() {
    let table = Builtin::new().with(Blocking::new(Swallowing));
    let dir = Dir::new();
    assert_eq!(call(&dir.config(""), |call| table.add(call)), Ok(Success::new()));
    // Verbs that an author leaves out succeed.
    for verb in [Verb::Status, Verb::Gc] {
        assert_eq!(call(&dir.config(""), |call| table.run(verb, call)), Ok(()));
    }
}
