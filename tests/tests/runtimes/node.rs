//! A node that can be switched off.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::boot::{boot, remove_cgroups};
use crate::readme;

/// Longer than anything takes that does not hang.
const HANG: Duration = Duration::from_secs(60);

/// A node: its processes are below one, its state is in a directory, its cgroups bear its name.
pub(crate) struct Node {
    name: String,
    directory: tempfile::TempDir,
    boots: u32,
    outer: Child,
    init: u32,
}

impl Node {
    /// A node with Plexus on it, with four networks for each container.
    pub(crate) fn new() -> Self {
        let node = Self::installed();
        node.configure();
        node
    }

    /// A node with Plexus on it, installed as the README says, and a root directory for containers.
    pub(crate) fn installed() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("plexus-{}-{count}", std::process::id());
        let directory = tempfile::tempdir().unwrap();
        let (outer, init) = boot(&name, directory.path(), 0);
        let node = Self {
            name,
            directory,
            boots: 0,
            outer,
            init,
        };
        readme::install(&node);
        node.run(
            "mkdir -p /var/lib/rootfs/{bin,dev,etc,proc,run,sys,tmp}; cp /bin/busybox /var/lib/rootfs/bin/",
        );
        node.run("for name in sleep ping ip; do ln -s busybox /var/lib/rootfs/bin/$name; done");
        node
    }

    /// Switches it off and on again: all processes and namespaces end, what is on the disk stays.
    pub(crate) fn reboot(&mut self) {
        self.switch_off();
        self.boots += 1;
        (self.outer, self.init) = boot(&self.name, self.directory.path(), self.boots);
    }

    /// Runs a line of shell, which must succeed; what it prints, without the end of line.
    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> String {
        let output = self.output(line);
        assert!(output.status.success(), "{line}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Runs a line of shell.
    pub(crate) fn output(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Starts a line of shell.
    pub(crate) fn begin(&self, line: &str) -> Child {
        let mut command = self.command(line);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// A line of shell, still to be run.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("nsenter");
        let peers = plexus_tests::peers();
        command.args(["--target", &self.init.to_string(), "--all", "--wd=/"]);
        command.args(["bash", "-ec", line]).stdin(Stdio::null());
        command.env(
            "PATH",
            format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", peers.display()),
        );
        command.env("CRI_SOCKET", "/run/containerd/containerd.sock");
        command
    }

    /// Starts a program that goes on, with its output in a file, and waits until `ready` succeeds.
    #[track_caller]
    pub(crate) fn start(&self, line: &str, ready: &str) {
        let log = fs::File::create(self.directory.path().join("log")).unwrap();
        let mut command = self.command(&format!("exec {line}"));
        command
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        // It ends with the node, or is killed by name.
        let mut child = command.spawn().unwrap();
        std::thread::spawn(move || child.wait());
        let log = || fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        until(
            &format!("{line} is ready"),
            || self.output(ready).status.success().then_some(()),
            log,
        );
    }

    /// Kills all processes of a name, if there are any, and waits until they are gone.
    #[track_caller]
    pub(crate) fn kill(&self, program: &str) {
        self.run(&format!(
            "pkill -KILL -x {program} || true; while pgrep -x {program} >/dev/null; do sleep 0.01; done"
        ));
    }

    /// Where the node's file of that name is, for reading and writing.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{file}", self.init))
    }

    /// Puts a file into the node.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces `from`, which must be there, in a file of the node.
    #[track_caller]
    pub(crate) fn replace(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "no {from} in {file}: {text}");
        self.write(file, &text.replace(from, to));
    }

    /// The examples need addresses that nobody hands out here, and a container without a description has
    /// the networks of the entry.
    fn configure(&self) {
        for (name, subnet) in [
            ("lan", "10.1.0.0/24"),
            ("blue", "10.2.0.0/24"),
            ("green", "fd00:3::/64"),
        ] {
            self.replace(
                &format!("/etc/plexus/nads/{name}.yaml"),
                r#""ipam": { "type": "static" }"#,
                &format!(r#""ipam": {{ "type": "host-local", "subnet": "{subnet}" }}"#),
            );
        }
        self.replace(
            "/etc/cni/net.d/00-plexus.conflist",
            r#""mode": "standalone","#,
            r#""mode": "standalone", "networks": "demo/lan, demo/blue, demo/green@seg0","#,
        );
    }

    /// Ends everything that runs on the node.
    fn switch_off(&mut self) {
        drop(self.outer.kill());
        drop(self.outer.wait());
        let removed = || remove_cgroups(&self.name).ok();
        until(
            &format!("the processes of {} end", self.name),
            removed,
            String::new,
        );
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.switch_off();
    }
}

/// Waits for what comes soon or never.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>, log: impl Fn() -> String) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(begun.elapsed() < HANG, "{what}: in vain. {}", log());
        sleep(Duration::from_millis(2));
    }
}

/// All that a command printed.
pub(crate) fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .concat()
}
