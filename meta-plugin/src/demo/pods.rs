//! The pods: what each asks for, and attaching and detaching it on its node.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use cni_core::spec::{Error, NetnsPath};
use cni_net::link::Change;
use cni_net::netns::Anonymous;
use cni_net::{At, Kernel, Links, Namespaces, Netns, Sysctl};
use serde_json::json;

use super::machine::Machine;
use super::{DemoError, here};
use crate::npwg::NetworkStatus;

/// The node of each pod: two on the first, one on each other.
const PLACES: [u8; 4] = [1, 1, 2, 3];

/// A pod on a node.
pub(super) struct Pod {
    pub(super) name: String,
    /// The number of its node, from 1.
    pub(super) node: u8,
    pub(super) netns: Netns,
    /// What `network-status` says of it.
    pub(super) status: Vec<NetworkStatus>,
    pub(super) attached: Duration,
    pub(super) detached: Duration,
    namespace: Anonymous,
    number: u8,
}

/// Makes the pods' namespaces, as a container runtime does before it calls.
pub(super) fn start() -> Result<Vec<Pod>, DemoError> {
    let mut pods = Vec::new();
    for (number, node) in (1..).zip(PLACES) {
        pods.push(Pod::start(number, node)?);
    }
    Ok(pods)
}

impl Pod {
    fn start(number: u8, node: u8) -> Result<Self, DemoError> {
        let net = Kernel::new();
        let namespace = Anonymous::new()?;
        let netns = net.open(namespace.path())?;
        net.set_link(At::Netns(&netns), "lo", &Change::up())?;
        // Whoever pings there later may use ICMP sockets.
        let group = ("ipv4/ping_group_range".to_owned(), "0 0".to_owned());
        net.set_sysctls(At::Netns(&netns), &[group])?;
        let (status, attached, detached) = (Vec::new(), Duration::ZERO, Duration::ZERO);
        let name = format!("pod{number}");
        Ok(Self {
            name,
            node,
            netns,
            status,
            attached,
            detached,
            namespace,
            number,
        })
    }

    /// The `k8s.v1.cni.cncf.io/networks` annotation: host-local counts per node, so each pod asks for its
    /// addresses on the networks that span nodes.
    fn networks(&self) -> String {
        let number = self.number;
        json!([
            {"name": "lan", "ips": [format!("192.0.2.{}/24", 100 + number)]},
            {"name": "blue", "ips": [format!("10.100.0.{number}/24")]},
            {"name": "green", "ips": [format!("fd00:200::{number}/64")]},
        ])
        .to_string()
    }

    /// Attaches it, on its node, by what `plexus attach` runs.
    pub(super) fn attach(&mut self, machines: &[Machine]) -> Result<(), DemoError> {
        let call = here::Attach {
            pod: self.name.clone(),
            netns: self.path(),
            networks: self.networks(),
        };
        let start = Instant::now();
        self.status = self.on_node(machines, "attach", move || here::attach(&call))?;
        self.attached = start.elapsed();
        Ok(())
    }

    /// Detaches it, on its node, by what `plexus detach` runs.
    pub(super) fn detach(&mut self, machines: &[Machine]) -> Result<(), DemoError> {
        let (pod, netns) = (self.name.clone(), self.path());
        let start = Instant::now();
        self.on_node(machines, "detach", move || here::detach(&pod, netns))?;
        self.detached = start.elapsed();
        Ok(())
    }

    /// The address on the network that is `at` its place in the list.
    pub(super) fn address(&self, at: usize) -> Option<IpAddr> {
        self.status.get(at)?.ips.first().copied()
    }

    fn path(&self) -> NetnsPath {
        self.namespace.path().clone()
    }

    fn on_node<R: Send + 'static>(
        &self,
        machines: &[Machine],
        verb: &'static str,
        job: impl FnOnce() -> Result<R, Error> + Send + 'static,
    ) -> Result<R, DemoError> {
        let machine = &machines[usize::from(self.node) - 1];
        let pod = self.name.clone();
        machine
            .run(job)
            .map_err(DemoError::Sandbox)?
            .map_err(|source| DemoError::Attachment { verb, pod, source })
    }
}
