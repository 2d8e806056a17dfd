//! What happens before a plugin does anything: our plugins and the reference's answer the same to every
//! environment and input, but for what `docs/errors.md` lists as deliberate.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

use cni_core::testkit::{Invocation, Outcome};
use plexus_tests::pod::Pod;
use plexus_tests::{peers, plugins};
use serde_json::{Value, json};

const VERBS: &[&str] = &["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION", "NONSENSE"];

/// One plugin of ours and of the reference's, each with a container of its own.
struct Pair {
    plugin: &'static str,
    ifname: &'static str,
    pods: [Pod; 2],
}

/// A call: variables that differ from a complete environment (`None` is unset), and stdin.
struct Call<'a> {
    verb: &'a str,
    changed: &'a [(&'a str, Option<&'a [u8]>)],
    stdin: &'a [u8],
}

fn pair(plugin: &'static str, ifname: &'static str) -> Pair {
    let pods = [Pod::new(), Pod::new()];
    Pair { plugin, ifname, pods }
}

fn loopback() -> Pair {
    pair("loopback", "lo")
}

impl Pair {
    /// A configuration that the plugin takes.
    fn conf(&self, version: &str) -> String {
        json!({"cniVersion": version, "name": "skel", "type": self.plugin, "bridge": "skel0"}).to_string()
    }

    /// What ours and theirs make of a call.
    fn outcomes(&self, call: &Call<'_>) -> [String; 2] {
        let run = |bin: &Path, pod: &Pod| {
            let outcome = outcome(&self.run(bin, pod, call));
            if outcome == "result" {
                self.run(bin, pod, &Call { verb: "DEL", ..*call });
            }
            outcome
        };
        let [our_pod, their_pod] = &self.pods;
        [run(plugins(), our_pod), run(&peers(), their_pod)]
    }

    /// Both must make the same of a call; what a plugin itself refuses, theirs with 999, ours must refuse too.
    #[track_caller]
    fn same(&self, verb: &str, changed: &[(&str, Option<&[u8]>)], stdin: &[u8]) {
        let [ours, theirs] = self.outcomes(&Call { verb, changed, stdin });
        let both_refuse = theirs == "error 999" && ours.starts_with("error ");
        let stdin = String::from_utf8_lossy(stdin);
        assert!(
            both_refuse || ours == theirs,
            "{} {verb} {changed:?} {stdin}: ours {ours}, theirs {theirs}",
            self.plugin
        );
    }

    /// A difference that is meant.
    #[track_caller]
    fn differ(&self, verb: &str, changed: &[(&str, &[u8])], stdin: &[u8], expected: [&str; 2]) {
        let changed: Vec<_> = changed
            .iter()
            .map(|(name, value)| (*name, Some(*value)))
            .collect();
        let outcomes = self.outcomes(&Call {
            verb,
            changed: &changed,
            stdin,
        });
        let stdin = String::from_utf8_lossy(stdin);
        let stdin: String = stdin.chars().take(80).collect();
        assert_eq!(outcomes, expected, "{} {verb} {changed:?} {stdin}", self.plugin);
    }

    fn run(&self, bin: &Path, pod: &Pod, call: &Call<'_>) -> Outcome {
        let mut invocation = Invocation::new(call.verb)
            .with_env("CNI_NETNS", pod.path())
            .with_env("CNI_IFNAME", self.ifname)
            .with_env("CNI_PATH", bin);
        for (name, value) in call.changed {
            invocation = match value {
                Some(value) => invocation.with_env(name, OsStr::from_bytes(value)),
                None => invocation.without_env(name),
            };
        }
        invocation.exec(&bin.join(self.plugin), call.stdin).unwrap()
    }
}

/// Success, or the code; with the message where it is the reference's word for word.
fn outcome(output: &Outcome) -> String {
    let json: Option<Value> = serde_json::from_str(&output.stdout).ok();
    match (output.exit, json) {
        (Some(0), None) if output.stdout.is_empty() => "nothing".to_owned(),
        (Some(0), Some(json)) => json
            .get("supportedVersions")
            .map_or_else(|| "result".to_owned(), Value::to_string),
        (Some(1), Some(json)) if json["code"].is_u64() => {
            let msg = json["msg"].as_str().unwrap_or_default();
            let fixed = [
                "required env",
                "unknown CNI",
                "incompatible",
                "config version",
                "plugin version",
            ];
            let msg = if fixed.iter().any(|start| msg.starts_with(start)) {
                msg
            } else {
                ""
            };
            format!("error {} {msg}", json["code"]).trim_end().to_owned()
        }
        _ => "no answer".to_owned(),
    }
}

