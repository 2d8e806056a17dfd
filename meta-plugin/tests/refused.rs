//! What plexus refuses before it does anything: each with the code and words of `docs/errors.md`, naming the
//! value, and with nothing left. A row of that table about configuration, pods or plan that nothing here
//! provokes is found.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cni_core::testkit::Invocation;
use plexus::cni::Meta;
use plexus::npwg::{DEFAULT_NETWORK, NETWORKS};
use serde_json::{Value, json};

/// One call: what differs from a good one, and how it is refused.
struct Case {
    /// Goes over the keys of the entry; `DIR` stands for a directory.
    entry: Value,
    args: String,
    /// Annotations of the pod `default/p`: networks, default network.
    networks: &'static str,
    default: &'static str,
    code: u32,
    /// How the message begins.
    begins: &'static str,
    /// The value that the error names.
    names: &'static str,
}

/// `CNI_ARGS` as the kubelet writes them for a pod of `default`.
fn kubelets(pod: &str) -> String {
    format!("IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod}")
}

fn refused(code: u32, begins: &'static str, names: &'static str) -> Case {
    Case {
        entry: json!({}),
        args: kubelets("p"),
        networks: "",
        default: "",
        code,
        begins,
        names,
    }
}

impl Case {
    fn entry(self, entry: Value) -> Self {
        Self { entry, ..self }
    }

    fn pod(self, pod: &str) -> Self {
        let args = kubelets(pod);
        Self { args, ..self }
    }

    fn networks(self, networks: &'static str) -> Self {
        Self { networks, ..self }
    }

    fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }
}

