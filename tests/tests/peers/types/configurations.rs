//! The part of the table with what a runtime and a plugin are told: lists, configurations, `prevResult` in them,
//! `CNI_ARGS`, names.

use super::{Document, Kind, rows};

const ARGS: &[&str] = &[
    "",
    "IP=10.0.0.2",
    "IP=10.0.0.2;MAC=0a:00:00:00:00:01;GATEWAY=10.0.0.1",
    "IP=a;IP=b",
    "IP=",
    "IP",
    "ip=10.0.0.2",
    "IP =10.0.0.2",
    "X=1",
    "X=1;IgnoreUnknown=1",
    "IgnoreUnknown=1;X=1;IP=a",
    "X=1;IgnoreUnknown=true",
    "X=1;IgnoreUnknown=True",
    "X=1;IgnoreUnknown=TRUE",
    "X=1;IgnoreUnknown=tRuE",
    "X=1;IgnoreUnknown=t",
    "X=1;IgnoreUnknown=0",
    "X=1;IgnoreUnknown=false",
    "X=1;IgnoreUnknown=yes",
    "X=1;IgnoreUnknown=",
    "X=1;ignoreunknown=1",
    "X=1;IgnoreUnknown=1;IgnoreUnknown=0",
    "X=1;IgnoreUnknown=0;IgnoreUnknown=1",
    "IgnoreUnknown=0;IP=a",
    "IgnoreUnknown=yes;IP=a",
    "IgnoreUnknown=1;K8S_POD_NAMESPACE=a;K8S_POD_NAME=b",
    "=1",
    "=",
];

const NAMES: &[&str] = &[
    "",
    "a",
    "A",
    "0",
    "_",
    "-",
    ".",
    "..",
    "a.",
    "a-",
    "a_",
    ".a",
    "-a",
    "_a",
    "a/b",
    "a:b",
    "a b",
    "a\tb",
    "a\n",
    "\na",
    "é",
    "aé",
    "a\u{a0}b",
    "a\u{2003}b",
    "a\u{200b}b",
    "a\u{85}b",
    "a@b",
    "a+b",
    "a,b",
    "a;b",
    "a\\b",
    "a\"b",
    "eth0",
    "net-1.2_3",
    "fifteen-bytes-x",
    "sixteen-bytes-xx",
    "ééééééé",
    "éééééééé",
    "cnitool-77383ca0a0715733ca6f",
];

/// Every document.
pub(super) fn table() -> impl Iterator<Item = Document> {
    let of = |kind, table| rows(table).map(move |(name, text)| Document::new(kind, name, text));
    of(Kind::List, include_str!("lists.txt"))
        .chain(of(Kind::Conf, include_str!("confs.txt")))
        .chain(prevs())
        .chain(args())
        .chain(names())
}

fn prevs() -> impl Iterator<Item = Document> {
    ["0.4.0", "1.1.0"].into_iter().flat_map(|version| {
        let absent = format!(r#"{{"cniVersion":"{version}","name":"n","type":"t"}}"#);
        let absent = Document::new(Kind::Prev, format!("absent in {version}"), absent);
        let prevs = rows(include_str!("prevs.txt")).map(move |(name, prev)| {
            let text = format!(r#"{{"cniVersion":"{version}","name":"n","type":"t","prevResult":{prev}}}"#);
            Document::new(Kind::Prev, format!("{name} in {version}"), text)
        });
        prevs.chain([absent])
    })
}

fn args() -> impl Iterator<Item = Document> {
    ARGS.iter()
        .map(|text| Document::new(Kind::Args, format!("{text:?}"), *text))
}

fn names() -> impl Iterator<Item = Document> {
    let kinds = [Kind::Container, Kind::Ifname, Kind::Network].into_iter();
    kinds.flat_map(|kind| {
        let document = move |text: &&str| Document::new(kind, format!("{text:?}"), *text);
        NAMES.iter().map(document)
    })
}
