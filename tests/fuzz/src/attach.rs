//! A pod and its networks from one text, planned, attached on a fake kernel and detached.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use cni_core::invoke::Resolver;
use cni_core::load::{self, LoadError};
use cni_core::plugin::PANICKED;
use cni_core::spec::{AttachmentId, CniArgs, Code, ConfList, Error, NetnsPath, Object};
use plexus::config::{ClusterNetwork, Policy};
use plexus::journal::StateDir;
use plexus::node::Node;
use plexus::npwg::{Nad, NadRef, Pod, nad};
use plexus::plan::{self, Networks, Plan};
use plexus::{attach, check, cluster, detach};
use serde_json::json;

use crate::machine::{Machine, POD};
use crate::refused;

pub(crate) const SEEDS: &[&str] = &[
    "kind: Pod\nmetadata: {name: web, uid: u-1, annotations: {k8s.v1.cni.cncf.io/networks: 'a, b@seg0'}}\n---\nkind: NetworkAttachmentDefinition\nmetadata: {name: a}\nspec: {config: '{\"cniVersion\":\"1.0.0\",\"type\":\"macvlan\",\"master\":\"up0\",\"ipam\":{\"type\":\"host-local\",\"subnet\":\"10.1.0.0/24\"}}'}\n---\nkind: NetworkAttachmentDefinition\nmetadata: {name: b}\nspec: {config: '{\"cniVersion\":\"1.1.0\",\"plugins\":[{\"type\":\"vxlan\",\"vni\":7,\"peers\":[\"192.0.2.2\"]},{\"type\":\"tuning\",\"mtu\":1300}]}'}\n",
    r#"{"kind":"Pod","metadata":{"name":"web","annotations":{"k8s.v1.cni.cncf.io/networks":"[{\"name\":\"a\",\"ips\":[\"10.2.0.9/24\"],\"mac\":\"02:00:00:00:00:05\",\"default-route\":[\"10.2.0.1\"],\"cni-args\":{\"k\":1}}]"}}}
{"kind":"NetworkAttachmentDefinition","metadata":{"name":"a"},"spec":{"config":"{\"cniVersion\":\"1.0.0\",\"plugins\":[{\"type\":\"bridge\",\"bridge\":\"br1\",\"capabilities\":{\"ips\":true,\"mac\":true},\"ipam\":{\"type\":\"static\"}}]}"}}"#,
    r#"{"kind":"Pod","metadata":{"name":"web","annotations":{"v1.multus-cni.io/default-network":"kube-system/d","k8s.v1.cni.cncf.io/networks":"[{\"name\":\"d\",\"namespace\":\"kube-system\",\"default-route\":[]}]"}}}
{"kind":"NetworkAttachmentDefinition","metadata":{"name":"d","namespace":"kube-system"},"spec":{"config":"{\"cniVersion\":\"0.4.0\",\"type\":\"bridge\",\"isDefaultGateway\":true,\"ipMasq\":true,\"ipam\":{\"type\":\"host-local\",\"ranges\":[[{\"subnet\":\"10.3.0.0/24\"}],[{\"subnet\":\"fd03::/64\"}]]}}"}}"#,
];

/// The definitions of the text, confined to the fake machine.
struct Definitions(BTreeMap<NadRef, Nad>);

impl Definitions {
    fn new(machine: &Machine, data: &[u8]) -> Option<Self> {
        let nads = nad::parse(data).ok()?.into_iter().flatten();
        let confined = nads.filter_map(|nad| {
            let list = nad.inline().ok()??.to_object().ok()?;
            let config = machine.confined_list(&list).to_string();
            Some((nad.reference.clone(), Nad::new(nad.reference, Some(config))))
        });
        Some(Self(confined.collect()))
    }
}

impl Networks for Definitions {
    fn nad(&self, reference: &NadRef) -> Option<&Nad> {
        self.0.get(reference)
    }

    fn broken(&self) -> Vec<String> {
        Vec::new()
    }

