//! Annotations, NetworkAttachmentDefinitions and descriptions of pods.

use cni_core::spec::{Code, Error};
use plexus::cluster;
use plexus::npwg::nad::{self, NadError};
use plexus::npwg::{Nad, Namespace, NetworkSelection, selection};
use plexus::validate;
use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::{LONGEST_MESSAGE, refused};

pub(crate) const ANNOTATIONS: &[&str] = &[
    "a, kube-system/b@net7 ,c@eth1",
    r#"[{"name":"a","namespace":"default","ips":["10.1.0.2/24","fd00::2"],"mac":"02:00:00:00:00:01","interface":"net7","default-route":["10.1.0.1"],"cni-args":{"k":[1,{"v":null}]},"portMappings":[{"hostPort":1,"containerPort":2,"protocol":"UDP","hostIP":"::1"}],"bandwidth":{"ingressRate":1,"ingressBurst":2,"egressRate":3},"infiniband-guid":"24:8a:07:03:00:8d:ae:2f","deviceID":"0000:5e:00.1"}]"#,
    r#"[{"name":"a","interfaceRequest":"net1","ipam-claim-reference":"c.d","default-route":[]},{"NAME":"b"}]"#,
];

/// The networks annotation in both forms.
pub(crate) fn annotation(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let namespace: Namespace = "ns".parse().unwrap();
    match selection::parse(text, &namespace) {
        Ok(selections) => {
            let elements: Vec<String> = selections.iter().map(element).collect();
            let again = selection::parse(&format!("[{}]", elements.join(",")), &Namespace::default());
            assert_eq!(again.unwrap(), selections);
        }
        Err(error) => {
            let error = Error::from_source(Code::INVALID_CONFIG, &error);
            refused(error, &[Code::INVALID_CONFIG]);
        }
    }
}

/// The text of an element that asks for `selection`.
fn element(selection: &NetworkSelection) -> String {
    let mut element = json!({ "name": selection.network.name, "namespace": selection.network.namespace });
    let mut put = |key: &str, value: Value| {
        if value != Value::Null {
            element[key] = value;
        }
    };
    put("interface", json!(selection.interface));
    put("mac", json!(selection.mac));
    put("ips", json!(selection.ips));
    put("default-route", json!(selection.default_route));
    put("portMappings", json!(selection.port_mappings));
    put("bandwidth", json!(selection.bandwidth));
    put("infiniband-guid", json!(selection.infiniband_guid));
    put("ipam-claim-reference", json!(selection.ipam_claim));
    put("deviceID", json!(selection.device_id));
    let text = element.to_string();
    match &selection.cni_args {
        // Put in as text, or numbers would lose digits.
        Some(args) => format!("{},\"cni-args\":{args}}}", text.strip_suffix('}').unwrap()),
        None => text,
    }
}

pub(crate) const MANIFESTS: &[&str] = &[
    "apiVersion: k8s.cni.cncf.io/v1\nkind: NetworkAttachmentDefinition\nmetadata:\n  name: a\n  annotations: {k8s.v1.cni.cncf.io/resourceName: r}\nspec:\n  config: '{\"cniVersion\": \"1.0.0\", \"type\": \"bridge\"}'\n---\nkind: Pod\nmetadata: {name: p, uid: u, annotations: {k8s.v1.cni.cncf.io/networks: a}}\n",
    r#"{"kind":"List","items":[{"kind":"NetworkAttachmentDefinition","metadata":{"name":"a","namespace":"b"},"spec":{"config":"{\"plugins\":[{\"type\":\"t\"}]}"}},{"kind":"Deployment","spec":{"template":{"metadata":{"annotations":{"v1.multus-cni.io/default-network":"x"}}}}}]}"#,
    "kind: Pod\nmetadata: &m\n  name: p\nother: *m\nfold: >-\n  a\n  b\nliteral: |\n  c\n",
];

/// A file of Kubernetes objects, YAML or JSON.
pub(crate) fn manifest(data: &[u8]) {
    if let Ok(definitions) = nad::parse(data) {
        definitions.into_iter().for_each(definition);
    }
    let scratch = Scratch::new();
    let path = scratch.file("ns/p.yaml", data);
    for problem in validate::file(&path).problems {
        assert!(!problem.what.is_empty() && problem.what.len() <= LONGEST_MESSAGE);
    }
    if let Ok(pod) = cluster::pod(&path) {
        let json = json!({ "kind": "Pod", "metadata": { "name": pod.name, "namespace": pod.namespace, "uid": pod.uid,
            "annotations": pod.annotations } });
        let path = scratch.file("again.yaml", json.to_string().as_bytes());
        assert_eq!(cluster::pod(&path).unwrap(), pod);
    }
}

fn definition(definition: Result<Nad, NadError>) {
    let Ok(nad) = definition else { return };
    let json = json!({ "kind": nad::KIND, "metadata": { "name": nad.reference.name, "namespace": nad.reference.namespace,
        "annotations": nad.resource_name.as_ref().map(|name| json!({ "k8s.v1.cni.cncf.io/resourceName": name })) },
        "spec": { "config": nad.config } });
    let again = nad::parse(json.to_string().as_bytes()).unwrap().remove(0);
    assert_eq!(again.unwrap(), nad);
    match nad.inline() {
        Ok(Some(list)) => assert!(!list.name.as_str().is_empty()),
        Ok(None) => assert!(nad.config.is_none()),
        Err(NadError::Conf(error)) => refused(error, &[Code::DECODING, Code::INVALID_CONFIG]),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