#[test]
fn what_is_missing_is_reported_alike_and_in_the_same_order() {
    const GONE: &[&[&str]] = &[
        &[],
        &["CNI_CONTAINERID"],
        &["CNI_NETNS"],
        &["CNI_IFNAME"],
        &["CNI_PATH"],
        &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
    ];
    let empty: &[u8] = b"";
    for pair in [loopback(), pair("bridge", "skel1")] {
        let conf = pair.conf("1.1.0");
        for verb in [VERBS, &["", "add"]].concat() {
            for gone in GONE {
                for value in [None, Some(empty)] {
                    let changed: Vec<_> = gone.iter().map(|name| (*name, value)).collect();
                    for stdin in [conf.as_str(), "", "{}", "garbage"] {
                        pair.same(verb, &changed, stdin.as_bytes());
                    }
                }
            }
        }
    }
}

#[test]
fn values_of_variables_are_taken_and_refused_alike() {
    let pair = loopback();
    let cases: &[(&str, &[&str])] = &[
        (
            "CNI_CONTAINERID",
            &[
                "a", "-a", ".a", "_a", "a/b", "a b", " ", "é", "a\n", "../x", "a_b.c-d",
            ],
        ),
        (
            "CNI_IFNAME",
            &[
                ".",
                "..",
                "a/b",
                "a:b",
                "a b",
                "a\tb",
                "sixteen-bytes-xx",
                "a\u{2003}b",
            ],
        ),
        ("CNI_NETNS", &["", "/nowhere", "relative"]),
        ("CNI_ARGS", &["a=b", "IgnoreUnknown=1;a=b", "a=b;", ";", "a=b=c"]),
        ("CNI_PATH", &[":", "/nowhere", "relative"]),
    ];
    for (name, values) in cases {
        for value in *values {
            for verb in ["ADD", "DEL", "GC"] {
                pair.same(
                    verb,
                    &[(name, Some(value.as_bytes()))],
                    pair.conf("1.1.0").as_bytes(),
                );
            }
        }
    }
    for allowed in ["1", "true", "TRUE"] {
        let own = [
            ("CNI_NETNS", "/proc/self/ns/net"),
            ("CNI_NETNS_OVERRIDE", allowed),
        ];
        let own = own.map(|(name, value)| (name, Some(value.as_bytes())));
        pair.same("ADD", &own, pair.conf("1.1.0").as_bytes());
    }
}

#[test]
fn input_cut_off_anywhere_is_refused_alike() {
    let pair = loopback();
    let conf = r#"{"cniVersion":"1.1.0","name":"skel","type":"loopback","x":[1,{"a":null}]}"#;
    for verb in VERBS {
        for end in 0..conf.len() {
            pair.same(verb, &[], &conf.as_bytes()[..end]);
        }
    }
}

#[test]
fn versions_are_taken_and_refused_alike() {
    let pair = loopback();
    let texts = [
        "0.1.0",
        "0.2.0",
        "0.3.0",
        "0.3.1",
        "0.4.0",
        "1.0.0",
        "1.1.0",
        "0.5.0",
        "1.2.0",
        "2.0.0",
        "1",
        "1.0",
        "1.1",
        "v1.1.0",
        " 1.1.0",
        "1.1.0 ",
        "01.1.0",
        "+1.1.0",
        "1.1.x",
        "1.1.0-rc1",
        "1.1.0.0",
        "1.1.",
        ".",
        "",
        "x",
        "99999999999999999999.0.0",
    ];
    let texts = texts.map(|text| json!(text));
    let others = [
        json!(null),
        json!(1),
        json!(1.1),
        json!([]),
        json!({}),
        json!(true),
    ];
    for version in texts.iter().chain(&others) {
        let conf = json!({"cniVersion": version, "name": "skel", "type": "loopback"}).to_string();
        for verb in VERBS {
            pair.same(verb, &[], conf.as_bytes());
        }
    }
}

