//! Where we differ from the reference on purpose; `docs/decisions/0002-differences-from-libcni.md` explains why.

use super::{Answer, Document, Kind};

/// A difference on purpose.
pub(super) struct Difference {
    /// The name of its reason.
    pub(super) why: &'static str,
    /// What we make of the document.
    pub(super) ours: Answer,
}

/// Every difference and the document that shows it.
pub(super) fn table() -> impl Iterator<Item = (Difference, Document)> {
    let rows = include_str!("differences.txt").lines();
    let rows = rows.filter(|line| !line.starts_with('#'));
    rows.map(row).chain(names())
}

fn row(line: &'static str) -> (Difference, Document) {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [why, kind, name, version, to, text, ours] = cells[..] else {
        panic!("not seven cells: {line}");
    };
    let mut document = Document::new(kind.parse().unwrap(), format!("{why} {name}"), text);
    version.clone_into(&mut document.version);
    document.to = vec![to.to_owned()];
    let ours = match ours {
        "" => Err("refused".to_owned()),
        json => Ok(serde_json::from_str(json).unwrap()),
    };
    (Difference { why, ours }, document)
}

/// Names that a line of text cannot hold.
fn names() -> impl Iterator<Item = (Difference, Document)> {
    let long = "c".repeat(201);
    let names = [
        (Kind::Ifname, "a\0b"),
        (Kind::Container, long.as_str()),
        (Kind::Network, long.as_str()),
    ];
    let refused = |(kind, name)| {
        let (why, ours) = ("names", Err("refused".to_owned()));
        (
            Difference { why, ours },
            Document::new(kind, format!("names {name:?}"), name),
        )
    };
    names.map(refused).into_iter()
}
