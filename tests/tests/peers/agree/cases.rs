//! What is attached, as `cases.txt` has it.

use serde_json::Value;

use super::side::By;

/// A list of plugins and what surrounds it.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The list; `DIR` stands for a directory.
    pub(crate) plugins: String,
    /// `CNI_ARGS`.
    pub(crate) args: String,
    /// Capability arguments.
    pub(crate) capabilities: Value,
    /// Commands that are run on the node, and in each pod, beforehand.
    pub(crate) node: String,
    pub(crate) pod: String,
    /// What the reference says when it refuses the ADD, and what we say; none where it is no failure.
    pub(crate) refused: Option<[String; 2]>,
    /// The versions in which it is compared, and by whom ours are run there.
    pub(crate) versions: Vec<(String, Vec<By>)>,
    /// What differs on purpose.
    pub(crate) differs: Vec<Row>,
}

/// A difference that is meant.
pub(crate) struct Row {
    /// `ours: PATH: THEIRS -> OURS`, or `theirs: …` for the reference's plugins under our chain, where `*` stands
    /// for anything and `-` for nothing.
    pub(crate) line: String,
    /// Why it is so.
    _why: String,
}

/// The versions of the cases that name none: libcni reads a result without addresses since 0.3.0 alone.
const IN_TURN: [&str; 5] = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// All cases, each in its versions, or else in one; versions and runners take turns.
pub(crate) fn all() -> Vec<Case> {
    let text = include_str!("cases.txt");
    let mut versions = IN_TURN.into_iter().cycle();
    let mut one = [By::Cnitool, By::Exec, By::Builtin].into_iter().cycle();
    let mut chain = [By::Exec, By::Builtin].into_iter().cycle();
    let mut all: Vec<Case> = text.split("\n== ").skip(1).map(parse).collect();
    for case in &mut all {
        if case.versions.is_empty() {
            let version = versions.next().unwrap().to_owned();
            case.versions = vec![(version, vec![one.next().unwrap()])];
            continue;
        }
        for (_, by) in &mut case.versions {
            *by = vec![By::Cnitool, chain.next().unwrap()];
        }
    }
    all
}

fn parse(text: &'static str) -> Case {
    let (name, lines) = text.split_once('\n').unwrap();
    let mut case = Case {
        name,
        capabilities: Value::Object(Default::default()),
        ..Case::default()
    };
    for line in lines.replace("\n ", " ").lines().filter(|line| !line.is_empty()) {
        let (key, value) = line.split_once(' ').unwrap_or_else(|| panic!("{name}: {line}"));
        let text = value.to_owned();
        match key {
            "plugins" => case.plugins = text,
            "args" => case.args = text,
            "capabilities" => case.capabilities = serde_json::from_str(value).unwrap(),
            "node" => case.node = text,
            "pod" => case.pod = text,
            "versions" => case.versions = value.split(' ').map(|v| (v.to_owned(), Vec::new())).collect(),
            "refused" => {
                case.refused = value
                    .split_once(" | ")
                    .map(|(theirs, ours)| [theirs.to_owned(), ours.to_owned()])
            }
            "ours" | "theirs" => {
                let (row, why) = value
                    .split_once(" # ")
                    .unwrap_or_else(|| panic!("{name}: why {value}"));
                case.differs.push(Row {
                    line: format!("{key}: {row}"),
                    _why: why.to_owned(),
                });
            }
            other => panic!("{name}: no key {other:?}"),
        }
    }
    case
}