    fn conf_named(&self, name: &str) -> Result<ConfList, LoadError> {
        load::by_name("/nowhere", name).map(|found| found.list)
    }

    fn conf_at(&self, _: &Path) -> Result<ConfList, LoadError> {
        load::from_file("/nowhere")
    }
}

/// One pod and its definitions.
pub(crate) fn attach(data: &[u8]) {
    let machine = Machine::new();
    let Some(definitions) = Definitions::new(&machine, data) else {
        return;
    };
    let Ok(pod) = cluster::pod(&machine.scratch.file("pod/p.yaml", data)) else {
        return;
    };
    let Some(plan) = planned(&machine, &definitions, &pod) else {
        return;
    };
    let mut node = Node::new(
        StateDir::new(machine.scratch.path("state")),
        machine.net.clone(),
        Resolver::new(cni_plugins::table(&machine.net)),
    );
    // Nothing here waits for anything, so that no time is ever up.
    node.deadlines.add = Duration::from_secs(3600);
    come_and_go(&node, &plan, "c1");
    let before = machine.left();
    come_and_go(&node, &plan, "c2");
    let left = machine.left();
    let left: Vec<&String> = left.difference(&before).collect();
    assert!(left.is_empty(), "after the second detach there is {left:#?}");
}

/// The plan, with what [`Plan`] guarantees.
fn planned(machine: &Machine, networks: &Definitions, pod: &Pod) -> Option<Plan> {
    let default = json!({ "cniVersion": "1.0.0", "name": "pods", "type": "bridge", "isDefaultGateway": true,
        "ipam": machine.ipam("10.244.0.0/24") });
    let default = ConfList::from_plugin_bytes(default.to_string().as_bytes()).unwrap();
    let request = plan::Request {
        pod,
        ifname: "eth0".parse().unwrap(),
        args: CniArgs::default(),
        capability_args: Object::new(),
        cluster_network: Some(&ClusterNetwork::Delegates(vec![default])),
        policy: &Policy::default(),
        networks,
    };
    let codes = [
        Code::UNSUPPORTED_FIELD,
        Code::DECODING,
        Code::INVALID_CONFIG,
        Code(170),
    ];
    match plan::plan(&request) {
        Ok(plan) => {
            let attachments = &plan.attachments;
            let defaults: Vec<bool> = attachments.iter().map(|a| a.is_default).collect();
            assert!(defaults[0] && !defaults[1..].contains(&true), "{defaults:?}");
            let names: BTreeSet<_> = attachments.iter().map(|a| &a.ifname).collect();
            assert_eq!(names.len(), attachments.len());
            assert!(attachments.iter().filter(|a| a.default_route.is_some()).count() <= 1);
            for attachment in attachments {
                // What a plugin finds in its environment is what was meant.
                assert_eq!(attachment.args.to_string().parse(), Ok(attachment.args.clone()));
            }
            Some(plan)
        }
        Err(error) => {
            refused(error, &codes);
            None
        }
    }
}

/// Attaches and detaches; the latter succeeds, whatever became of the former.
fn come_and_go(node: &Node, plan: &Plan, container: &str) {
    let id = AttachmentId::new(container.parse().unwrap(), "eth0".parse().unwrap());
    let netns = NetnsPath::new(POD);
    let attached = attach::run(node, &attach::Request::new(id.clone(), netns.clone()), plan);
    if let Ok(attached) = &attached {
        assert_eq!(attached.len(), plan.attachments.len());
        assert!(attached.iter().all(|attached| !attached.status().is_empty()));
        check::run(node, &id, Some(&netns)).map_or_else(sane, drop);
    }
    let mut request = detach::Request::new(id.container);
    (request.ifname, request.netns) = (Some(id.ifname), Some(netns));
    let detached = detach::run(node, &request);
    assert!(detached.is_ok(), "{detached:?} after {:?}", attached.map(drop));
    attached.err().into_iter().for_each(sane);
}

fn sane(error: Error) {
    assert_ne!(error.code, PANICKED, "{error}");
    assert!(!error.msg.is_empty());
}
