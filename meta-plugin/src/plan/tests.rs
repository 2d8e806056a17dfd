mod annotations;
mod networks;
mod runtime;

use std::path::Path;

use cni_core::spec::Error;

use super::*;
use crate::npwg::nad;

/// Definitions `namespace/name: config` that every test has.
const NADS: &[(&str, &str, &str)] = &[
    (
        "kube-system",
        "cbr0",
        r#"{"cniVersion":"1.0.0","name":"cbr0-net","type":"bridge"}"#,
    ),
    (
        "kube-system",
        "other",
        r#"{"type":"ptp","capabilities":{"ips":true,"mac":true}}"#,
    ),
    ("pods", "a", r#"{"cniVersion":"0.3.1","type":"macvlan"}"#),
    ("pods", "b", r#"{"type":"bridge"}"#),
    (
        "pods",
        "able",
        r#"{"plugins":[{"type":"x","capabilities":{"ips":true,"mac":true,"bandwidth":false}},
        {"type":"y","capabilities":{"portMappings":true,"bandwidth":true,"infinibandGUID":true,"deviceID":true}}]}"#,
    ),
    (
        "pods",
        "args",
        r#"{"plugins":[{"type":"x","args":{"cni":{"a":1,"b":1},"own":{"k":1.0}}},{"type":"y"}]}"#,
    ),
    ("pods", "badargs", r#"{"type":"x","args":{"cni":[1]}}"#),
    (
        "pods",
        "loop",
        r#"{"plugins":[{"type":"bridge"},{"type":"multus"}]}"#,
    ),
    ("pods", "broken", r#"{"plugins":5}"#),
    ("pods", "on-disk", ""),
    ("default", "shared", r#"{"type":"bridge"}"#),
    ("far", "c", r#"{"type":"bridge"}"#),
];

/// A pod `pods/p`, and everything else that a plan is made from.
struct World {
    pod: Pod,
    policy: Policy,
    files: Files,
    cluster_network: Option<ClusterNetwork>,
    args: &'static str,
    capability_args: &'static str,
}

impl World {
    fn new(networks: &str) -> Self {
        let mut files = Files::load(None, Path::new("/absent/directory"));
        for (namespace, name, config) in NADS {
            let object = serde_json::json!({"kind": nad::KIND, "spec": {"config": config},
                "metadata": {"namespace": namespace, "name": name,
                    "annotations": {"k8s.v1.cni.cncf.io/resourceName": format!("example.org/{name}")}}});
            let nad = nad::parse(object.to_string().as_bytes())
                .unwrap()
                .remove(0)
                .unwrap();
            files.nads.found.insert(nad.reference.clone(), nad);
        }
        let mut pod = Pod::new("pods".parse().unwrap(), "p".parse().unwrap());
        pod.annotations.insert(NETWORKS.to_owned(), networks.to_owned());
        Self {
            pod,
            policy: Policy::default(),
            files,
            cluster_network: Some(ClusterNetwork::Named("cbr0".to_owned())),
            args: "",
            capability_args: "{}",
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn default_network(self, annotation: &str) -> Self {
        self.with(|w| {
            drop(
                w.pod
                    .annotations
                    .insert(DEFAULT_NETWORK.to_owned(), annotation.to_owned()),
            )
        })
    }

    fn plan(&self) -> Result<Plan, Error> {
        let request = Request {
            pod: &self.pod,
            ifname: "eth0".parse().unwrap(),
            args: self.args.parse().unwrap(),
            capability_args: Object::from_slice(self.capability_args.as_bytes()).unwrap(),
            cluster_network: self.cluster_network.as_ref(),
            policy: &self.policy,
            networks: &self.files,
        };
        plan(&request).map_err(Error::from)
    }

    /// `interface=network` of each attachment.
    #[track_caller]
    fn check(&self, expected: &[&str]) -> Plan {
        let plan = self.plan().unwrap_or_else(|e| panic!("{} {e}", e.code));
        let got: Vec<_> = plan
            .attachments
            .iter()
            .map(|a| format!("{}={}", a.ifname, a.network))
            .collect();
        assert_eq!(got, expected);
        assert!(plan.attachments.iter().skip(1).all(|a| !a.is_default));
        plan
    }

    #[track_caller]
    fn check_error(&self, code: u32, expected: &[&str]) {
        let error = self.plan().expect_err("a plan");
        assert_eq!(error.code.0, code, "{error}");
        for part in expected {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
    }
}
