//! cnitool adds, checks, deletes, gcs and statuses each of our plugins, in every version.

use plexus_tests::cnitool::Cnitool;
use plexus_tests::pod::Pod;
use plexus_tests::{VERSIONS, host, plugins};
use serde_json::{Value, json};

/// Puts one plugin through a life under cnitool in each version.
#[track_caller]
fn drive(name: &str, plugin: &Value, attached: impl Fn(&Pod, &Value), detached: impl Fn(&Pod)) {
    drive_list(name, &json!([plugin]), attached, detached);
}

/// ADD, CHECK, STATUS, DEL twice, ADD, GC of a list in each version.
#[track_caller]
fn drive_list(name: &str, list: &Value, attached: impl Fn(&Pod, &Value), detached: impl Fn(&Pod)) {
    for version in VERSIONS {
        let list = json!({"cniVersion": version, "name": name, "plugins": list});
        let tool = Cnitool::new(&list, plugins());
        let pod = Pod::new();

        let result = tool.add(pod.path());
        assert_eq!(result["cniVersion"], *version, "{result}");
        attached(&pod, &result);
        let has_check = !version.starts_with("0.3");
        assert_eq!(
            tool.output("check", pod.path()).status.success(),
            has_check,
            "check in {version}"
        );
        tool.run("status", pod.path());
        tool.run("del", pod.path());
        detached(&pod);
        tool.run("del", pod.path());

        tool.add(pod.path());
        tool.run("gc", pod.path());
        // Below 1.1.0 libcni still sends the DELs that GC stands for.
        detached(&pod);
        tool.run("del", pod.path());
    }
}

/// The addresses of `result`, in the layout of its version.
fn addresses(result: &Value) -> Vec<&str> {
    result["ips"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ip| ip["address"].as_str().unwrap())
        .collect()
}

fn interfaces(result: &Value) -> Vec<&str> {
    result["interfaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["name"].as_str().unwrap())
        .collect()
}

#[test]
fn cnitool_drives_bridge_in_every_version() {
    let ipam =
        json!({"type": "host-local", "ranges": [[{"subnet": "10.61.0.0/24"}], [{"subnet": "fd61::/64"}]]});
    let plugin = json!({"type": "bridge", "bridge": "cnt0", "isDefaultGateway": true, "ipMasq": true,
        "ipMasqBackend": "nftables", "ipam": ipam});
    let attached = |pod: &Pod, result: &Value| {
        assert_eq!(interfaces(result)[0], "cnt0");
        assert_eq!(interfaces(result)[2], "eth0");
        assert_eq!(pod.addresses("eth0"), addresses(result));
    };
    drive("cnt-bridge", &plugin, attached, |pod| {
        assert_eq!(pod.links(), ["lo"])
    });
}

#[test]
fn cnitool_drives_macvlan_in_every_version() {
    host::parent("cnt-mv0");
    let ipam = json!({"type": "host-local", "subnet": "10.62.0.0/24"});
    let plugin = json!({"type": "macvlan", "master": "cnt-mv0", "ipam": ipam});
    let attached = |pod: &Pod, result: &Value| {
        assert_eq!(interfaces(result), ["eth0"]);
        assert_eq!(pod.addresses("eth0"), addresses(result));
    };
    drive("cnt-macvlan", &plugin, attached, |pod| {
        assert_eq!(pod.links(), ["lo"])
    });
}

#[test]
fn cnitool_drives_vxlan_in_every_version() {
    let ipam = json!({"type": "static", "addresses": [{"address": "10.63.0.5/24"}]});
    let plugin = json!({"type": "vxlan", "vni": 63, "port": 4763, "mtu": 1400, "peers": [], "ipam": ipam});
    let attached = |pod: &Pod, result: &Value| {
        assert_eq!(interfaces(result).last(), Some(&"eth0"));
        assert_eq!(pod.addresses("eth0"), ["10.63.0.5/24"]);
    };
    let detached = |pod: &Pod| {
        assert_eq!(pod.links(), ["lo"]);
        assert!(
            !host::links().iter().any(|link| link.starts_with("vx")),
            "{:?}",
            host::links()
        );
    };
    drive("cnt-vxlan", &plugin, attached, detached);
}

#[test]
fn cnitool_drives_loopback_in_every_version() {
    let attached = |pod: &Pod, result: &Value| {
        assert_eq!(addresses(result), ["127.0.0.1/8", "::1/128"]);
        assert!(pod.is_up("lo"));
    };
    drive("cnt-loopback", &json!({"type": "loopback"}), attached, |pod| {
        assert!(!pod.is_up("lo"))
    });
}

#[test]
fn cnitool_drives_host_local_in_every_version() {
    let ipam = json!({"type": "host-local", "subnet": "10.64.0.0/24"});
    let plugin = json!({"type": "host-local", "ipam": ipam});
    let reserved = || {
        host::files("/var/lib/cni/networks/cnt-host-local")
            .into_iter()
            .filter(|f| f.starts_with("10."))
    };
    let attached = |_: &Pod, result: &Value| assert_eq!(addresses(result).len(), reserved().count());
    drive("cnt-host-local", &plugin, attached, |_| {
        assert_eq!(reserved().count(), 0)
    });
}

#[test]
fn cnitool_drives_static_in_every_version() {
    let ipam = json!({"type": "static", "addresses": [{"address": "10.65.0.5/24", "gateway": "10.65.0.1"}]});
    let plugin = json!({"type": "static", "ipam": ipam});
    let attached = |_: &Pod, result: &Value| assert_eq!(addresses(result), ["10.65.0.5/24"]);
    drive("cnt-static", &plugin, attached, |_| ());
}

#[test]
fn cnitool_drives_bridge_and_tuning_in_every_version() {
    let ipam = json!({"type": "host-local", "subnet": "10.66.0.0/24"});
    let list = json!([
        {"type": "bridge", "bridge": "cnt1", "ipam": ipam},
        {"type": "tuning", "mac": "C2:B0:57:49:47:F1", "mtu": 1400, "promisc": true, "allmulti": true, "txQLen": 7,
         "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1", "net.ipv4.ip_local_port_range": "2000 3000"}}
    ]);
    // The only list with `eth0` that is tuned in the usual place.
    let kept = || {
        host::files("/run/cni/tuning")
            .into_iter()
            .filter(|file| file.ends_with("_eth0.json"))
    };
    let attached = |pod: &Pod, result: &Value| {
        let eth0 = &result["interfaces"][2];
        assert_eq!(
            (&eth0["name"], &eth0["mac"]),
            (&json!("eth0"), &json!("c2:b0:57:49:47:f1"))
        );
        assert_eq!(pod.mac("eth0"), "c2:b0:57:49:47:f1");
        assert_eq!(pod.addresses("eth0"), addresses(result));
        assert_eq!(kept().count(), 1);
    };
    drive_list("cnt-tuning", &list, attached, |pod| {
        assert_eq!(pod.links(), ["lo"]);
        assert_eq!(kept().count(), 0);
    });
}
