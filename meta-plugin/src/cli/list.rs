//! `plexus list`: what the journals say is attached.

use std::path::Path;

use clap::Args;
use cni_core::spec::{ContainerId, IfName, Success, Version};
use plexus::journal::{self, Entry, State, StateDir};
use serde::Serialize;

use super::machine::Failure;
use super::{Journals, Out};

#[derive(Args)]
pub(crate) struct Options {
    /// Of this container only
    #[arg(long, value_name = "ID")]
    container_id: Option<ContainerId>,
    #[command(flatten)]
    pub(crate) journals: Journals,
}

/// One attachment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(rename = "containerID")]
    container: ContainerId,
    interface: String,
    network: String,
    ips: Vec<String>,
    state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
}

pub(crate) fn run(options: &Options, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for (container, ifname, path) in StateDir::new(&options.journals.state_dir).calls()? {
        if options
            .container_id
            .as_ref()
            .is_none_or(|only| *only == container)
        {
            rows.extend(call(&container, &ifname, &path));
        }
    }
    let head = ["CONTAINER", "INTERFACE", "NETWORK", "ADDRESSES", "STATE", "WHY"].map(str::to_owned);
    let mut table = vec![head.to_vec()];
    table.extend(rows.iter().map(Row::cells));
    out.answer(&rows, &table)
}

impl Row {
    fn cells(&self) -> Vec<String> {
        vec![
            self.container.to_string(),
            self.interface.clone(),
            self.network.clone(),
            self.ips.join(","),
            self.state.to_owned(),
            brief(&self.why),
        ]
    }
}

/// As much as a line of a table takes; the JSON has all of it.
fn brief(why: &str) -> String {
    const LONGEST: usize = 160;
    match why.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &why[..end]),
        None => why.to_owned(),
    }
}

/// The attachments of one call; one that cannot be read is a row too, so that it hides no other.
fn call(container: &ContainerId, ifname: &IfName, path: &Path) -> Vec<Row> {
    let row = |interface: &IfName, state, why| Row {
        container: container.clone(),
        interface: interface.to_string(),
        network: String::new(),
        ips: Vec::new(),
        state,
        why,
    };
    let state = match journal::look(path) {
        Ok(Some(state)) => state,
        // Its DEL has ended since the directory was read.
        Ok(None) => return Vec::new(),
        Err(error) => {
            return vec![row(
                ifname,
                "unreadable",
                cni_core::spec::Error::from(error).to_string(),
            )];
        }
    };
    if state.entries.is_empty() {
        return vec![row(ifname, "begun", String::new())];
    }
    let entries = state.entries.values();
    entries
        .map(|entry| {
            let (name, why) = standing(&state, entry);
            let mut row = row(&entry.intended.ifname, name, why);
            row.network.clone_from(&entry.intended.network);
            row.ips = addresses(entry);
            row
        })
        .collect()
}

/// How it stands with an attachment, and why.
fn standing(state: &State, entry: &Entry) -> (&'static str, String) {
    let last = entry
        .deletion
        .as_ref()
        .and_then(|deletion| deletion.last.as_ref());
    let why = last
        .or(state.failed.as_ref())
        .map(ToString::to_string)
        .unwrap_or_default();
    if state.stuck.is_some() {
        ("stuck", why)
    } else if entry.deletion.is_some() || state.failed.is_some() {
        ("detaching", why)
    } else if entry.result.is_some() {
        ("attached", why)
    } else {
        ("attaching", why)
    }
}

fn addresses(entry: &Entry) -> Vec<String> {
    let result = entry.result.as_deref().unwrap_or_default();
    let success = Success::decode(Version::V1_1_0, result.as_bytes()).unwrap_or_default();
    success.ips.iter().map(|ip| ip.address.to_string()).collect()
}