fn entries() -> Vec<Case> {
    vec![
        refused(2, r#"unknown key "nad", the nearest is "nads""#, "nad").entry(json!({"nad": "/x"})),
        refused(2, r#"key "socket" has no effect in mode "standalone""#, "socket")
            .entry(json!({"socket": "/x"})),
        refused(7, r#"key "mode" is missing"#, "mode").entry(json!({"mode": null})),
        refused(7, r#"key "mode" holds "other""#, "other").entry(json!({"mode": "other"})),
        refused(
            7,
            r#"keys "clusterNetwork" and "delegates" exclude each other"#,
            "delegates",
        )
        .entry(json!({"delegates": [{"name": "d", "type": "loopback"}]})),
        refused(7, r#"load cluster network "DIR/nowhere""#, "nowhere")
            .entry(json!({"clusterNetwork": "DIR/nowhere"})),
        refused(4, "read CNI_ARGS", "a/b").pod("a/b"),
        refused(
            11,
            r#"find pod "default/q": it has no file in "DIR/pods""#,
            "default/q",
        )
        .pod("q"),
        refused(7, r#"read "DIR/pods/default/damaged.yaml""#, "damaged").pod("damaged"),
        refused(
            7,
            r#""DIR/pods/default/two.yaml" does not hold exactly one object of kind "Pod""#,
            "two.yaml",
        )
        .pod("two"),
        refused(
            7,
            r#"metadata of the pod in "DIR/pods/default/badly.yaml""#,
            "badly.yaml",
        )
        .pod("badly"),
        refused(
            7,
            r#""DIR/pods/default/other.yaml" describes pod "default/another""#,
            "default/another",
        )
        .pod("other"),
        refused(11, r#"pod "default/p" is gone"#, "new-uid").pod("p;K8S_POD_UID=new-uid"),
        refused(
            2,
            r#"the runtime's "runtimeConfig": no plugin of network "kube-system/cluster" declares capability "portMappings""#,
            "portMappings",
        )
        .entry(json!({"runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]}})),
        refused(11, "daemon mode is not in this version", "daemon").entry(
            json!({"mode": "daemon", "clusterNetwork": null, "nads": null, "pods": null, "stateDir": null}),
        ),
    ]
}

fn annotations() -> Vec<Case> {
    vec![
        refused(2, r#"element 1 of annotation "k8s.v1.cni.cncf.io/networks": no plugin of network "default/lan" declares capability "mac""#, "mac")
            .networks(r#"[{"name": "lan", "mac": "02:00:00:00:00:01"}]"#),
        refused(7, r#"read annotation "k8s.v1.cni.cncf.io/networks" of pod "default/p""#, r#""zz""#).networks(r#"[{"name": "lan", "mac": "zz"}]"#),
        refused(7, r#"element 2 of annotation "k8s.v1.cni.cncf.io/networks": interface "a" is taken by element 1"#, "a").networks("lan@a,lan@a"),
        refused(7, r#"element 1 of annotation "#, "both have key \"default-route\"")
            .networks(r#"[{"name": "lan", "default-route": ["10.0.0.1"]}]"#)
            .default(r#"[{"name": "lan", "namespace": "default", "default-route": ["10.0.0.1"]}]"#),
        refused(7, r#"element 1 of annotation "k8s.v1.cni.cncf.io/networks": put cni-args into plugin "loopback" of network "default/odd""#, "odd")
            .networks(r#"[{"name": "odd", "cni-args": {"a": 1}}]"#),
        refused(7, r#"element 1 of annotation "k8s.v1.cni.cncf.io/networks": network "default/self" runs plugin "plexus", which attaches networks itself"#, "self").networks("self"),
        refused(7, r#"annotation "v1.multus-cni.io/default-network" selects 2 networks, not one"#, "2").default("default/lan,default/lan"),
        refused(7, r#"element 1 of annotation "v1.multus-cni.io/default-network": the default network's interface is "eth0", not "x""#, "x").default("default/lan@x"),
        refused(170, r#"element 1 of annotation "k8s.v1.cni.cncf.io/networks": find network "default/nobody""#, "nobody").networks("nobody"),
        refused(171, r#"element 1 of annotation "k8s.v1.cni.cncf.io/networks": network "far/lan" is of another namespace than pod "default/p" (namespaceIsolation)"#, "far/lan")
            .networks("far/lan"),
    ]
}

fn write(dir: &Path, file: &str, object: &Value) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, object.to_string()).unwrap();
}

fn nad(dir: &Path, namespace: &str, name: &str, plugin: &Value) {
    let config = json!({"cniVersion": "1.0.0", "plugins": [plugin]});
    let metadata = json!({"name": name, "namespace": namespace});
    let object = json!({"kind": "NetworkAttachmentDefinition", "metadata": metadata, "spec": {"config": config.to_string()}});
    write(dir, &format!("nads/{namespace}-{name}.yaml"), &object);
}

/// Definitions, pods and a policy, for the pod of `case`.
fn prepare(dir: &Path, case: &Case) {
    nad(dir, "kube-system", "cluster", &json!({"type": "loopback"}));
    nad(dir, "default", "lan", &json!({"type": "loopback"}));
    nad(dir, "far", "lan", &json!({"type": "loopback"}));
    nad(dir, "default", "odd", &json!({"type": "loopback", "args": 1}));
    nad(dir, "default", "self", &json!({"type": "plexus"}));
    let mut annotations = serde_json::Map::new();
    for (key, text) in [(NETWORKS, case.networks), (DEFAULT_NETWORK, case.default)] {
        annotations.extend((!text.is_empty()).then(|| (key.to_owned(), json!(text))));
    }
    let pod = |metadata: Value| json!({"kind": "Pod", "metadata": metadata});
    let uid = json!({"name": "p", "namespace": "default", "uid": "old-uid", "annotations": annotations});
    write(dir, "pods/default/p.yaml", &pod(uid));
    write(dir, "pods/default/two.yaml", &json!({"kind": "Other"}));
    write(
        dir,
        "pods/default/badly.yaml",
        &pod(json!({"name": "A_b", "namespace": "default"})),
    );
    write(
        dir,
        "pods/default/other.yaml",
        &pod(json!({"name": "another", "namespace": "default"})),
    );
    fs::write(dir.join("pods/default/damaged.yaml"), "{").unwrap();
    write(dir, "config.json", &json!({"namespaceIsolation": true}));
}

/// Runs ADD; the code and the whole message.
fn add(dir: &Path, case: &Case) -> (u32, String, String) {
    prepare(dir, case);
    let mut entry = json!({"cniVersion": "1.0.0", "name": "pods", "type": "plexus", "mode": "standalone", "clusterNetwork": "cluster",
        "nads": dir.join("nads"), "pods": dir.join("pods"), "stateDir": dir.join("state")});
    for (key, value) in case.entry.as_object().unwrap() {
        if value.is_null() {
            entry.as_object_mut().unwrap().remove(key);
        } else {
            let value = value.to_string().replace("DIR", dir.to_str().unwrap());
            entry[key] = serde_json::from_str(&value).unwrap();
        }
    }
    let mut meta = Meta::new();
    meta.policy = dir.join("config.json");
    let outcome = Invocation::new("ADD")
        .with_env("CNI_ARGS", &case.args)
        .run(&meta, entry.to_string());
    let error = outcome.result().expect_err("it was to be refused");
    let plain = |text: &str| text.replace(dir.to_str().unwrap(), "DIR");
    (error.code.0, plain(&error.msg), plain(&error.details))
}

/// The beginnings of messages in the rows of `docs/errors.md` that are about `places`, with their codes.
fn rows(places: &[&str]) -> Vec<(u32, String)> {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    let mut rows = Vec::new();
    for line in fs::read_to_string(table).unwrap().lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, code, place, messages, ..] = &cells[..] else {
            continue;
        };
        if let (Ok(code), true) = (code.parse(), places.contains(place)) {
            let quoted = messages.split('`').skip(1).step_by(2);
            rows.extend(quoted.map(|message| (code, message.to_owned())));
        }
    }
    rows
}

/// Whether `text` begins as `row` says, where a word in capitals stands for anything.
fn begins(text: &str, row: &str) -> bool {
    let place = |word: &str| word.bytes().all(|b| b.is_ascii_uppercase());
    let mut rest = text;
    for (at, word) in row
        .split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .enumerate()
    {
        let (name, end) = word.split_at(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len());
        let literal = if !name.is_empty() && place(name) {
            end
        } else {
            word
        };
        let Some(found) = rest.find(literal) else {
            return false;
        };
        if literal == word && found != 0 && at == 0 {
            return false;
        }
        rest = &rest[found + literal.len()..];
    }
    true
}

#[test]
fn what_is_refused_has_the_code_and_words_of_the_table_and_leaves_nothing() {
    let mut said = BTreeSet::new();
    for case in entries().into_iter().chain(annotations()) {
        let dir = tempfile::tempdir().unwrap();
        let (code, msg, details) = add(dir.path(), &case);
        let whole = format!("{msg}; {details}");
        assert!(
            code == case.code && msg.starts_with(case.begins),
            "code {code} {whole}, not {} {}",
            case.code,
            case.begins
        );
        assert!(whole.contains(case.names), "{whole} does not name {}", case.names);
        assert!(
            !dir.path().join("state/attachments").exists(),
            "{whole}: something is left"
        );
        said.insert((code, msg));
    }
    for (code, row) in rows(&["plexus, plan", "plexus, configuration", "plexus, pods"]) {
        // The policy's own file is read before anything else.
        let shown = said.iter().any(|(c, msg)| *c == code && begins(msg, &row));
        assert!(
            shown || (code, &*row) == (5, r#"read "PATH""#),
            "nothing provokes {code} {row}"
        );
    }
}
