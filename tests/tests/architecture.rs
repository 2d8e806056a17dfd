//! The rooms and their doors: which crate may know which, where `unsafe` may stand, and that the
//! tables of behaviours and errors say what the code does.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the workspace, as path from the root and text.
fn sources() -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard", "*.rs"])
        .current_dir(root())
        .output();
    let listed = String::from_utf8(output.unwrap().stdout).unwrap();
    let read = |path: &str| Some((path.to_owned(), fs::read_to_string(root().join(path)).ok()?));
    let files: Vec<_> = listed.lines().filter_map(read).collect();
    assert!(files.len() > 20, "only {} sources found", files.len());
    files
}

/// What each member of the workspace depends on inside it and outside it, tests and builds left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root());
    let metadata: Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
    let name = |v: &Value| v["name"].as_str().unwrap().to_owned();
    let of = |package: &Value| {
        let normal = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["kind"].is_null());
        (name(package), normal.map(name).collect())
    };
    metadata["packages"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn dependencies_point_one_way() {
    let allowed: [(&str, &[&str]); 4] = [
        ("cni-core", &[]),
        ("cni-net", &["cni-core"]),
        ("cni-plugins", &["cni-core", "cni-net"]),
        ("plexus", &["cni-core", "cni-net", "cni-plugins"]),
    ];
    let dependencies = dependencies();
    let rooms: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    for (room, doors) in allowed {
        for dependency in dependencies[room].iter().filter(|d| rooms.contains(d.as_str())) {
            assert!(
                doors.contains(&dependency.as_str()),
                "{room} must not know {dependency}"
            );
        }
    }
}

#[test]
fn cni_core_takes_only_the_crates_that_were_chosen() {
    let chosen = [
        "serde",
        "serde_json",
        "thiserror",
        "tracing",
        "ipnet",
        "async-trait",
        "rustix",
        "libloading",
    ];
    for dependency in &dependencies()["cni-core"] {
        assert!(
            chosen.contains(&dependency.as_str()),
            "{dependency} is not among the crates chosen for cni-core"
        );
    }
}

#[test]
fn cni_core_pulls_at_most_25_crates() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "tree",
            "--offline",
            "-p",
            "cni-core",
            "-e",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(root());
    let output = String::from_utf8(cargo.output().unwrap().stdout).unwrap();
    let crates: BTreeSet<&str> = output.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("serde_json"), "{crates:?}");
    // cni-core itself is among them.
    assert!(crates.len() <= 26, "{}: {crates:?}", crates.len());
}

#[test]
fn nobody_below_the_daemon_is_async() {
    for (room, dependencies) in dependencies() {
        for asynchronous in ["tokio", "async-std", "smol", "futures"] {
            assert!(
                !dependencies.contains(asynchronous),
                "{room} depends on {asynchronous}"
            );
        }
    }
}

#[test]
fn unsafe_stands_in_the_named_files_alone() {
    const NAMED: &[&str] = &["cni-core/src/abi.rs", "cni-net/src/sockopt.rs"];
    let words = [
        "unsafe {",
        "unsafe fn",
        "unsafe impl",
        "unsafe extern",
        "unsafe_code",
    ];
    for (path, text) in sources() {
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let found = words.iter().any(|word| code.contains(word));
        let allowed = NAMED.contains(&path.as_str()) || path == "tests/tests/architecture.rs";
        assert!(
            !found || allowed,
            "{path} is not among the files that may be unsafe"
        );
    }
}

#[test]
fn cni_net_takes_from_cni_core_only_the_wire_error_and_the_shared_values() {
    const SHARED: &[&str] = &["Code", "Error", "IfName", "Mac", "NetnsPath", "NameError"];
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| path.starts_with("cni-net/src/"))
    {
        for line in text
            .lines()
            .filter(|line| line.contains("cni_core::") && !line.trim_start().starts_with("//"))
        {
            let names = line
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .filter(|word| !word.is_empty());
            let names = names.filter(|word| word.chars().next().is_some_and(char::is_uppercase));
            for name in names.collect::<BTreeSet<_>>() {
                let code = name.chars().all(|c| c.is_uppercase() || c == '_');
                assert!(
                    code || SHARED.contains(&name),
                    "{path} takes {name} from cni-core"
                );
            }
        }
    }
}

/// The rows of a Markdown table, as trimmed cells, without head and rule.
fn rows(file: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(2);
    lines
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

/// The names of all test functions, each behind an attribute that ends in `test]`.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in sources() {
        let mut marked = false;
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("fn ").filter(|_| marked) {
                names.insert(rest.split('(').next().unwrap().to_owned());
            }
            marked = line.ends_with("test]") || (marked && line.starts_with("#["));
        }
    }
    names
}

