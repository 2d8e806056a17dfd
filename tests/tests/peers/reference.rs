//! Our chain runs the reference's plugins, in every version.

use cni_core::chain::{self, InMemory, Runtime};
use cni_core::invoke::Exec;
use cni_core::spec::{AttachmentId, ConfList, NetnsPath, Success};
use plexus_tests::pod::Pod;
use plexus_tests::{VERSIONS, host, peers};
use serde_json::{Value, json};

/// Puts one of the reference's plugins through a life in each version.
#[track_caller]
fn drive(name: &str, plugin: &Value, attached: impl Fn(&Pod, &Success), detached: impl Fn(&Pod)) {
    drive_list(name, &json!([plugin]), attached, detached);
}

/// ADD, CHECK, DEL and DEL again of a list of the reference's plugins in each version.
#[track_caller]
fn drive_list(name: &str, list: &Value, attached: impl Fn(&Pod, &Success), detached: impl Fn(&Pod)) {
    let exec = Exec::new();
    let runtime = Runtime::new(&exec, [peers()]);
    for version in VERSIONS {
        let list = json!({"cniVersion": version, "name": name, "plugins": list}).to_string();
        let list = ConfList::from_bytes(list.as_bytes()).unwrap();
        let (pod, kept) = (Pod::new(), InMemory::default());
        let netns = NetnsPath::new(pod.path());
        let id = AttachmentId::new(format!("ref-{version}").parse().unwrap(), "eth0".parse().unwrap());

        let result = chain::add(&list, &id, &netns, &runtime, &kept).unwrap();
        attached(&pod, &result);
        let checked = chain::check(&list, &id, &netns, &runtime, &kept);
        assert_eq!(
            checked.is_ok(),
            !version.starts_with("0.3"),
            "check in {version}: {checked:?}"
        );
        chain::status(&list, &runtime).unwrap();
        chain::del(&list, &id, Some(&netns), &runtime, &kept).unwrap();
        detached(&pod);
        chain::del(&list, &id, None, &runtime, &kept).unwrap();
    }
}

fn addresses(result: &Success) -> Vec<String> {
    result.ips.iter().map(|ip| ip.address.to_string()).collect()
}

#[test]
fn our_chain_runs_the_reference_bridge_in_every_version() {
    let ipam = json!({"type": "host-local", "subnet": "10.71.0.0/24"});
    let plugin = json!({"type": "bridge", "bridge": "ref0", "isDefaultGateway": true, "ipMasq": true,
        "ipMasqBackend": "nftables", "ipam": ipam});
    let attached = |pod: &Pod, result: &Success| {
        let names: Vec<&str> = result.interfaces.iter().map(|i| i.name.as_str()).collect();
        assert_eq!((names[0], names[2]), ("ref0", "eth0"));
        assert_eq!(pod.addresses("eth0"), addresses(result));
    };
    drive("ref-bridge", &plugin, attached, |pod| {
        assert_eq!(pod.links(), ["lo"])
    });
}

#[test]
fn our_chain_runs_the_reference_macvlan_in_every_version() {
    host::parent("ref-mv0");
    let ipam = json!({"type": "host-local", "subnet": "10.72.0.0/24"});
    let plugin = json!({"type": "macvlan", "master": "ref-mv0", "ipam": ipam});
    let attached = |pod: &Pod, result: &Success| assert_eq!(pod.addresses("eth0"), addresses(result));
    drive("ref-macvlan", &plugin, attached, |pod| {
        assert_eq!(pod.links(), ["lo"])
    });
}

#[test]
fn our_chain_runs_the_reference_host_local_in_every_version() {
    let plugin = json!({"type": "host-local", "ipam": {"type": "host-local", "subnet": "10.73.0.0/24"}});
    let reserved = || {
        host::files("/var/lib/cni/networks/ref-host-local")
            .into_iter()
            .filter(|f| f.starts_with("10."))
    };
    let attached = |_: &Pod, result: &Success| assert_eq!(reserved().count(), result.ips.len());
    drive("ref-host-local", &plugin, attached, |_| {
        assert_eq!(reserved().count(), 0)
    });
}

#[test]
fn our_chain_runs_the_reference_bridge_and_tuning_in_every_version() {
    let list = json!([
        {"type": "bridge", "bridge": "ref1", "ipam": {"type": "host-local", "subnet": "10.74.0.0/24"}},
        {"type": "tuning", "dataDir": "/run/cni/ref-tuning", "mac": "c2:b0:57:49:47:f1", "mtu": 1400,
         "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}}
    ]);
    let kept = || host::files("/run/cni/ref-tuning").len();
    let attached = |pod: &Pod, result: &Success| {
        assert_eq!(result.interfaces[2].mac, "c2:b0:57:49:47:f1");
        assert_eq!((pod.mac("eth0"), kept()), ("c2:b0:57:49:47:f1".to_owned(), 1));
    };
    drive_list("ref-tuning", &list, attached, |pod| {
        assert_eq!((pod.links(), kept()), (vec!["lo".to_owned()], 0));
    });
}
