//! A library that `export_plugin!` made.

use std::fs;

use cni_core::chain::{self, NoResults, Runtime};
use cni_core::invoke::{Invoke, Target};
use cni_core::plugin::PANICKED;
use cni_core::spec::{AttachmentId, Code, ConfList, Error, NetnsPath, Version};
use serde_json::{Value, json};

use crate::made::{Dir, dylib, scripted, set_mode};

fn list(mut plugin: Value) -> ConfList {
    plugin["type"] = "scripted".into();
    let list = json!({ "cniVersion": "1.1.0", "name": "net", "plugins": [plugin] });
    ConfList::from_bytes(list.to_string().as_bytes()).unwrap()
}

fn add(list: &ConfList, runtime: &Runtime<'_>) -> Result<(), Error> {
    let id = AttachmentId::new("c1".parse().unwrap(), "eth0".parse().unwrap());
    let added = chain::add(list, &id, &NetnsPath::new("/nowhere/ns"), runtime, &NoResults);
    added.map(drop).map_err(Error::from)
}

#[test]
fn a_panic_is_an_error_of_its_call() {
    let (dir, dylib) = (scripted(), dylib());
    let runtime = Runtime::new(&dylib, [dir.0.clone()]);
    let error = add(&list(json!({ "panic": "ADD" })), &runtime).unwrap_err();
    assert_eq!(
        (error.code, error.details.as_str()),
        (PANICKED, "as the configuration says")
    );
    assert!(error.msg.ends_with(": plugin \"scripted\" panicked"), "{error}");
    add(&list(json!({})), &runtime).unwrap();
}

#[test]
fn its_delegates_are_executables() {
    let (dir, delegates, dylib) = (scripted(), Dir::new(), dylib());
    let ipam = delegates.0.join("ipam-script");
    let log = delegates.0.join("log");
    let answer = r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/24"}]}"#;
    let script = format!(
        "#!/bin/sh\necho $CNI_COMMAND >>{}\necho '{answer}'\n",
        log.display()
    );
    fs::write(&ipam, script).unwrap();
    set_mode(&ipam, 0o755);
    let runtime = Runtime::new(&dylib, [dir.0.clone(), delegates.0.clone()]);
    let list = list(json!({ "delegate": "ipam-script" }));
    add(&list, &runtime).unwrap();
    chain::gc(&list, None, &runtime, &NoResults).unwrap();
    assert_eq!(fs::read_to_string(log).unwrap(), "ADD\nGC\n");
}

#[test]
fn it_says_which_versions_it_takes() {
    let (dir, dylib) = (scripted(), dylib());
    let mut target = Target::default();
    target.path.push(dir.0.clone());
    let info = dylib
        .version(&"scripted".parse().unwrap(), &target, None)
        .unwrap();
    assert_eq!(info.supported_versions, Version::ALL);
}

#[test]
fn an_error_of_the_skeleton_is_the_librarys_answer() {
    let (dir, dylib) = (scripted(), dylib());
    let runtime = Runtime::new(&dylib, [dir.0.clone()]);
    let error = add(&list(json!({ "interface": 7 })), &runtime).unwrap_err();
    assert_eq!(error.code, Code::INVALID_CONFIG);
    assert!(error.to_string().contains("load netconf"), "{error}");
}
