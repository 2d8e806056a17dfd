//! The contract of the skeleton: what goes in by environment and stdin, and what comes out.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod delegates;
mod host;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use cni_core::testkit::{Invocation, Scripted};
use host::{CONF, answers, call, fails, fails_with_code, lines, only, tempfile};
use serde_json::{Value, json};

#[test]
fn every_verb_answers_what_the_specification_says() {
    let result = |version| format!(r#"{{"cniVersion":"{version}"}}"#);
    answers(&call("ADD", &[], CONF), &result("1.1.0"));
    answers(
        &call("ADD", &[], &CONF.replace("1.1.0", "0.3.1")),
        r#"{"cniVersion":"0.3.1","dns":{}}"#,
    );
    for verb in ["DEL", "CHECK", "GC", "STATUS"] {
        answers(&call(verb, &[], CONF), "");
    }
}

#[test]
fn without_a_command_it_says_what_it_is() {
    let out = Invocation::empty().run(&Scripted, "");
    assert!(out.succeeded() && out.stdout.is_empty());
    assert!(out.stderr.starts_with("CNI scripted plugin "), "{out:?}");
    assert!(
        out.stderr
            .ends_with("CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n")
    );
}

#[test]
fn missing_variables_are_named_together() {
    for (verb, missing) in [
        ("ADD", "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH"),
        ("CHECK", "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH"),
        ("DEL", "CNI_CONTAINERID,CNI_IFNAME,CNI_PATH"),
        ("GC", "CNI_PATH"),
        ("STATUS", "CNI_PATH"),
    ] {
        let out = only(&[("CNI_COMMAND", verb), ("CNI_IFNAME", "")]).run(&Scripted, "x");
        fails(
            &out,
            4,
            &format!("required env variables [{missing}] missing"),
            "",
        );
    }
}

#[test]
fn invalid_variables_are_refused_before_missing_ones_are() {
    let bad_id = [
        ("CNI_COMMAND", "ADD"),
        ("CNI_CONTAINERID", "a/b"),
        ("CNI_IFNAME", "a/b"),
    ];
    let rule = "is not an alphanumeric followed by alphanumerics, '_', '.' or '-'";
    fails(
        &only(&bad_id).run(&Scripted, "x"),
        4,
        "invalid CNI_CONTAINERID",
        &format!("container id \"a/b\" {rule}"),
    );
    let out = call("DEL", &[("CNI_IFNAME", "a:b"), ("CNI_PATH", "")], "x");
    fails(
        &out,
        4,
        "invalid CNI_IFNAME",
        "interface name \"a:b\" contains '/', ':', '%' or white space",
    );
    // Not needed, so not looked at.
    answers(
        &call(
            "STATUS",
            &[("CNI_CONTAINERID", "a/b"), ("CNI_IFNAME", "..")],
            CONF,
        ),
        "",
    );
}

#[test]
fn the_configuration_is_checked_before_the_verb() {
    for verb in ["ADD", "NONSENSE"] {
        let code = |stdin: &str| {
            serde_json::from_str::<Value>(&call(verb, &[], stdin).stdout).unwrap()["code"].clone()
        };
        for undecodable in ["", "x", "[]", r#"{"name":1}"#, r#"{"name":"n"}x"#] {
            assert_eq!(code(undecodable), 6, "{undecodable}");
        }
        fails(&call(verb, &[], "{}"), 7, "missing network name", "");
        fails(&call(verb, &[], r#"{"name":""}"#), 7, "missing network name", "");
        let named = call(verb, &[], r#"{"name":"a b"}"#);
        fails_with_code(&named, 7);
        assert!(named.stdout.contains(r#""invalid network name""#), "{named:?}");
    }
    fails(
        &call("NONSENSE", &[], CONF),
        4,
        "unknown CNI_COMMAND: NONSENSE",
        "",
    );
    fails(
        &call("NONSENSE", &[], r#"{"name":"n","cniVersion":"9.9.9"}"#),
        4,
        "unknown CNI_COMMAND: NONSENSE",
        "",
    );
}

#[test]
fn versions_match_by_text() {
    let conf = |version: &str| format!(r#"{{"name":"n","cniVersion":{version}}}"#);
    let list = r#"["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]"#;
    for version in ["1.0", "9.9.9", "x", "v1.0.0"] {
        let details = format!("config is {version:?}, plugin supports {list}");
        fails(
            &call("ADD", &[], &conf(&json!(version).to_string())),
            1,
            "incompatible CNI versions",
            &details,
        );
    }
    for absent in [r#"{"name":"n"}"#.to_owned(), conf(r#""""#), conf("null")] {
        answers(&call("ADD", &[], &absent), r#"{"cniVersion":"0.1.0","dns":{}}"#);
    }
    fails_with_code(&call("ADD", &[], &conf("1")), 6);
    let endless = json!("1".repeat(100_000)).to_string();
    for verb in ["ADD", "CHECK"] {
        assert!(call(verb, &[], &conf(&endless)).stdout.len() < 1000, "{verb}");
    }
}

#[test]
fn verbs_are_refused_below_the_version_that_has_them() {
    let conf = |version: &str| format!(r#"{{"name":"n","cniVersion":"{version}"}}"#);
    for (verb, below, first) in [
        ("CHECK", "0.3.1", "0.4.0"),
        ("GC", "1.0.0", "1.1.0"),
        ("STATUS", "1.0.0", "1.1.0"),
    ] {
        let refused = |who: &str| format!("{who} version does not allow {verb}");
        fails(&call(verb, &[], &conf(below)), 1, &refused("config"), "");
        fails(&call(verb, &[], r#"{"name":"n"}"#), 1, &refused("config"), "");
        answers(&call(verb, &[], &conf(first)), "");
        fails(&call(verb, &[], &conf("9.9.9")), 1, &refused("plugin"), "");
        fails(
            &call(verb, &[], &conf("x")),
            6,
            "cniVersion \"x\" is not a version",
            "",
        );
    }
    let out = call("CHECK", &[], &conf("1.0"));
    fails_with_code(&out, 1);
    assert!(out.stdout.contains("incompatible CNI versions"));
}

#[test]
fn version_echoes_the_version_of_the_question() {
    let answer = |version| {
        let all = r#"["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]"#;
        format!("{{\"cniVersion\":\"{version}\",\"supportedVersions\":{all}}}\n")
    };
    for (stdin, version) in [
        (r#"{"cniVersion":"0.4.0"}"#, "0.4.0"),
        (r#"{"cniVersion":"2.0.0"}"#, "2.0.0"),
        ("", "1.1.0"),
        ("garbage", "1.1.0"),
        (r#"{"cniVersion":7}"#, "1.1.0"),
    ] {
        answers(
            &only(&[("CNI_COMMAND", "VERSION")]).run(&Scripted, stdin),
            &answer(version),
        );
    }
}

#[test]
fn the_plugins_own_namespace_is_refused_before_the_work() {
    let log = tempfile("own-netns");
    let conf = json!({ "name": "n", "cniVersion": "1.1.0", "log": log }).to_string();
    for path in ["/proc/self/ns/net", "/proc/thread-self/ns/net"] {
        for verb in ["ADD", "DEL", "CHECK"] {
            let msg = format!("CNI_NETNS \"{path}\" is the network namespace of the plugin itself");
            fails(&call(verb, &[("CNI_NETNS", path)], &conf), 8, &msg, "");
        }
        assert!(!log.exists());
        for allowed in ["1", "true", "TRUE"] {
            let out = call(
                "DEL",
                &[("CNI_NETNS", path), ("CNI_NETNS_OVERRIDE", allowed)],
                &conf,
            );
            answers(&out, "");
        }
        std::fs::remove_file(&log).unwrap();
    }
    answers(&call("STATUS", &[("CNI_NETNS", "/proc/self/ns/net")], CONF), "");
    answers(&call("DEL", &[("CNI_NETNS", "")], CONF), "");
    answers(&call("DEL", &[("CNI_NETNS", "/nowhere/ns")], CONF), "");
}

#[test]
fn a_configuration_that_does_not_fit_the_plugin_is_invalid() {
    let out = call("ADD", &[], r#"{"name":"n","cniVersion":"1.1.0","interface":7}"#);
    fails_with_code(&out, 7);
    assert!(
        out.stdout.contains("load netconf") && out.stdout.contains("expected a string"),
        "{out:?}"
    );
}

#[test]
fn the_previous_result_is_read_in_the_version_of_the_configuration() {
    let conf = |prev: &str| format!(r#"{{"name":"n","cniVersion":"0.4.0","prevResult":{prev}}}"#);
    let with_interface = r#"{"cniVersion":"0.4.0","interfaces":[{"name":"a"}],"dns":{}}"#;
    answers(
        &call("ADD", &[], &conf(r#"{"interfaces":[{"name":"a"}]}"#)),
        with_interface,
    );
    answers(
        &call("ADD", &[], &conf("null")),
        r#"{"cniVersion":"0.4.0","dns":{}}"#,
    );
    for bad in ["[]", r#"{"interfaces":1}"#, r#"{"cniVersion":"1.0.0"}"#] {
        let out = call("ADD", &[], &conf(bad));
        fails_with_code(&out, 6);
        assert!(out.stdout.contains(r#""decode prevResult""#), "{out:?}");
        answers(&call("DEL", &[], &conf(bad)), "");
    }
}

#[test]
fn an_error_of_the_plugin_goes_out_as_it_is() {
    let fail = json!({ "ADD": { "code": 111, "msg": "do it", "details": "why" } });
    let conf = json!({ "name": "n", "cniVersion": "0.4.0", "fail": fail }).to_string();
    let out = call("ADD", &[], &conf);
    assert_eq!(
        out.stdout,
        r#"{"cniVersion":"0.4.0","code":111,"msg":"do it","details":"why"}"#
    );
    assert!(!out.succeeded());
}

#[test]
fn a_panic_is_an_error() {
    let conf = r#"{"name":"n","cniVersion":"1.1.0","panic":"ADD"}"#;
    fails(
        &call("ADD", &[], conf),
        199,
        "plugin \"scripted\" panicked",
        "as the configuration says",
    );
}

#[test]
fn a_result_that_the_version_cannot_say_is_undone() {
    let log = tempfile("undone");
    let conf = json!({ "name": "n", "cniVersion": "0.2.0", "interface": "eth0", "log": log }).to_string();
    let out = call("ADD", &[], &conf);
    fails(&out, 1, "cannot convert: no valid IP addresses", "");
    let verbs: Vec<Value> = lines(&log).iter().map(|line| line["verb"].clone()).collect();
    assert_eq!(verbs, ["ADD", "DEL"].repeat(3), "in each way");
    std::fs::remove_file(log).unwrap();
}

#[test]
fn bad_arguments_keep_add_but_not_del_from_going_on() {
    let args = [("CNI_ARGS", "A")];
    fails(
        &call("ADD", &args, CONF),
        4,
        "invalid CNI_ARGS",
        "CNI_ARGS: invalid pair \"A\"",
    );
    answers(&call("DEL", &args, CONF), "");
}

#[test]
fn gc_tells_an_unknown_list_from_an_empty_one() {
    let log = tempfile("gc");
    let valid = |keys: Value| {
        let mut conf = json!({ "name": "n", "cniVersion": "1.1.0", "log": log });
        conf.as_object_mut()
            .unwrap()
            .extend(keys.as_object().unwrap().clone());
        answers(&call("GC", &[], &conf.to_string()), "");
        lines(&log).pop().unwrap()["valid"].clone()
    };
    let one = json!([{ "containerID": "c", "ifname": "eth0" }]);
    assert_eq!(valid(json!({})), Value::Null);
    assert_eq!(valid(json!({ "cni.dev/valid-attachments": null })), json!([]));
    assert_eq!(valid(json!({ "cni.dev/valid-attachments": [] })), json!([]));
    assert_eq!(valid(json!({ "cni.dev/valid-attachments": one })), one);
    assert_eq!(valid(json!({ "cni.dev/attachments": one })), one);
    let unreadable = r#"{"name":"n","cniVersion":"1.1.0","cni.dev/valid-attachments":[{"containerID":"/"}]}"#;
    fails_with_code(&call("GC", &[], unreadable), 6);
    std::fs::remove_file(log).unwrap();
}

#[test]
fn a_name_that_is_not_utf_8_is_not_replaced_by_another() {
    for name in ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_ARGS"] {
        let bytes = OsStr::from_bytes(b"a=\xff");
        let out = Invocation::new("ADD").with_env(name, bytes).run(&Scripted, CONF);
        fails(&out, 4, &format!("invalid {name}"), "\"a=\\xFF\" is not UTF-8");
    }
}

#[test]
fn input_that_is_cut_off_is_refused() {
    let prev = r#"{"interfaces":[{"name":"é"}],"ips":[{"address":"10.0.0.1/8"}]}"#;
    let conf = format!(r#"{{"cniVersion":"1.1.0","name":"n","prevResult":{prev},"x":[1.5e3,null]}}"#);
    for verb in ["ADD", "DEL", "CHECK", "GC", "STATUS", "NONSENSE"] {
        for end in 0..conf.len() {
            fails_with_code(&Invocation::new(verb).run(&Scripted, &conf.as_bytes()[..end]), 6);
        }
    }
}
