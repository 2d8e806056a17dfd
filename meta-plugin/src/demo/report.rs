//! What the demonstration prints.

use std::io::{self, Write};
use std::time::Duration;

use cni_net::netns::within;
use cni_net::{At, Kernel, Links};

use super::machine::Machine;
use super::ping::ping;
use super::pods::Pod;
use super::{DemoError, here};

/// What each pod got.
pub(super) fn pods(out: &mut dyn Write, pods: &[Pod]) -> io::Result<()> {
    writeln!(
        out,
        "\n{:<6} {:<6} {:<6} {:<28} {:<20} ADDRESS",
        "POD", "NODE", "IFACE", "NETWORK", "MAC"
    )?;
    for pod in pods {
        for entry in &pod.status {
            let (name, node) = (&pod.name, format!("node{}", pod.node));
            let addresses: Vec<String> = entry.ips.iter().map(ToString::to_string).collect();
            let (interface, network, mac) = (&entry.interface, &entry.name, &entry.mac);
            writeln!(
                out,
                "{name:<6} {node:<6} {interface:<6} {network:<28} {mac:<20} {}",
                addresses.join(" ")
            )?;
        }
    }
    Ok(())
}

/// Pings from every pod to every other on every network; how many went unanswered.
pub(super) fn pings(out: &mut dyn Write, pods: &[Pod]) -> Result<usize, DemoError> {
    writeln!(out)?;
    let (mut lost, mut sent) = (0, 0);
    let networks = pods.first().map_or(0, |pod| pod.status.len());
    for network in 0..networks {
        let mut answers: Vec<Duration> = Vec::new();
        for from in pods {
            for to in pods.iter().filter(|to| to.name != from.name) {
                sent += 1;
                match one(from, to, network) {
                    Ok(took) => answers.push(took),
                    Err(error) => {
                        lost += 1;
                        let name = &from.status[network].name;
                        writeln!(out, "{name}: {} does not reach {}: {error}", from.name, to.name)?;
                    }
                }
            }
        }
        answers.sort_unstable();
        let median = answers.get(answers.len() / 2).copied().unwrap_or_default();
        let name = &pods[0].status[network].name;
        writeln!(
            out,
            "{name}: {} pings answered, median {median:.0?}",
            answers.len()
        )?;
    }
    writeln!(out, "{} of {sent} pings answered", sent - lost)?;
    Ok(lost)
}

fn one(from: &Pod, to: &Pod, network: usize) -> io::Result<Duration> {
    let address = to
        .address(network)
        .ok_or_else(|| io::Error::other("it has no address there"))?;
    within(&from.netns, || ping(address)).map_err(io::Error::other)?
}

/// How long attaching and detaching took.
pub(super) fn times(out: &mut dyn Write, pods: &[Pod]) -> io::Result<()> {
    for pod in pods {
        writeln!(
            out,
            "{}: attach {:.1?}, detach {:.1?}",
            pod.name, pod.attached, pod.detached
        )?;
    }
    Ok(())
}

/// Names whatever is left in pods and on nodes; how much that is.
pub(super) fn leftovers(out: &mut dyn Write, machines: &[Machine], pods: &[Pod]) -> Result<usize, DemoError> {
    let mut left = Vec::new();
    for pod in pods {
        let links = Kernel::new().links(At::Netns(&pod.netns))?;
        let foreign = links.iter().filter(|link| link.name != "lo");
        left.extend(foreign.map(|link| format!("{} in {}", link.name, pod.name)));
    }
    for machine in machines {
        let found = machine.run(here::leftovers).map_err(DemoError::Sandbox)??;
        left.extend(
            found
                .into_iter()
                .map(|thing| format!("{thing} on {}", machine.name)),
        );
    }
    for thing in &left {
        writeln!(out, "left behind: {thing}")?;
    }
    if left.is_empty() {
        writeln!(out, "\nall detached, nothing left behind")?;
    }
    Ok(left.len())
}
