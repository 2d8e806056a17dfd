use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use super::*;

/// A directory that is removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("cni-plugins-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn call(words: &[&str], by_runtime: bool) -> (ExitCode, String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let words = words.iter().map(OsString::from);
    let code = main(words, by_runtime, &mut stdout, &mut stderr);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(stdout), text(stderr))
}

#[test]
fn install_takes_no_option_for_a_directory() {
    for option in ["--help", "-h"] {
        let (code, stdout, stderr) = call(&["cni-plugins", "install", option], false);
        assert_eq!((code, &*stdout, &*stderr), (ExitCode::SUCCESS, HELP, ""));
    }
    for option in ["--force", "-n", "-"] {
        let (code, stdout, stderr) = call(&["cni-plugins", "install", option], false);
        assert_eq!((code, &*stdout, &*stderr), (ExitCode::from(USAGE), "", HELP));
        assert!(!Path::new(option).exists(), "{option}");
    }
}

#[test]
fn install_puts_one_file_under_every_name_and_replaces_what_was_there() {
    let dir = Scratch::new("install");
    let bin = dir.0.join("opt/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("bridge"), "an older one").unwrap();
    let (code, stdout, stderr) = call(&["/x/cni-plugins", "install", bin.to_str().unwrap()], false);
    assert_eq!((code, &*stderr), (ExitCode::SUCCESS, ""));
    let mut names: Vec<String> = fs::read_dir(&bin)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected: Vec<&str> = crate::table(&Kernel::new()).types().collect();
    assert_eq!(names, expected);
    for name in names {
        let file = fs::metadata(bin.join(&name)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o755, "{name}");
        assert_eq!(
            file.len(),
            fs::metadata("/proc/self/exe").unwrap().len(),
            "{name}"
        );
        assert_eq!(
            file.ino(),
            fs::metadata(bin.join("bridge")).unwrap().ino(),
            "{name}"
        );
        assert!(stdout.contains(&format!("installed {}", bin.join(&name).display())));
    }
    // Again, over itself.
    assert_eq!(
        call(&["cni-plugins", "install", bin.to_str().unwrap()], false).0,
        ExitCode::SUCCESS
    );
}

#[test]
fn install_says_what_it_could_not_do() {
    let dir = Scratch::new("refused");
    let file = dir.0.join("file");
    fs::write(&file, "").unwrap();
    let (code, stdout, stderr) = call(&["cni-plugins", "install", file.to_str().unwrap()], false);
    assert_eq!((code, &*stdout), (ExitCode::FAILURE, ""));
    assert!(stderr.contains("create directory"), "{stderr}");
}

#[test]
fn a_runtime_that_calls_it_by_a_wrong_name_gets_an_error_object() {
    let (code, stdout, _) = call(&["/opt/cni/bin/cni-plugins"], true);
    assert_eq!(code, ExitCode::FAILURE);
    let error: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(error["cniVersion"], "1.1.0");
    assert_eq!(error["code"], 7);
    assert!(error["msg"].as_str().unwrap().contains("cni-plugins"));
}

#[test]
fn a_person_is_told_what_there_is() {
    assert!(call(&["cni-plugins", "list"], false).1.contains("host-local\n"));
    assert!(
        call(&["cni-plugins", "version"], false)
            .1
            .starts_with("cni-plugins ")
    );
    assert_eq!(call(&["cni-plugins"], false).1, HELP);
    // Even where a shell has the variable set.
    assert_eq!(call(&["cni-plugins", "help"], true).1, HELP);
    let (code, stdout, stderr) = call(&["cni-plugins", "instal", "x"], false);
    assert_eq!((code, &*stdout, &*stderr), (ExitCode::from(2), "", HELP));
}
