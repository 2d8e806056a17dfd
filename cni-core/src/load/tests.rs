use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{LoadError, by_name, files, from_file};
use crate::spec::Error;

/// A directory of files that goes away with it.
struct Dir(PathBuf);

impl Dir {
    /// Makes `files`, each a path and its content.
    fn with(files: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!(
            "cni-load-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = Self(std::env::temp_dir().join(unique));
        fs::create_dir_all(&dir.0).unwrap();
        for (path, content) in files {
            let path = dir.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        dir
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Looks for the network `n`; `expected` is the file's name with its plugins, or the error.
#[track_caller]
fn check(content: &[(&str, &str)], expected: &str) {
    let dir = Dir::with(content);
    let shown = match by_name(&dir.0, "n") {
        Ok(found) => {
            let kinds: Vec<&str> = found.list.plugins().map(|p| p.kind.as_str()).collect();
            let file = found.path.strip_prefix(&dir.0).unwrap().display().to_string();
            format!("{file}: {} ({} broken)", kinds.join(" "), found.broken.len())
        }
        Err(error) => chain(&error).replace(&dir.0.display().to_string(), "DIR"),
    };
    assert_eq!(shown, expected);
}

fn chain(error: &LoadError) -> String {
    Error::from_source(crate::spec::Code::IO, error).to_string()
}

const N: &str = r#"{"name":"n","plugins":[{"type":"a"}]}"#;
const OTHER: &str = r#"{"name":"other","plugins":[{"type":"b"}]}"#;
const ONE: &str = r#"{"name":"n","type":"c"}"#;

#[test]
fn the_first_list_by_name_of_file_wins() {
    check(
        &[("20.conflist", N), ("10.conflist", OTHER), ("30.conflist", N)],
        "20.conflist: a (0 broken)",
    );
}

#[test]
fn n04_a_broken_file_hides_no_good_one() {
    check(
        &[
            ("10.conflist", "{"),
            ("15.conflist", r#"{"name":"n"}"#),
            ("20.conflist", N),
            ("30.conflist", "["),
        ],
        "20.conflist: a (2 broken)",
    );
}

#[test]
fn the_strict_way_stops_at_the_broken_file_before_the_match_alone() {
    let dir = Dir::with(&[("10.conflist", "{"), ("20.conflist", N)]);
    let error = by_name(&dir.0, "n").unwrap().strict().unwrap_err();
    assert!(error.to_string().ends_with("10.conflist\""), "{error}");
    let dir = Dir::with(&[("10.conflist", N), ("20.conflist", "{")]);
    assert!(by_name(&dir.0, "n").unwrap().strict().is_ok());
}

#[test]
fn n03_lists_come_before_files_with_one_plugin() {
    check(
        &[("10.conf", ONE), ("20.conflist", N)],
        "20.conflist: a (0 broken)",
    );
    check(
        &[("10.json", ONE), ("20.conflist", OTHER)],
        "10.json: c (0 broken)",
    );
    check(
        &[("10.CONF", ONE), ("b.yaml", ONE), ("c.conf", ONE)],
        "c.conf: c (0 broken)",
    );
}

#[test]
fn nothing_found_says_what_was_looked_through() {
    check(&[], r#"no net configurations found in "DIR""#);
    check(
        &[("10.conflist", OTHER)],
        r#"no net configuration with name "n" in "DIR""#,
    );
    check(
        &[("10.conflist", r#"{"name":"n"}"#), ("20.conflist", OTHER)],
        r#"no net configuration with name "n" in "DIR"; unreadable: load network configuration "DIR/10.conflist": no plugins in list"#,
    );
    assert!(matches!(
        by_name("/nonexistent/net.d", "n"),
        Err(LoadError::Empty { .. })
    ));
}

#[test]
fn plugins_in_the_folder_of_the_network_are_appended_in_order() {
    let folder = [
        ("n/2.conf", r#"{"type":"y"}"#),
        ("n/1.conf", r#"{"type":"x"}"#),
        ("n/3.json", "-"),
    ];
    let with = |list| [&[("10.conflist", list)], folder.as_slice()].concat();
    check(&with(N), "10.conflist: a x y (0 broken)");
    check(&with(r#"{"name":"n"}"#), "10.conflist: x y (0 broken)");
    check(
        &with(r#"{"name":"n","loadOnlyInlinedPlugins":"True","plugins":[{"type":"a"}]}"#),
        "10.conflist: a (0 broken)",
    );
}

#[test]
fn a_broken_file_in_the_folder_breaks_the_list() {
    let dir = Dir::with(&[("10.conflist", N), ("n/1.conf", r#"{"typ":"x"}"#)]);
    let error = from_file(dir.0.join("10.conflist")).unwrap_err();
    assert!(
        chain(&error).ends_with("n/1.conf\"; missing 'type' of plugin 1"),
        "{error}"
    );
}

#[test]
fn directories_are_no_files_and_links_to_files_are() {
    let dir = Dir::with(&[("a.conflist/x", ""), ("real", N)]);
    std::os::unix::fs::symlink("real", dir.0.join("b.conflist")).unwrap();
    assert_eq!(files(&dir.0, &["conflist"]).unwrap(), [dir.0.join("b.conflist")]);
    assert_eq!(
        files("/nonexistent/net.d", &["conf"]).unwrap(),
        [] as [PathBuf; 0]
    );
    assert!(matches!(
        files(Path::new("/dev/null"), &["conf"]),
        Err(LoadError::Read { .. })
    ));
}

#[test]
fn a_file_that_is_not_there_says_so() {
    let error = from_file("/nonexistent/x.conflist").unwrap_err();
    assert!(
        chain(&error).starts_with("read \"/nonexistent/x.conflist\"; No such file"),
        "{}",
        chain(&error)
    );
}
