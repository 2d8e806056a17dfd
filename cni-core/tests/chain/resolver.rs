//! Which plugins are run how, their delegates included.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cni_core::chain::{self, NoResults, Runtime};
use cni_core::invoke::{Builtin, Choice, Invoke, Resolver};
use cni_core::spec::{Code, ConfList, Error, Object, PluginType};

use crate::dylib;
use crate::stage::{id, netns};
use cni_core::testkit::Scripted;

/// A directory with a plugin that is this script; `$LOG` in it is the path of the log beside it.
fn bin(name: &str, script: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("cni-core-resolver-{}-{name}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let (file, log) = (dir.join(name), dir.join("log"));
    fs::write(&file, format!("#!/bin/sh\nLOG={}\n{script}\n", log.display())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// What it wrote to its log; the directory is gone then.
fn logged(dir: &Path) -> String {
    let log = fs::read_to_string(dir.join("log")).unwrap();
    fs::remove_dir_all(dir).unwrap();
    log
}

fn resolver() -> Resolver {
    Resolver::new(Builtin::new().with(Scripted))
}

fn kind(name: &str) -> PluginType {
    name.parse().unwrap()
}

#[test]
fn a_type_is_linked_in_if_it_can_be_and_an_executable_if_it_must_be() {
    let resolver = resolver();
    assert_eq!(resolver.choice(&kind("scripted")), Choice::Builtin);
    assert_eq!(resolver.choice(&kind("other")), Choice::External);
    let external = resolver.clone().external([kind("scripted")]);
    assert_eq!(external.choice(&kind("scripted")), Choice::External);
    let recorded = external.forced([(kind("scripted"), Choice::Builtin)]);
    assert_eq!(recorded.choice(&kind("scripted")), Choice::Builtin);
    assert_eq!(
        serde_json::to_string(&[Choice::Builtin, Choice::Dylib, Choice::External]).unwrap(),
        r#"["builtin","dylib","external"]"#
    );
}

#[test]
fn a_plugin_is_looked_for_where_it_would_be_run() {
    let (dir, resolver) = (bin("there", "exit 1"), resolver());
    let path = [dir.clone()];
    let config = Object::from_slice(br#"{ "cniVersion": "1.0.0", "name": "n" }"#).unwrap();
    resolver.locate(&kind("scripted"), &config, &[]).unwrap();
    for refused in [
        r#"{ "name": "n", "cniVersion": "1.0.1" }"#,
        r#"{ "name": "n", "delegate": 1 }"#,
    ] {
        let refused = Object::from_slice(refused.as_bytes()).unwrap();
        resolver.locate(&kind("scripted"), &refused, &[]).unwrap_err();
    }
    resolver.locate(&kind("there"), &config, &path).unwrap();
    let external = resolver.clone().external([kind("scripted")]);
    for error in [
        resolver.locate(&kind("absent"), &config, &path).unwrap_err(),
        external.locate(&kind("scripted"), &config, &path).unwrap_err(),
    ] {
        assert_eq!(error.code, Code::INVALID_CONFIG);
        assert!(error.msg.starts_with("failed to find plugin"), "{error}");
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_recorded_choice_that_is_not_there_any_more_is_an_error() {
    let resolver = resolver().forced([(kind("gone"), Choice::Builtin)]);
    let list = br#"{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"gone"}]}"#;
    let list = ConfList::from_bytes(list).unwrap();
    let error = chain::del(&list, &id("c"), None, &Runtime::new(&resolver, []), &NoResults).unwrap_err();
    let msg = "plugin type=\"gone\" name=\"net\" failed (del): find built-in plugin \"gone\"";
    assert_eq!(Error::from(error), Error::new(Code::INVALID_CONFIG, msg));
}

#[test]
fn a_linked_in_plugin_delegates_to_an_executable() {
    let answer = r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/24"}]}"#;
    let dir = bin(
        "ipam-script",
        &format!("echo $CNI_COMMAND >>$LOG\necho '{answer}'"),
    );
    let list =
        br#"{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"scripted","delegate":"ipam-script"}]}"#;
    let list = ConfList::from_bytes(list).unwrap();
    let (resolver, netns) = (resolver(), netns());
    let runtime = Runtime::new(&resolver, [dir.clone()]);
    let result = chain::add(&list, &id("c"), &netns, &runtime, &NoResults).unwrap();
    chain::check(&list, &id("c"), &netns, &runtime, &NoResults).unwrap();
    chain::del(&list, &id("c"), None, &runtime, &NoResults).unwrap();
    chain::gc(&list, None, &runtime, &NoResults).unwrap();
    chain::status(&list, &runtime).unwrap();
    assert_eq!(result.ips[0].address.to_string(), "10.0.0.2/24");
    assert_eq!(logged(&dir), "ADD\nCHECK\nDEL\nGC\nSTATUS\n");
}

#[test]
fn a_delegate_that_runs_out_of_time_still_gets_its_del() {
    let dir = bin(
        "slow",
        "echo $CNI_COMMAND >>$LOG\n[ $CNI_COMMAND != ADD ] || sleep 300",
    );
    let list = br#"{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"scripted","delegate":"slow"}]}"#;
    let list = ConfList::from_bytes(list).unwrap();
    let resolver = resolver();
    let mut runtime = Runtime::new(&resolver, [dir.clone()]);
    runtime.deadline = Some(Instant::now() + Duration::from_millis(500));
    let error = chain::add(&list, &id("c"), &netns(), &runtime, &NoResults).unwrap_err();
    assert_eq!(Error::from(error).code, Code::TRY_AGAIN);
    assert_eq!(logged(&dir), "ADD\nDEL\n");
}

#[test]
fn a_library_is_what_was_named_or_recorded_and_never_what_happens_to_be_there() {
    let dir = dylib::scripted();
    let linked_in = resolver();
    let named = linked_in.clone().dylib(dylib::dylib(), [kind("scripted")]);
    let recorded = linked_in.clone().dylib(dylib::dylib(), []);
    assert_eq!(recorded.choice(&kind("scripted")), Choice::Builtin);
    let recorded = recorded.forced([(kind("scripted"), Choice::Dylib)]);
    for resolver in [&named, &recorded] {
        assert_eq!(resolver.choice(&kind("scripted")), Choice::Dylib);
        let runtime = Runtime::new(resolver, [dir.0.clone()]);
        let list = br#"{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"scripted"}]}"#;
        let list = ConfList::from_bytes(list).unwrap();
        chain::del(&list, &id("c"), None, &runtime, &NoResults).unwrap();
        // It was the library: in no other way does the file matter.
        let elsewhere = Runtime::new(resolver, []);
        let error = chain::del(&list, &id("c"), None, &elsewhere, &NoResults).unwrap_err();
        assert_eq!(Error::from(error).code, Code::INVALID_ENVIRONMENT);
    }
    let unable = linked_in.forced([(kind("scripted"), Choice::Dylib)]);
    let list = br#"{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"scripted"}]}"#;
    let list = ConfList::from_bytes(list).unwrap();
    let error = chain::del(&list, &id("c"), None, &Runtime::new(&unable, []), &NoResults).unwrap_err();
    let msg = "run plugin \"scripted\" as a library: this program loads none";
    let msg = format!("plugin type=\"scripted\" name=\"net\" failed (del): {msg}");
    assert_eq!(Error::from(error), Error::new(Code::INVALID_CONFIG, msg));
}
