use super::*;

#[track_caller]
fn check(name: &str, text: &str, expected: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    let problems = file(&path).problems;
    let said: Vec<String> = problems
        .iter()
        .map(|p| format!("{}: {}", p.place, p.what))
        .collect();
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn good_files_have_no_problems() {
    check("a.conflist", r#"{"name":"n","plugins":[{"type":"bridge"}]}"#, &[]);
    check("a.conf", r#"{"name":"n","type":"bridge"}"#, &[]);
    check("a.json", r#"{"name":"n","type":"bridge"}"#, &[]);
    check("config.json", "{}", &[]);
    check(
        "a.yaml",
        "kind: NetworkAttachmentDefinition\nmetadata: {name: a}\n---\nkind: Service\nmetadata: {name: A}",
        &[],
    );
    check(
        "p.yaml",
        "kind: Pod\nmetadata: {name: a, annotations: {k8s.v1.cni.cncf.io/networks: 'a@b'}}",
        &[],
    );
    check(
        "00-plexus.conflist",
        r#"{"name":"n","plugins":[{"type":"plexus","mode":"daemon"}]}"#,
        &[],
    );
}

#[test]
fn every_problem_is_said_with_its_place() {
    check("a.conflist", "{", &["configuration: load network configuration"]);
    check("a.conf", r#"{"name":"n"}"#, &["missing 'type'"]);
    check("a.json", r#"{"plugins":[]}"#, &["no plugins in list"]);
    check(
        "config.json",
        r#"{"externl":[]}"#,
        &[r#"policy: unknown key "externl", the nearest is "external""#],
    );
    check(
        "00-plexus.conflist",
        r#"{"name":"n","plugins":[{"type":"plexus","mod":"daemon"}]}"#,
        &["plugin 0: unknown key"],
    );
    check(
        "a.yaml",
        "kind: NetworkAttachmentDefinition\nmetadata: {name: A}\n---\nkind: NetworkAttachmentDefinition\nmetadata: {name: b}\nspec: {config: '{}'}",
        &[
            "object 1, NetworkAttachmentDefinition \"A\"",
            "object 2, NetworkAttachmentDefinition \"b\": spec.config: missing 'type'",
        ],
    );
    check(
        "p.yaml",
        "kind: Pod\nmetadata: {name: a, annotations: {k8s.v1.cni.cncf.io/networks: '[{}]', v1.multus-cni.io/default-network: 'a/b/c'}}",
        &[
            "annotation \"k8s.v1.cni.cncf.io/networks\": element 1",
            "default-network\": element 1",
        ],
    );
    check(
        "d.yaml",
        "kind: Deployment\nmetadata: {name: d}\nspec: {template: {metadata: {annotations: {k8s.v1.cni.cncf.io/networks: 'a b'}}}}",
        &["object 1, Deployment \"d\", annotation"],
    );
    check(
        "a.conflist",
        r#"{"cniVersion":"7.0.0","name":"n","plugins":[{"type":"a"}]}"#,
        &["configuration: there is no cniVersion \"7.0.0\""],
    );
    check("a.yaml", "kind: [", &["file: decode YAML"]);
    check("a.json", r#"{"kind":"#, &["file: decode JSON"]);
    assert_eq!(file(Path::new("/absent/file.yaml")).problems.len(), 1);
}

#[test]
fn what_is_passed_over_is_not_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.yaml");
    for (text, found) in [
        ("", 0),
        ("kind: NetworkAttachmentDefinitions\nmetadata: {name: a}", 0),
        ("kind: Pod\nmetadata: {name: a}\n---\nkind: Service", 1),
        ("kind: Job\nspec: {template: {metadata: {}}}", 1),
    ] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(
            (file(&path).found, file(&path).problems),
            (found, Vec::new()),
            "{text}"
        );
    }
}
