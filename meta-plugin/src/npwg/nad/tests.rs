use super::*;

/// `namespace/name=network:types` of each definition in `text`, or what is wrong with it.
fn read(text: &[u8]) -> Result<Vec<Result<String, NadError>>, ManifestError> {
    Ok(parse(text)?
        .into_iter()
        .map(|nad| nad.and_then(|nad| summary(&nad)))
        .collect())
}

fn summary(nad: &Nad) -> Result<String, NadError> {
    let conf = match nad.inline()? {
        None => "on disk".to_owned(),
        Some(list) => {
            let types: Vec<_> = list.plugins().map(|p| p.kind.to_string()).collect();
            format!("{}:{}", list.name, types.join("+"))
        }
    };
    let resource = nad
        .resource_name
        .as_deref()
        .map(|r| format!(" {r}"))
        .unwrap_or_default();
    Ok(format!("{}={conf}{resource}", nad.reference))
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let got: Result<Vec<_>, _> = read(text.as_bytes()).unwrap().into_iter().collect();
    assert_eq!(got.unwrap(), expected, "{text}");
}

/// The documentation's own example of a definition, in its style.
const MACVLAN: &str = r#"apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: macvlan-conf
  annotations:
    k8s.v1.cni.cncf.io/resourceName: example.org/nic
spec:
  config: '{
      "cniVersion": "0.3.0",
      "type": "macvlan",
      "master": "eth0",
      "mode": "bridge",
      "ipam": {
        "type": "host-local",
        "subnet": "192.168.1.0/24",
        "routes": [ { "dst": "0.0.0.0/0" } ]
      }
    }'
"#;

#[test]
fn n01_a_configuration_without_a_name_gets_the_definitions() {
    check(
        MACVLAN,
        &["default/macvlan-conf=macvlan-conf:macvlan example.org/nic"],
    );
    let with = |config: &str| {
        format!(
            "kind: NetworkAttachmentDefinition\nmetadata: {{name: n, namespace: ns}}\nspec:\n  config: |\n    {config}\n"
        )
    };
    check(&with(r#"{"type":"a","name":""}"#), &["ns/n=n:a"]);
    check(&with(r#"{"type":"a","name":"own"}"#), &["ns/n=own:a"]);
    check(
        &with(r#"{"plugins":[{"type":"a"},{"type":"b"}]}"#),
        &["ns/n=n:a+b"],
    );
}

#[test]
fn n02_no_configuration_means_the_one_on_disk() {
    for spec in ["{}", "{config: }", "{config: ''}", "{config: ' '}"] {
        check(
            &format!("kind: NetworkAttachmentDefinition\nmetadata: {{name: n}}\nspec: {spec}"),
            &["default/n=on disk"],
        );
    }
    check(
        "kind: NetworkAttachmentDefinition\nmetadata: {name: n}",
        &["default/n=on disk"],
    );
}

#[test]
fn json_several_documents_and_other_kinds_are_taken() {
    check(
        r#"{"kind":"NetworkAttachmentDefinition","metadata":{"name":"n"},"spec":{"config":"{\"type\":\"a\"}"}}"#,
        &["default/n=n:a"],
    );
    check(
        &format!("kind: Namespace\nmetadata: {{name: x}}\n---\n{MACVLAN}---\n{MACVLAN}"),
        &["default/macvlan-conf=macvlan-conf:macvlan example.org/nic"; 2],
    );
}

#[test]
fn what_is_wrong_with_a_definition_is_said() {
    for (metadata, spec, expected) in [
        ("{}", "{}", "network name \"\" is empty"),
        ("{name: A}", "{}", "network name \"A\""),
        ("{name: a, namespace: b.c}", "{}", "namespace \"b.c\""),
        ("{name: a}", "{config: {type: a}}", "a mapping"),
        ("{name: a}", "{config: 5}", "another scalar"),
        ("{name: a}", "{config: 'x'}", "spec.config"),
        ("{name: a}", "{config: '[]'}", "spec.config"),
        ("{name: a}", "{config: '{}'}", "missing 'type'"),
        (
            "{name: a}",
            "{config: '{\"name\":5,\"type\":\"a\"}'}",
            "key \"name\"",
        ),
        ("{name: a}", "{config: '{\"plugins\":[]}'}", "no plugins"),
        ("{name: a}", "{config: '{\"plugins\":5}'}", "key \"plugins\""),
    ] {
        let text = format!("kind: NetworkAttachmentDefinition\nmetadata: {metadata}\nspec: {spec}");
        let errors: Vec<_> = read(text.as_bytes())
            .unwrap()
            .into_iter()
            .filter_map(Result::err)
            .collect();
        let said = match &errors[..] {
            [error] => {
                cni_core::spec::Error::from_source(cni_core::spec::Code::INVALID_CONFIG, error).to_string()
            }
            _ => panic!("{text}: {errors:?}"),
        };
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn a_definition_cut_anywhere_is_read_or_refused() {
    let json = r#"{"kind":"NetworkAttachmentDefinition","metadata":{"name":"n"},"spec":{"config":"{\"plugins\":[{\"type\":\"a\"}]}"}}"#;
    for text in [MACVLAN.as_bytes(), json.as_bytes()] {
        for cut in 0..text.len() {
            let _ = read(&text[..cut]);
            let _ = read(&text[cut..]);
        }
    }
}
