//! The real programs with a fault in one of their system calls, which `strace` puts there.
//!
//! Those of the main thread count: they are all that change the host and its files.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use plexus_tests::pod::Pod;

use crate::node::Node;

/// The signal that nobody survives.
const SIGKILL: i32 = 9;

/// A machine on which a pod has come and gone, and what it was like then.
pub(crate) struct Machine {
    pub(crate) node: Node,
    pub(crate) pod: Pod,
    clean: BTreeSet<String>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let (node, pod) = (Node::new(), Pod::new());
        for verb in ["ADD", "DEL"] {
            node.done(node.call(verb, &pod));
        }
        node.assert_clean(&[&pod]);
        let clean = node.look();
        Self { node, pod, clean }
    }

    pub(crate) fn done(&self, verb: &str) {
        self.node.done(self.node.call(verb, &self.pod));
    }

    /// Runs `verb` with `fault` in its `nth` one of `calls`; `None` if it has not so many.
    pub(crate) fn injected(&self, verb: &str, calls: &str, nth: usize, fault: &str) -> Option<Output> {
        let command = self.node.call(verb, &self.pod);
        let (log, input) = ["strace.log", &format!("{verb}.json")]
            .map(|name| self.node.installed.path(name))
            .into();
        let mut traced = Command::new("strace");
        traced.arg("-qqo").arg(&log);
        traced.args(["-e", &format!("trace={calls}")]);
        traced.args(["-e", &format!("inject={calls}:{fault}:when={nth}"), "--"]);
        traced.arg(command.get_program()).args(command.get_args());
        let set = command.get_envs();
        traced
            .env_clear()
            .envs(set.filter_map(|(name, value)| Some((name, value?))));
        traced.stdin(std::fs::File::open(input).unwrap());
        let output = self.node.output(traced);
        let log = std::fs::read(log).unwrap();
        let injected = String::from_utf8_lossy(&log).contains("(INJECTED)");
        (injected || output.status.signal() == Some(SIGKILL)).then_some(output)
    }

    #[track_caller]
    pub(crate) fn assert_clean(&self, when: &str) {
        let now = self.node.look();
        assert_eq!(now, self.clean, "{when}");
        assert_eq!(self.pod.links(), ["lo"], "{when}");
    }
}
