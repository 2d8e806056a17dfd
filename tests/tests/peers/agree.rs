//! Our plugins and the reference's do the same to the kernel, and say the same of it, whoever runs them.
//!
//! Two pods are put through all verbs on a node of their own, by the reference's plugins under libcni and under
//! our chain, and by ours under both. Links, addresses, routes, rules, kernel parameters, files, results and
//! refusals are compared. The reference's plugins must agree with themselves before ours are judged; where ours
//! differ on purpose stands in [`EVERYWHERE`], or with the case in `agree/cases.txt`.

#[path = "agree/cases.rs"]
mod cases;
#[path = "agree/look.rs"]
mod look;
#[path = "agree/side.rs"]
mod side;
#[path = "agree/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use self::cases::Case;
use self::side::{By, Of, Side};
use self::world::{Arena, State, THERE, World};

/// What differs on purpose, and why: `PATH: THEIRS -> OURS`, where `*` stands for anything and `-` for nothing.
const EVERYWHERE: &[(&str, &str)] = &[
    (
        "*/link/ifalias: - -> plexus:NET/C*/eth0",
        "we find what we made by it",
    ),
    (
        "*/pod*/eth0/link/group: default -> 1886156915",
        "a pod's links are deleted in one request",
    ),
    (
        "result/*/interfaces/*/mtu: - -> 1*0",
        "results of version 1.1.0 can say it",
    ),
    ("*/fd*/nodad: - -> true", "an address is usable when ADD ends"),
    (
        "*/pod*/eth0/ipv6/conf/accept_dad: 1 -> 0",
        "the same, with macvlan",
    ),
    (
        "*/br0/ipv4/conf/arp_notify: 0 -> 1",
        "others are told of the gateway's address",
    ),
    (
        "*/ipv6/conf/ndisc_notify: 0 -> 1",
        "others are told of IPv6 addresses, too",
    ),
    (
        "*/pod*/eth0/ipv6/conf/ndisc_notify: 1 -> 0",
        "and not where there are none",
    ),
    (
        "*/up*/ipv6/conf/accept_ra: 1 -> 2",
        "forwarding must not cost the host its default route",
    ),
    (
        "deleted/nft/*/table: {*\"nat\"} -> -",
        "DEL of theirs runs iptables, whatever the backend",
    ),
    (
        "check/*: refused -> good",
        "CHECK of theirs fails without IPAM, and for routes of other tables",
    ),
    (
        "del/*: refused -> good",
        "DEL of theirs insists on a good configuration",
    ),
    (
        "deleted/file/NET/lock:  -> -",
        "DEL of theirs makes the directory of addresses, where there is none",
    ),
    (
        "*/file/tuning/C*_eth0.json/plexus: - -> there",
        "it tells our backup from one of another life of the container",
    ),
];

/// As many worlds at a time: most of a life is waiting for the kernel.
const AT_A_TIME: usize = 4;

#[test]
fn ours_and_the_references_plugins_agree() {
    let cases = Mutex::new(cases::all().into_iter().enumerate());
    let (found, used) = (Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let next = || cases.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some((number, case)) = next() {
                    let (lines, rows) = compared(number, &case);
                    found.lock().unwrap().extend(lines);
                    used.lock().unwrap().extend(rows);
                }
            });
        }
    });
    let (found, used) = (found.into_inner().unwrap(), used.into_inner().unwrap());
    assert!(found.is_empty(), "{}", found.join("\n"));
    let unused = EVERYWHERE.iter().filter(|(row, _)| !used.contains(*row));
    let unused: Vec<_> = unused.collect();
    assert!(unused.is_empty(), "these differ no more: {unused:#?}");
}