/// `a04_ips_need…` → `A04`, `l2_3_twenty…` → `L2-3`, for the families of ids that name tests.
fn id_of(test: &str) -> Option<String> {
    const FAMILIES: &[&str] = &["kn", "pn", "kp", "l2", "xr", "fl", "vx", "mu", "cn", "bm"];
    let (first, rest) = test.split_once('_')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if first.len() == 3 && "narsfgidch".contains(&first[..1]) && number(&first[1..]) {
        return Some(first.to_uppercase());
    }
    let second = rest.split('_').next()?;
    (FAMILIES.contains(&first) && number(second)).then(|| format!("{}-{second}", first.to_uppercase()))
}

#[test]
fn each_behaviour_is_shown_by_the_test_that_its_row_names() {
    let tests = test_names();
    for row in rows("docs/behaviours.md") {
        let [id, sentence, test] = &row[..] else {
            panic!("not three cells: {row:?}")
        };
        assert!(!sentence.is_empty(), "{id} says nothing");
        let name = test.trim_matches('`').rsplit("::").next().unwrap();
        assert!(tests.contains(name), "{id} names {test}, which is no test");
    }
}

#[test]
fn each_test_that_is_named_by_an_id_has_a_row() {
    let ids: BTreeSet<String> = rows("docs/behaviours.md")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    for test in test_names() {
        if let Some(id) = id_of(&test) {
            assert!(
                ids.contains(&id),
                "{test} shows {id}, which docs/behaviours.md does not have"
            );
        }
    }
}

#[test]
fn each_error_code_of_ours_has_a_row() {
    let documented: BTreeSet<u32> = rows("docs/errors.md")
        .iter()
        .filter_map(|row| row[0].parse().ok())
        .collect();
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| path.contains("/src/") && !path.contains("tests"))
    {
        for part in text.split("Code(").skip(1) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            let Ok(code @ 100..=199) = digits.parse() else {
                continue;
            };
            assert!(
                documented.contains(&code),
                "{path} uses code {code}, which docs/errors.md does not have"
            );
        }
    }
}

/// What `pattern`, the beginning of a message, has of words in a row; a word in capitals, or of one capital, is a
/// place for anything.
fn phrases(pattern: &str) -> Vec<String> {
    let place = |word: &&str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '…');
        word.starts_with(|c: char| c.is_ascii_uppercase()) && !word.contains(|c: char| c.is_ascii_lowercase())
    };
    let words: Vec<&str> = pattern.split(' ').collect();
    let runs = words.split(place).filter(|run| !run.is_empty());
    let trim = |text: String| text.trim_end_matches(':').to_owned();
    runs.flat_map(|run| run.windows(run.len().min(3)))
        .map(|words| trim(words.join(" ")))
        .collect()
}

/// Rows whose words no test asserts, and why.
const UNASSERTED: &[(&str, &str)] = &[
    (
        "read journal",
        "a record that decodes and still holds no result needs another program's hand",
    ),
    ("open network namespace \"PATH\"", "root may open every namespace"),
    (
        "configure interface \"IF\": address A is not usable in time",
        "no kernel leaves an address tentative for so long, unless it has no carrier",
    ),
];

#[test]
fn each_error_of_the_table_is_asserted_by_a_test() {
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("tests.rs");
    let mut asserted = fs::read_to_string(root().join("tests/tests/peers/agree/cases.txt")).unwrap();
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| !path.ends_with("architecture.rs"))
    {
        let within = text.find("#[cfg(test)]").map_or(text.len(), |at| at);
        asserted += if is_test(&path) { &text } else { &text[within..] };
    }
    let asserted = asserted.replace("\\\"", "\"");
    for row in rows("docs/errors.md")
        .into_iter()
        .filter(|row| row[0].starts_with(|c: char| c.is_ascii_digit()))
    {
        for pattern in row[2].split('`').skip(1).step_by(2) {
            let phrases = phrases(pattern);
            let long: Vec<_> = phrases.iter().filter(|phrase| phrase.len() >= 8).collect();
            let found = long.iter().any(|phrase| asserted.contains(phrase.as_str()));
            let excused = UNASSERTED.iter().any(|(excused, _)| *excused == pattern);
            assert!(
                found || long.is_empty() || excused,
                "no test asserts {pattern:?} of code {}",
                row[0]
            );
        }
    }
}
