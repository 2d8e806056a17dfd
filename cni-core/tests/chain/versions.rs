//! VERSION of a list, and whether it can be run at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use cni_core::chain::{self, Runtime};
use cni_core::invoke::Exec;
use cni_core::spec::{Code, ConfList, Error, Version};
use serde_json::json;

use crate::stage::every_way;

#[test]
fn a_list_is_valid_when_its_plugins_are_there_and_take_its_version() {
    let (outcomes, calls) = every_way(|stage| {
        let ours = json!({ "capabilities": { "ips": true, "mac": false } });
        let theirs = json!({ "capabilities": { "dns": true } });
        let run = |version| {
            let list = stage.list(version, &[ours.clone(), theirs.clone()]);
            chain::validate(&list, &stage.runtime).map_err(Error::from)
        };
        ["0.1.0", "1.1.0", "9.9.9"].map(run)
    });
    let [first, last, none] = outcomes;
    assert_eq!(first.unwrap(), ["dns", "ips"].map(str::to_owned).into());
    assert!(last.is_ok());
    let msg = "plugin \"scripted\" does not support config version \"9.9.9\"";
    let takes = r#"it takes ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]"#;
    assert_eq!(
        none.unwrap_err(),
        Error::new(Code::INCOMPATIBLE_VERSION, msg).with_details(takes)
    );
    assert_eq!(
        calls,
        [] as [serde_json::Value; 0],
        "no verb but VERSION was sent"
    );
}

#[test]
fn a_list_takes_what_all_its_plugins_take() {
    let (versions, _) = every_way(|stage| {
        let list = stage.list("1.1.0", &[json!({}), json!({})]);
        chain::version(&list, &stage.runtime).unwrap()
    });
    assert_eq!(versions.plugins.len(), 1, "asked once");
    assert_eq!(versions.common(), Version::ALL.iter().copied().collect());
}

/// Plugins of every age, and none.
struct Bin {
    dir: std::path::PathBuf,
    exec: Exec,
}

impl Bin {
    fn new(name: &str, plugins: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("cni-core-versions-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        for (name, script) in plugins {
            let file = dir.join(name);
            fs::write(
                &file,
                format!("#!/bin/sh\n[ $CNI_COMMAND = VERSION ] || exit 9\n{script}\n"),
            )
            .unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self {
            dir,
            exec: Exec::new(),
        }
    }

    fn runtime(&self) -> Runtime<'_> {
        Runtime::new(&self.exec, [self.dir.clone()])
    }
}

impl Drop for Bin {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.dir));
    }
}

fn list(version: &str, plugins: &[&str]) -> ConfList {
    let plugins: Vec<_> = plugins.iter().map(|kind| json!({ "type": kind })).collect();
    let list = json!({ "cniVersion": version, "name": "net", "plugins": plugins });
    ConfList::from_bytes(list.to_string().as_bytes()).unwrap()
}

const EARLY: (&str, &str) = (
    "early",
    r#"echo '{"code":4,"msg":"unknown CNI_COMMAND: VERSION"}'; exit 1"#,
);
const LATER: (&str, &str) = (
    "later",
    r#"echo '{"cniVersion":"1.0.0","supportedVersions":["0.1.0","0.4.0","1.0.0"]}'"#,
);

#[test]
fn a_plugin_without_version_takes_0_1_0() {
    let bin = Bin::new("early", &[EARLY, LATER]);
    let versions = chain::version(&list("1.0.0", &["early", "later"]), &bin.runtime()).unwrap();
    assert_eq!(versions.plugins[&"later".parse().unwrap()].len(), 3);
    assert_eq!(versions.common(), [Version::V0_1_0].into());
    assert!(chain::validate(&list("", &["early", "later"]), &bin.runtime()).is_ok());
    let error = chain::validate(&list("0.4.0", &["early", "later"]), &bin.runtime()).unwrap_err();
    assert_eq!(
        Error::from(error),
        Error::new(
            Code::INCOMPATIBLE_VERSION,
            "plugin \"early\" does not support config version \"0.4.0\""
        )
        .with_details("it takes [\"0.1.0\"]")
    );
}

#[test]
fn everything_that_is_wrong_with_a_list_is_told_at_once() {
    let bin = Bin::new("wrong", &[LATER, ("broken", "echo nonsense")]);
    let list = list("1.1.0", &["absent", "later", "broken"]);
    let told = Error::from(chain::validate(&list, &bin.runtime()).unwrap_err());
    assert_eq!(told.code, Code::INVALID_CONFIG);
    for part in [
        "plugin type=\"absent\" name=\"net\" failed (version): failed to find plugin \"absent\" in path",
        "plugin \"later\" does not support config version \"1.1.0\"; it takes [\"0.1.0\" \"0.4.0\" \"1.0.0\"]",
        "plugin type=\"broken\" name=\"net\" failed (version): decode versions of plugin \"broken\"",
    ] {
        assert!(told.msg.contains(part), "{part} is not in {told}");
    }
    let told = Error::from(chain::version(&list, &bin.runtime()).unwrap_err());
    assert_eq!(told.msg.matches(" / ").count(), 1, "{told}");
}

#[test]
fn a_plugin_that_hangs_in_version_is_ended_at_the_deadline() {
    let bin = Bin::new("hangs", &[("slow", "sleep 300")]);
    let mut runtime = bin.runtime();
    runtime.deadline = Some(Instant::now() + Duration::from_millis(500));
    let error = Error::from(chain::validate(&list("1.0.0", &["slow"]), &runtime).unwrap_err());
    assert_eq!(error.code, Code::TRY_AGAIN);
    assert!(
        error.msg.contains("plugin \"slow\" did not end VERSION in time"),
        "{error}"
    );
}
