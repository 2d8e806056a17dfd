//! What becomes of an attachment when a plugin fails, or results cannot be kept.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use cni_core::chain::{
    self, ChainError, FailedAdd, FailedDel, InMemory, KeptAttachment, NoResults, Results, ResultsError,
    Runtime,
};
use cni_core::invoke::Exec;
use cni_core::spec::{AttachmentId, Code, ConfList, Error};
use serde_json::Value;

use crate::stage::{Stage, every_way, id, netns, order, prevs};
use crate::{add, del, some, step, wire};

/// A generous time.
const UNDO: FailedAdd = FailedAdd::Undo(Duration::from_secs(60));

fn add_with(stage: &Stage<'_>, list: &ConfList, failed_add: FailedAdd) -> Error {
    let mut runtime = stage.runtime.clone();
    runtime.failed_add = failed_add;
    Error::from(chain::add(list, &id("c1"), &netns(), &runtime, &stage.kept).unwrap_err())
}

fn del_with(stage: &Stage<'_>, list: &ConfList, failed_del: FailedDel) -> Result<(), Error> {
    let mut runtime = stage.runtime.clone();
    runtime.failed_del = failed_del;
    wire(chain::del(list, &id("c1"), Some(&netns()), &runtime, &stage.kept))
}

fn failed(verb: &str, what: &str) -> String {
    format!(
        "plugin type=\"scripted\" name=\"net\" failed ({}): {what} {verb}",
        verb.to_lowercase()
    )
}

#[test]
fn add_stops_at_the_first_failure_and_undoes_nothing() {
    let (error, calls) = every_way(|stage| {
        let list = stage.list("1.1.0", &[step("a", &[]), step("b", &["ADD"]), step("c", &[])]);
        let error = add(stage, &list).unwrap_err();
        assert_eq!(stage.kept.list(&list).unwrap(), []);
        error
    });
    assert_eq!(error, Error::new(Code(100), failed("ADD", "b")).with_details("d"));
    assert_eq!(order(&calls), ["ADD 0", "ADD 1"]);
}

#[test]
fn add_undoes_what_it_called_on_request() {
    let (error, calls) = every_way(|stage| {
        let list = stage.list("1.1.0", &[step("a", &[]), step("b", &["ADD"]), step("c", &[])]);
        add_with(stage, &list, UNDO)
    });
    assert_eq!(error, Error::new(Code(100), failed("ADD", "b")).with_details("d"));
    assert_eq!(order(&calls), ["ADD 0", "ADD 1", "DEL 1", "DEL 0"]);
    assert_eq!(prevs(&calls), [None, some("a"), some("a"), some("a")]);
    let about = |at: usize| (&calls[at]["id"], &calls[at]["netns"], &calls[at]["args"]);
    assert_eq!(about(2), about(1));
}

#[test]
fn an_undo_that_fails_goes_on_and_is_told_after_why_add_failed() {
    let (error, calls) = every_way(|stage| {
        let list = stage.list(
            "1.1.0",
            &[step("a", &["DEL"]), step("b", &["DEL"]), step("c", &["ADD"])],
        );
        add_with(stage, &list, UNDO)
    });
    let each = [failed("ADD", "c"), failed("DEL", "b"), failed("DEL", "a")].map(|msg| msg + "; d");
    assert_eq!(error, Error::new(Code(100), each.join(" / ")));
    assert_eq!(order(&calls)[3..], ["DEL 2", "DEL 1", "DEL 0"]);
}

/// Keeps what it is given, and says that it could not.
#[derive(Default)]
struct Doubtful(InMemory);

impl Results for Doubtful {
    fn put(&self, list: &ConfList, attachment: &KeptAttachment) -> Result<(), ResultsError> {
        self.0.put(list, attachment)?;
        broken()
    }
    fn get(&self, list: &ConfList, id: &AttachmentId) -> Result<Option<KeptAttachment>, ResultsError> {
        self.0.get(list, id)
    }
    fn remove(&self, list: &ConfList, id: &AttachmentId) -> Result<(), ResultsError> {
        self.0.remove(list, id)
    }
    fn list(&self, list: &ConfList) -> Result<Vec<KeptAttachment>, ResultsError> {
        self.0.list(list)
    }
}

#[test]
fn an_add_whose_result_cannot_be_kept_is_undone_on_request() {
    let (error, calls) = every_way(|stage| {
        let list = stage.list("1.1.0", &[step("a", &[]), step("b", &[])]);
        let mut runtime = stage.runtime.clone();
        runtime.failed_add = UNDO;
        let kept = Doubtful::default();
        let error = chain::add(&list, &id("c1"), &netns(), &runtime, &kept).unwrap_err();
        assert_eq!(kept.list(&list).unwrap(), []);
        Error::from(error).to_string()
    });
    assert_eq!(error, "write results; no space left");
    assert_eq!(order(&calls), ["ADD 0", "ADD 1", "DEL 1", "DEL 0"]);
    assert_eq!(prevs(&calls)[2..], [some("a b"), some("a b")]);
}