/// What is wrong with `case`; and the rows of [`EVERYWHERE`] that there are.
fn compared(number: usize, case: &Case) -> (Vec<String>, BTreeSet<&'static str>) {
    let arena = Arena::new(number);
    let mut judge = Judge {
        case,
        wrong: Vec::new(),
        used: BTreeSet::new(),
        used_here: BTreeSet::new(),
    };
    for (version, runners) in &case.versions {
        let live = |side: Side| World::new(&arena, case, version, side).life();
        let theirs = live(Side(Of::Reference, By::Cnitool));
        judge.words(Of::Reference, &theirs.1);
        let ours = runners.iter().map(|by| Side(Of::Ours, *by));
        for side in [Side(Of::Reference, By::Exec)].into_iter().chain(ours) {
            let (state, refused) = live(side);
            judge.words(side.0, &refused);
            judge.state(version, side, &theirs.0, &state);
        }
    }
    let unused = case.differs.iter().map(|row| &*row.line);
    let unused = unused.filter(|row| !judge.used_here.contains(row));
    let lines = unused.map(|row| format!("{}: this differs no more: {row}", case.name));
    judge.wrong.extend(lines);
    (judge.wrong, judge.used)
}

/// Finds what is wrong with one case.
struct Judge<'a> {
    case: &'a Case,
    wrong: Vec<String>,
    used: BTreeSet<&'static str>,
    used_here: BTreeSet<&'a str>,
}

impl Judge<'_> {
    /// Whether an ADD that is to be refused is, and in the words that the case has.
    fn words(&mut self, of: Of, refused: &[String]) {
        let Some([theirs, ours]) = &self.case.refused else {
            return;
        };
        let words = if of == Of::Ours { ours } else { theirs };
        let first = refused.first().map_or("nothing", |text| text);
        if !first.contains(words) {
            self.wrong
                .push(format!("{}: {of:?} says {first}", self.case.name));
        }
    }

    /// Whether what `side` made is what the reference's plugins made under libcni, but for the rows.
    fn state(&mut self, version: &str, side: Side, theirs: &State, state: &State) {
        let mut lines = differences(theirs, state);
        let refuses = |state: &State| state.get("add/0").is_some_and(|verdict| verdict == "refused");
        if side.0 == Of::Ours && self.case.refused.is_none() && refuses(theirs) && refuses(state) {
            lines.push("ADD is refused".to_owned());
        }
        let whose = if side.0 == Of::Ours { "ours" } else { "theirs" };
        for line in lines.iter().map(|line| format!("{whose}: {line}")) {
            let here = self.case.differs.iter().find(|row| matches(&line, &row.line));
            let everywhere = EVERYWHERE
                .iter()
                .find(|(row, _)| matches(&line, &format!("ours: {row}")));
            match (here, everywhere) {
                (Some(row), _) => drop(self.used_here.insert(&row.line)),
                (None, Some((row, _))) => drop(self.used.insert(row)),
                (None, None) => {
                    let name = self.case.name;
                    self.wrong.push(format!("{name}, {version}, {side:?}: {line}"));
                }
            }
        }
    }
}

/// `PATH: THEIRS -> OTHER` for each path with two values, `-` for none; what is below a thing that is not there on
/// one side is left out.
fn differences(theirs: &State, other: &State) -> Vec<String> {
    let paths: BTreeSet<&String> = theirs.keys().chain(other.keys()).collect();
    let differing = paths
        .into_iter()
        .filter(|path| theirs.get(*path) != other.get(*path));
    let show = |value: Option<&String>| value.cloned().unwrap_or_else(|| "-".to_owned());
    let mut lines = Vec::new();
    let mut absent: Vec<String> = Vec::new();
    for path in differing {
        if absent.iter().any(|above| path.starts_with(above)) {
            continue;
        }
        let (theirs, other) = (theirs.get(path), other.get(path));
        if theirs.or(other).is_some_and(|value| value == THERE) {
            absent.push(format!("{path}/"));
        }
        lines.push(format!("{path}: {} -> {}", show(theirs), show(other)));
    }
    lines
}

/// Whether `text` is `pattern` with something for each `*`.
fn matches(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().any(|(at, _)| matches(&text[at..], rest)) || matches("", rest)
        }),
    }
}
