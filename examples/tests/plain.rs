//! The examples as far as they need no kernel: what they look like, and the one that talks to a service alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

// An example that is tested is not built as a program, which the other tests run: its own test runs here.
#[expect(dead_code, reason = "nobody calls its main")]
#[path = "../chained-plugin/main.rs"]
mod label;
#[path = "shared/place.rs"]
mod place;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::thread;

use cni_core::invoke::{Call, Dylib, Exec, Invoke, Target, Verb};
use cni_core::spec::{AttachmentId, Code, IpConfig, NetnsPath, Object, Success, Version};
use cni_core::testkit::{Invocation, Subject, conformance};
use place::{example, folder};
use serde_json::json;

/// Folder, the programs in it, and the lines that each source must have fewer of.
const EXAMPLES: &[(&str, &[&str], usize)] = &[
    ("async-plugin", &["leases"], 120),
    ("chained-plugin", &["label"], 120),
    ("dylib-plugin", &["hosts", "hosts-library"], 120),
    ("main-plugin", &["segment"], 120),
    ("meta-plugin", &["both"], 80),
    ("runtime", &["runtime"], 120),
];

#[test]
fn each_example_has_a_page_that_names_its_commands() {
    for (name, programs, _) in EXAMPLES {
        let page = fs::read_to_string(folder(name).join("README.md")).unwrap();
        assert!((15..=70).contains(&page.lines().count()), "{name}");
        for program in *programs {
            assert!(
                page.contains(&format!("--example {program}")),
                "{name}: {program}"
            );
        }
    }
}

#[test]
fn each_example_is_as_short_as_it_is_said_to_be() {
    let mut folders: Vec<&str> = Vec::new();
    for (name, _, most) in EXAMPLES {
        let sources = fs::read_dir(folder(name))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let sources = sources.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let lines: usize = sources
            .map(|path| fs::read_to_string(path).unwrap().lines().count())
            .sum();
        assert!((1..*most).contains(&lines), "{name} has {lines} lines");
        folders.push(name);
    }
    let found = fs::read_dir(folder(""))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found = found.filter(|path| path.join("README.md").exists()).count();
    assert_eq!(found, folders.len(), "an example is not in the table");
}

#[test]
fn the_first_plugin_of_the_readme_is_the_chained_example() {
    let readme = fs::read_to_string(folder("../README.md")).unwrap();
    let label = fs::read_to_string(folder("chained-plugin/main.rs")).unwrap();
    assert!(readme.contains(&label));
}

/// A service of addresses, at the socket that is answered: as many as asked for, each caller its own.
fn service(dir: &tempfile::TempDir) -> std::path::PathBuf {
    let path = dir.path().join("leases.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        let mut leases: BTreeMap<String, usize> = BTreeMap::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let next = leases.values().max().map_or(2, |last| last + 1);
            let lease = match line.trim().split_once(' ') {
                Some(("lease", id)) if id.contains("refused") => Err("error no address is left"),
                Some(("lease", id)) => Ok(*leases.entry(id.to_owned()).or_insert(next)),
                Some(("find", id)) => leases.get(id).copied().ok_or("error there is no lease"),
                Some(("release", id)) => {
                    leases.remove(id);
                    Err("ok")
                }
                _ => Err("ok"),
            };
            let answer = lease.map_or_else(str::to_owned, |number| format!("10.8.0.{number}/24"));
            writeln!(stream, "{answer}").unwrap();
        }
    });
    path
}

#[test]
fn the_async_plugin_leases_from_a_service() {
    let dir = tempfile::tempdir().unwrap();
    let ipam = json!({"type": "leases", "socket": service(&dir)});
    let config = json!({"cniVersion": "1.1.0", "name": "n", "ipam": ipam});
    let call = |container| Invocation::new("ADD").with_env("CNI_CONTAINERID", container);
    let add = |container| {
        call(container)
            .exec(&example("leases"), config.to_string())
            .unwrap()
            .result()
    };
    assert_eq!(add("a").unwrap().ips[0].address.to_string(), "10.8.0.2/24");
    assert_eq!(add("b").unwrap().ips[0].address.to_string(), "10.8.0.3/24");
    assert_eq!(add("refused").unwrap_err().details, "no address is left");

    let subject = Subject::new(example("leases")).with_config(&json!({"ipam": ipam}).to_string());
    conformance(subject.with_netns("/nowhere/ns")).assert();
}

