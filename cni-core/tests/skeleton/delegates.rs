//! What the skeleton gives a plugin that delegates, and what a delegate gets when it fails.

use std::path::PathBuf;

use cni_core::invoke::Builtin;
use cni_core::plugin::{Add, Check, Del, Plugin};
use cni_core::spec::{Code, Error, Success};
use cni_core::testkit::{Invocation, Scripted};
use serde_json::json;

use crate::host::{answers, fails, tempfile};

/// A delegate that cannot do its ADD, and is told so by the name of the file that DEL makes.
struct Refusing;

#[derive(serde::Deserialize)]
struct RefusingConfig {
    deleted: PathBuf,
    says: String,
}

impl Plugin for Refusing {
    type Config = RefusingConfig;
    const NAME: &'static str = "refusing";

    fn add(&self, request: Add<'_, RefusingConfig>) -> Result<Success, Error> {
        Err(Error::new(Code::TRY_AGAIN, request.config.says))
    }

    fn del(&self, request: Del<'_, RefusingConfig>) -> Result<(), Error> {
        std::fs::write(&request.config.deleted, request.id.to_string()).unwrap();
        Err(Error::new(Code::IO, "this one is only logged"))
    }

    fn check(&self, _: Check<'_, RefusingConfig>) -> Result<(), Error> {
        Ok(())
    }
}

/// ADD with `env` and a delegate that refuses with these words; whether the delegate got a DEL, which a file tells.
fn refused(file: &str, says: &str, env: &[(&str, &str)]) -> bool {
    let deleted = tempfile(file);
    let conf = json!({ "name": "n", "cniVersion": "1.1.0", "delegate": "refusing", "deleted": deleted, "says": says });
    let table = Builtin::new().with(Refusing);
    let call = Invocation::new("ADD").with_invoke(&table);
    let call = env
        .iter()
        .fold(call, |call, (key, value)| call.with_env(key, value));
    fails(&call.run(&Scripted, conf.to_string()), 11, says, "");
    std::fs::read_to_string(&deleted).is_ok_and(|of| {
        std::fs::remove_file(deleted).unwrap();
        of == "eth0 of c1"
    })
}

#[test]
fn a_delegate_that_fails_to_add_is_deleted_unless_it_would_undo_an_earlier_add() {
    assert!(refused("delegate", "later", &[]));
    let words = "10.1.0.2 has been allocated to c1, duplicate allocation is not allowed";
    assert!(!refused("delegate", words, &[]));
}

#[test]
fn a_delegate_that_is_linked_in_may_do_what_the_plugin_may() {
    let own = [("CNI_NETNS", "/proc/self/ns/net"), ("CNI_NETNS_OVERRIDE", "1")];
    assert!(refused("override", "later", &own));
}

#[test]
fn a_plugin_that_would_delegate_to_itself_is_refused_but_for_del() {
    let conf = r#"{"cniVersion":"1.1.0","name":"n","delegate":"scripted"}"#;
    let table = Builtin::new().with(Scripted);
    for verb in ["ADD", "CHECK", "STATUS", "GC"] {
        let out = Invocation::new(verb).with_invoke(&table).run(&Scripted, conf);
        fails(&out, 7, "plugin \"scripted\" cannot delegate to itself", "");
    }
    answers(
        &Invocation::new("DEL").with_invoke(&table).run(&Scripted, conf),
        "",
    );
}
