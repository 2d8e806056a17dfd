//! `plexus attach`: what a runtime does for a pod, from files.

use std::path::PathBuf;

use clap::Args;
use cni_core::spec::{AttachmentId, CniArgs, Code, ContainerId, IfName, Object};
use plexus::attach::{self, Attached};
use plexus::cluster;
use plexus::config::{ClusterNetwork, Policy};
use plexus::npwg::{NETWORKS, Namespace, NetworkStatus, Pod, PodName};
use plexus::plan::{self, Files, Plan};

use super::machine::{self, Env, Failure};
use super::{Common, Out};

/// Where plugins come from, for whoever asks for help.
pub(super) const EXECUTABLES: &str = "\
Plugins that are not part of this program are executables in the directories of CNI_PATH, or else in
/opt/cni/bin. detach and check look where attach did.";

#[derive(Args)]
pub(crate) struct Options {
    /// The network namespace, as a path: /run/netns/NAME or /proc/PID/ns/net
    #[arg(long, value_name = "PATH")]
    netns: PathBuf,
    /// A directory of NetworkAttachmentDefinitions, YAML or JSON
    #[arg(long, value_name = "DIR")]
    nads: Option<PathBuf>,
    /// The annotation k8s.v1.cni.cncf.io/networks, in either form; in place of the pod's own
    #[arg(long, value_name = "ANNOTATION")]
    networks: Option<String>,
    /// A file that describes the pod, YAML or JSON: its metadata counts
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pod_namespace", "pod_name"])]
    pod: Option<PathBuf>,
    /// The pod's namespace
    #[arg(long, value_name = "NS", default_value = "default")]
    pod_namespace: Namespace,
    /// The pod's name
    #[arg(long, value_name = "NAME", default_value = "pod")]
    pod_name: PodName,
    /// The default network: [NAMESPACE/]NAME of a NetworkAttachmentDefinition in --nads (of kube-system where no
    /// namespace is named); or else the name of a CNI configuration in the policy's confDir, which is
    /// /etc/cni/multus/net.d unless it says otherwise; or the path of one. Without it secondary networks are attached
    /// alone
    #[arg(long, value_name = "NAME")]
    cluster_network: Option<String>,
    /// The container's id; without it one is made from the path of the namespace
    #[arg(long, value_name = "ID")]
    container_id: Option<ContainerId>,
    /// The default network's interface; it also tells several calls for one container apart
    #[arg(long, value_name = "NAME", default_value = "eth0")]
    ifname: IfName,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) fn run(options: Options, env: Env<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
    let policy = options.common.policy()?;
    let pod = options.pod()?;
    let container = match &options.container_id {
        Some(id) => id.clone(),
        None => machine::container_of(&options.netns)?,
    };
    let (id, name) = (container.as_str(), options.ifname.as_str());
    let _entered = tracing::info_span!("attach", container = id, ifname = name).entered();
    let args = args(&container);
    let plan = options.plan(&pod, &policy, args.clone())?;
    for warning in &plan.warnings {
        out.warning(&warning.to_string());
    }
    if plan.attachments.is_empty() {
        let text = "nothing to attach: name networks by --networks, --pod or --cluster-network";
        return Err(Failure::Plain(text.to_owned()));
    }
    let undo = options.common.detach_command(&container);
    let count = plan.attachments.len();
    out.progress(&format!(
        "attach {count} networks to {container}; to undo it, finished or interrupted: {undo}"
    ));
    let id = AttachmentId::new(container.clone(), options.ifname.clone());
    let mut request = attach::Request::new(id, machine::netns(&options.netns)?);
    request.args = args;
    request.path = machine::plugin_path(env);
    let attached = attach::run(&options.common.node(&policy), &request, &plan)?;
    answer(&attached, out)
}

impl Options {
    fn pod(&self) -> Result<Pod, Failure> {
        let mut pod = match &self.pod {
            Some(path) => cluster::pod(path).map_err(|e| Failure::from_source(Code::INVALID_CONFIG, &e))?,
            None => Pod::new(self.pod_namespace.clone(), self.pod_name.clone()),
        };
        if let Some(networks) = &self.networks {
            pod.annotations.insert(NETWORKS.to_owned(), networks.clone());
        }
        Ok(pod)
    }

    fn plan(&self, pod: &Pod, policy: &Policy, args: CniArgs) -> Result<Plan, Failure> {
        let cluster_network = self.cluster_network.clone().map(ClusterNetwork::Named);
        Ok(plan::plan(&plan::Request {
            pod,
            ifname: self.ifname.clone(),
            args,
            capability_args: Object::new(),
            cluster_network: cluster_network.as_ref(),
            policy,
            networks: &Files::load(self.nads.as_deref(), &policy.conf_dir),
        })?)
    }
}

fn args(container: &ContainerId) -> CniArgs {
    let mut args = CniArgs::default();
    args.set("IgnoreUnknown", "1");
    args.set("K8S_POD_INFRA_CONTAINER_ID", container.as_str());
    args
}

fn answer(attached: &[Attached], out: &mut Out<'_>) -> Result<(), Failure> {
    let entries: Vec<NetworkStatus> = attached.iter().flat_map(Attached::status).collect();
    let head = ["INTERFACE", "NETWORK", "ADDRESSES", "MAC", "DEFAULT NETWORK"].map(str::to_owned);
    let mut table = vec![head.to_vec()];
    table.extend(entries.iter().map(row));
    out.answer(&entries, &table)
}

fn row(entry: &NetworkStatus) -> Vec<String> {
    let addresses: Vec<_> = entry.ips.iter().map(ToString::to_string).collect();
    let default = if entry.default { "yes" } else { "" };
    vec![
        entry.interface.clone(),
        entry.name.clone(),
        addresses.join(","),
        entry.mac.clone(),
        default.to_owned(),
    ]
}