#[test]
fn the_async_plugin_says_to_try_again_when_the_service_is_away() {
    let config = json!({"cniVersion": "1.1.0", "name": "n", "ipam": {"socket": "/nowhere/leases.sock"}});
    let outcome = |verb| {
        Invocation::new(verb)
            .exec(&example("leases"), config.to_string())
            .unwrap()
    };
    assert_eq!(outcome("ADD").result().unwrap_err().code, Code::TRY_AGAIN);
    assert_eq!(outcome("STATUS").done().unwrap_err().code, Code::UNAVAILABLE);
}

#[test]
fn the_async_plugin_tells_its_stderr_what_fails_no_call() {
    let dir = tempfile::tempdir().unwrap();
    let ipam = json!({"type": "leases", "socket": service(&dir)});
    let config = json!({"cniVersion": "1.1.0", "name": "n", "ipam": ipam, "prevResult": "damaged"});
    let call = Invocation::new("DEL").with_env("CNI_CONTAINERID", "c1");
    let outcome = call.exec(&example("leases"), config.to_string()).unwrap();
    let told = &outcome.stderr;
    let named = told.contains("go on without prevResult") && told.contains("c1");
    assert!(named && told.lines().count() == 1, "{told}");
    assert_eq!(outcome.done(), Ok(()));
}

/// The plugin of both kinds, in a directory that nobody else can write.
fn both_kinds() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (made, file, mode) in [
        ("hosts", "hosts", 0o755),
        ("libhosts_library.so", "hosts.so", 0o644),
    ] {
        let file = dir.path().join(file);
        fs::copy(example(made), &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }
    dir
}

#[test]
fn one_source_is_the_same_as_executable_and_as_library() {
    let dir = both_kinds();
    let files = |network: &str| -> Vec<(String, String)> {
        let listed = fs::read_dir(dir.path().join("kept").join(network))
            .unwrap()
            .map(|entry| entry.unwrap());
        let read = |entry: fs::DirEntry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read_to_string(entry.path()).unwrap(),
            )
        };
        listed.map(read).collect()
    };
    // What a call answers, and what is there then.
    let life = |invoke: &dyn Invoke, network: &str| {
        let id = AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap());
        let mut target = Target::of(id, Some(NetnsPath::new("/nowhere/ns")));
        target.path.push(dir.path().to_owned());
        let config = json!({"cniVersion": "1.1.0", "name": network, "directory": dir.path().join("kept")});
        let config = Object::from_slice(config.to_string().as_bytes()).unwrap();
        let mut prev = Success::new();
        prev.ips.push(IpConfig::new("10.9.0.2/24".parse().unwrap()));
        let plugin = "hosts".parse().unwrap();
        let mut call = Call::new(&plugin, &config, &target);
        let refused = invoke.add(&call).unwrap_err();
        call.prev = Some(&prev);
        let added = (invoke.add(&call).unwrap(), files(network));
        let checked = invoke.run(Verb::Check, &call);
        let deleted = [invoke.run(Verb::Del, &call), invoke.run(Verb::Del, &call)];
        (refused, added, checked, deleted, files(network))
    };
    let uid = fs::metadata("/proc/self").unwrap().uid();
    let executable = life(&Exec::new(), "executable");
    let library = life(&Dylib::new().owned_by(uid), "library");
    assert_eq!(executable, library);
    assert_eq!(library.1.1, [("c1@eth0".to_owned(), "10.9.0.2\n".to_owned())]);
    assert_eq!(
        (library.2, library.3, library.4),
        (Ok(()), [Ok(()), Ok(())], Vec::new())
    );
}

#[test]
fn the_plugin_of_both_kinds_conforms_and_collects() {
    let dir = both_kinds();
    let kept = dir.path().join("kept");
    let prev = r#"{"interfaces":[{"name":"a"}],"ips":[{"address":"10.9.0.2/24"}]}"#;
    let prev = Success::decode(Version::V1_1_0, prev.as_bytes()).unwrap();
    let config = json!({"name": "n", "directory": kept});
    let subject = Subject::new(dir.path().join("hosts")).with_config(&config.to_string());
    conformance(subject.with_netns("/nowhere/ns").with_prev(prev)).assert();

    for id in ["a", "b"] {
        fs::write(kept.join("n").join(format!("{id}@eth0")), "").unwrap();
    }
    let collect = |valid: serde_json::Value| {
        let config = json!({"cniVersion": "1.1.0", "name": "n", "directory": kept, "cni.dev/valid-attachments": valid});
        let outcome = Invocation::new("GC").exec(&dir.path().join("hosts"), config.to_string());
        outcome.unwrap().done().unwrap();
        fs::read_dir(kept.join("n")).unwrap().count()
    };
    assert_eq!(collect(json!([{"containerID": "a", "ifname": "eth0"}])), 1);
    assert_eq!(collect(json!([])), 0);
}