#[test]
fn undoing_has_its_own_time_when_that_of_add_is_over() {
    let dir = std::env::temp_dir().join(format!("cni-core-undo-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let (file, log) = (dir.join("slow"), dir.join("log"));
    let script = format!(
        "#!/bin/sh\necho $CNI_COMMAND >>{}\n[ $CNI_COMMAND != ADD ] || sleep 300\n",
        log.display()
    );
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let list =
        ConfList::from_bytes(br#"{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"slow"}]}"#).unwrap();
    let exec = Exec::new();
    let mut runtime = Runtime::new(&exec, [dir.clone()]);
    runtime.deadline = Some(Instant::now() + Duration::from_millis(500));
    runtime.failed_add = UNDO;
    let error = chain::add(&list, &id("c1"), &netns(), &runtime, &NoResults).unwrap_err();
    let log = fs::read_to_string(log).unwrap();
    fs::remove_dir_all(dir).unwrap();
    assert_eq!(Error::from(error).code, Code::TRY_AGAIN);
    assert_eq!(log, "ADD\nDEL\n");
}

#[test]
fn del_stops_at_the_first_failure_and_keeps_the_result() {
    let (error, calls) = every_way(|stage| {
        let list = stage.list("1.1.0", &[step("a", &[]), step("b", &["DEL"]), step("c", &[])]);
        add(stage, &list).unwrap();
        let error = del(stage, &list).unwrap_err();
        assert_eq!(stage.kept.list(&list).unwrap().len(), 1);
        error
    });
    assert_eq!(error, Error::new(Code(100), failed("DEL", "b")).with_details("d"));
    assert_eq!(order(&calls)[3..], ["DEL 2", "DEL 1"]);
}

#[test]
fn del_goes_on_after_failures_on_request_and_keeps_the_result_until_it_succeeds() {
    let (error, calls) = every_way(|stage| {
        let failing = stage.list(
            "1.1.0",
            &[step("a", &["DEL"]), step("b", &[]), step("c", &["DEL"])],
        );
        add(stage, &failing).unwrap();
        let error = del_with(stage, &failing, FailedDel::GoOn).unwrap_err();
        let mended = stage.list("1.1.0", &[step("a", &[])]);
        del(stage, &mended).unwrap();
        del(stage, &mended).unwrap();
        error
    });
    let each = [failed("DEL", "c"), failed("DEL", "a")].map(|msg| msg + "; d");
    assert_eq!(error, Error::new(Code(100), each.join(" / ")));
    assert_eq!(order(&calls)[3..], ["DEL 2", "DEL 1", "DEL 0", "DEL 0", "DEL 0"]);
    let all = some("a b c");
    assert_eq!(
        prevs(&calls)[3..],
        [all.clone(), all.clone(), all.clone(), all, None]
    );
}

#[test]
fn several_failures_are_all_told() {
    let result = |action| ChainError::Results {
        action,
        error: ResultsError("no space left".into()),
    };
    let several = ChainError::Several(vec![result("read"), result("remove")]);
    let told = "read results: no space left / remove results: no space left";
    assert_eq!(several.to_string(), told);
}

/// A place that keeps nothing and says so.
struct Broken;

fn broken<T>() -> Result<T, ResultsError> {
    Err(ResultsError("no space left".into()))
}

impl Results for Broken {
    fn put(&self, _: &ConfList, _: &KeptAttachment) -> Result<(), ResultsError> {
        broken()
    }
    fn get(&self, _: &ConfList, _: &AttachmentId) -> Result<Option<KeptAttachment>, ResultsError> {
        broken()
    }
    fn remove(&self, _: &ConfList, _: &AttachmentId) -> Result<(), ResultsError> {
        broken()
    }
    fn list(&self, _: &ConfList) -> Result<Vec<KeptAttachment>, ResultsError> {
        broken()
    }
}

#[test]
fn results_that_cannot_be_kept_are_failures_but_keep_no_plugin_from_del() {
    let (errors, calls) = every_way(|stage| {
        let list = stage.list("1.1.0", &[step("a", &[])]);
        let (id, netns, valid) = (id("c1"), netns(), BTreeSet::new());
        let added = chain::add(&list, &id, &netns, &stage.runtime, &Broken).map(drop);
        let deleted = chain::del(&list, &id, None, &stage.runtime, &Broken);
        let collected = chain::gc(&list, Some(&valid), &stage.runtime, &Broken);
        [wire(added), wire(deleted), wire(collected)].map(|outcome| outcome.unwrap_err().to_string())
    });
    assert_eq!(
        errors,
        [
            "write results; no space left",
            "remove results; no space left",
            "list results; no space left"
        ]
    );
    assert_eq!(order(&calls), ["ADD 0", "DEL 0", "GC 0"]);
    assert_eq!(calls[1]["netns"], Value::Null);
}