#[test]
fn documents_are_taken_and_refused_alike() {
    let pair = loopback();
    let names = [
        json!(""),
        json!(null),
        json!(1),
        json!([]),
        json!("a b"),
        json!("-a"),
        json!("é"),
        json!("a\0"),
    ];
    let named = names.map(|name| json!({"cniVersion": "1.1.0", "name": name}).to_string());
    let good = r#""cniVersion":"1.1.0","name":"skel""#;
    let documents = [
        "[]".to_owned(),
        "1".to_owned(),
        format!("{{{good}}} x"),
        format!("{{{good}}}\0"),
        format!("\u{feff}{{{good}}}"),
        format!(" \n\t{{{good}}}\n "),
        format!("{{{good},}}"),
        format!("{{{good},\"x\":01}}"),
        format!("{{{good},\"x\":\"a\nb\"}}"),
        format!("{{{good},\"x\":1e999,\"y\":123456789012345678901234567890}}"),
        // Of several spellings the last counts.
        format!("{{{good},\"NAME\":\"a/b\"}}"),
        format!("{{\"NAME\":\"a/b\",{good}}}"),
        format!("{{{good},\"CNIVERSION\":\"0.3.1\"}}"),
        format!("{{{good},\"x\":{}1{}}}", "[".repeat(9000), "]".repeat(9000)),
    ];
    for document in documents.iter().chain(&named) {
        for verb in VERBS {
            pair.same(verb, &[], document.as_bytes());
        }
    }
}

#[test]
fn version_is_answered_while_stdin_stays_open() {
    for bin in [plugins(), &peers()] {
        let mut command = Command::new(bin.join("bridge"));
        command.env_clear().env("CNI_COMMAND", "VERSION");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let open = child.stdin.take();
        let answer = child.wait_with_output().unwrap().stdout;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["supportedVersions"][0], "0.1.0");
        drop(open);
    }
}

#[test]
fn variables_that_we_refuse_and_they_do_not() {
    let pair = loopback();
    let conf = pair.conf("1.1.0");
    let long = "a".repeat(201);
    let cases: &[(&str, &str, &[u8], [&str; 2])] = &[
        ("ADD", "CNI_CONTAINERID", long.as_bytes(), ["error 4", "result"]),
        ("ADD", "CNI_ARGS", b"a", ["error 4", "result"]),
        ("ADD", "CNI_ARGS", b"a=\xff", ["error 4", "result"]),
        ("DEL", "CNI_ARGS", b"a", ["nothing", "nothing"]),
        ("DEL", "CNI_IFNAME", b"eth%d", ["error 4", "nothing"]),
        ("DEL", "CNI_IFNAME", b"a\xff", ["error 4", "nothing"]),
        ("DEL", "CNI_NETNS", b"/etc/passwd", ["nothing", "error 999"]),
        // Theirs changes the host first, and prints the result before the error.
        ("ADD", "CNI_NETNS", b"/proc/self/ns/net", ["error 8", "no answer"]),
        ("DEL", "CNI_NETNS", b"/proc/self/ns/net", ["error 8", "error 8"]),
    ];
    for (verb, name, value, expected) in cases {
        pair.differ(verb, &[(name, value)], conf.as_bytes(), *expected);
    }
}

#[test]
fn input_that_one_refuses_and_the_other_does_not() {
    let pair = loopback();
    let good = r#""cniVersion":"1.1.0","name":"skel""#;
    let with = |more: &str| format!("{{{good},{more}}}").into_bytes();
    let long = json!({"cniVersion": "1.1.0", "name": "a".repeat(201)}).to_string();
    let nested = format!("\"x\":{}1{}", "[".repeat(11_000), "]".repeat(11_000));
    let huge = format!("\"x\":\"{}\"", "a".repeat(17 << 20));
    let keys: Vec<String> = (0..70_000).map(|key| format!("\"{key}\":1")).collect();
    let cases: &[(&str, Vec<u8>, [&str; 2])] = &[
        ("ADD", b"null".into(), ["error 6", "error 7"]),
        ("ADD", long.into_bytes(), ["error 7", "result"]),
        (
            "ADD",
            [b"{\"x\":\"\xff\",", good.as_bytes(), b"}"].concat(),
            ["error 6", "result"],
        ),
        ("ADD", with(&nested), ["result", "error 6"]),
        ("ADD", with(&huge), ["error 6", "result"]),
        ("ADD", with(&keys.join(",")), ["error 6", "result"]),
        (
            "GC",
            with(r#""cni.dev/valid-attachments":[{}]"#),
            ["error 6", "nothing"],
        ),
    ];
    for (verb, stdin, expected) in cases {
        pair.differ(verb, &[], stdin, *expected);
    }
}
