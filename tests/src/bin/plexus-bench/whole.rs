//! Our programs beside the reference's: whole processes, in turn, as ratios.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plexus_tests::pod::Pod;
use plexus_tests::{peers, plugins, program};
use serde_json::{Value, json};

use crate::median;

/// Counted rounds, after one that warms the caches.
const ROUNDS: usize = 20;

/// Prints how long ADD and DEL take, ours and the reference's.
pub(crate) fn report() {
    println!(
        "{:<44} {:>9} {:>9} {:>7}",
        "median of whole processes, in turn", "ours", "reference", "ratio"
    );
    for (what, masquerade) in [
        ("bridge + host-local", false),
        ("bridge + host-local + ipMasq (nftables)", true),
    ] {
        let conf = |name: &str| bridge(name, 0, masquerade);
        let ours = One {
            plugins: plugins().to_owned(),
            conf: conf("ours"),
        };
        let reference = One {
            plugins: peers(),
            conf: conf("ref"),
        };
        compare(what, &ours, &reference);
    }
    let nads = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let ours = Attach::new(nads.path(), state.path());
    compare(
        "plexus attach, 3 networks / 3 executions",
        &ours,
        &Three { plugins: peers() },
    );
}

/// Something that attaches a pod and detaches it again.
trait Subject {
    fn add(&self, pod: &Pod, id: &str);
    fn del(&self, pod: &Pod, id: &str);
}

fn compare(what: &str, ours: &dyn Subject, reference: &dyn Subject) {
    let (mut adds, mut dels) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let a = life(ours, &format!("a{round}"));
        let b = life(reference, &format!("b{round}"));
        if round > 0 {
            adds.push((a.0, b.0));
            dels.push((a.1, b.1));
        }
    }
    for (verb, pairs) in [("ADD", adds), ("DEL", dels)] {
        let mine = median(pairs.iter().map(|pair| pair.0.as_secs_f64()));
        let theirs = median(pairs.iter().map(|pair| pair.1.as_secs_f64()));
        let ratio = median(
            pairs
                .iter()
                .map(|pair| pair.1.as_secs_f64() / pair.0.as_secs_f64()),
        );
        println!(
            "{:<44} {:>6.1} ms {:>6.1} ms {ratio:>6.1}×",
            format!("{what}: {verb}"),
            mine * 1e3,
            theirs * 1e3
        );
    }
}

/// How long ADD and DEL of a fresh pod take.
fn life(subject: &dyn Subject, id: &str) -> (Duration, Duration) {
    let pod = Pod::new();
    let start = Instant::now();
    subject.add(&pod, id);
    let added = start.elapsed();
    let start = Instant::now();
    subject.del(&pod, id);
    (added, start.elapsed())
}

fn bridge(name: &str, number: usize, masquerade: bool) -> Value {
    json!({
        "cniVersion": "1.0.0", "name": format!("{name}{number}"), "type": "bridge",
        "bridge": format!("{name}{number}"), "isDefaultGateway": number == 0, "isGateway": true,
        "ipMasq": masquerade, "ipMasqBackend": "nftables",
        "ipam": {"type": "host-local", "subnet": format!("10.{}.0.0/16", 100 + number)},
    })
}

/// One plugin, executed as a runtime does it.
struct One {
    plugins: PathBuf,
    conf: Value,
}

impl Subject for One {
    fn add(&self, pod: &Pod, id: &str) {
        execute(&self.plugins, &self.conf, "ADD", pod, id, "eth0");
    }
    fn del(&self, pod: &Pod, id: &str) {
        execute(&self.plugins, &self.conf, "DEL", pod, id, "eth0");
    }
}

/// Three networks by three executions, as a meta-plugin that executes plugins does at least.
struct Three {
    plugins: PathBuf,
}

impl Subject for Three {
    fn add(&self, pod: &Pod, id: &str) {
        for number in 0..3 {
            execute(
                &self.plugins,
                &bridge("three", number, false),
                "ADD",
                pod,
                id,
                &format!("net{number}"),
            );
        }
    }
    fn del(&self, pod: &Pod, id: &str) {
        for number in (0..3).rev() {
            execute(
                &self.plugins,
                &bridge("three", number, false),
                "DEL",
                pod,
                id,
                &format!("net{number}"),
            );
        }
    }
}

fn execute(plugins: &Path, conf: &Value, verb: &str, pod: &Pod, id: &str, ifname: &str) {
    let kind = conf["type"].as_str().unwrap();
    let mut child = Command::new(plugins.join(kind))
        .envs([
            ("CNI_COMMAND", verb),
            ("CNI_CONTAINERID", id),
            ("CNI_NETNS", pod.path()),
            ("CNI_IFNAME", ifname),
        ])
        .env("CNI_PATH", plugins)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(conf.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{kind} {verb}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// Three networks by one `plexus attach`.
struct Attach {
    nads: PathBuf,
    state: PathBuf,
}

impl Attach {
    fn new(nads: &Path, state: &Path) -> Self {
        for number in 0..3 {
            let namespace = if number == 0 { "kube-system" } else { "default" };
            let metadata = json!({"name": format!("n{number}"), "namespace": namespace});
            let spec = json!({"config": bridge("plexus", number, false).to_string()});
            let nad = json!({"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
                "metadata": metadata, "spec": spec});
            std::fs::write(nads.join(format!("n{number}.json")), nad.to_string()).unwrap();
        }
        Self {
            nads: nads.to_owned(),
            state: state.to_owned(),
        }
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new(program("plexus"));
        command.args(arguments).arg("--state-dir").arg(&self.state);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "plexus {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Subject for Attach {
    fn add(&self, pod: &Pod, id: &str) {
        let nads = self.nads.to_str().unwrap();
        self.run(&[
            "attach",
            "--netns",
            pod.path(),
            "--nads",
            nads,
            "--cluster-network",
            "n0",
            "--networks",
            "n1,n2",
            "--pod-namespace",
            "default",
            "--pod-name",
            id,
            "--container-id",
            id,
        ]);
    }
    fn del(&self, pod: &Pod, id: &str) {
        self.run(&["detach", "--container-id", id, "--netns", pod.path()]);
    }
}
