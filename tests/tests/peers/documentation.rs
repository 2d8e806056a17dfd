//! Definitions and annotations in the style of the Multus documentation work unchanged.

use plexus_tests::host;
use plexus_tests::installed::{Installed, reserved};
use plexus_tests::pod::Pod;
use serde_json::json;

/// The quick start's: macvlan in 0.3.0, a range of host-local, a gateway and a default route.
const MACVLAN: &str = r#"
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: macvlan-conf
spec:
  config: '{
      "cniVersion": "VERSION",
      "type": "macvlan",
      "master": "PREFIX-up",
      "mode": "bridge",
      "ipam": {
        "type": "host-local",
        "subnet": "10.N.1.0/24",
        "rangeStart": "10.N.1.200",
        "rangeEnd": "10.N.1.216",
        "routes": [
          { "dst": "0.0.0.0/0" }
        ],
        "gateway": "10.N.1.1"
      }
    }'
"#;

/// A bridge in its place, in another namespace; one that takes requests; a chain.
const OTHERS: &str = r#"
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: bridge-conf
  namespace: other
spec:
  config: '{
    "cniVersion": "0.3.1",
    "name": "PREFIX-bridge",
    "type": "bridge",
    "bridge": "PREFIXb1",
    "isDefaultGateway": true,
    "hairpinMode": true,
    "ipMasq": true,
    "ipMasqBackend": "nftables",
    "ipam": { "type": "host-local", "subnet": "10.N.2.0/24" }
  }'
---
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: asked
spec:
  config: |
    {
      "cniVersion": "0.3.1",
      "plugins": [
        {
          "type": "macvlan",
          "capabilities": { "ips": true, "mac": true },
          "master": "PREFIX-up",
          "mode": "bridge",
          "ipam": { "type": "static", "routes": [ { "dst": "10.200.N.0/24", "gw": "10.N.3.254" } ] }
        }
      ]
    }
"#;

/// One plugin gives the address, the next in the list the hardware address.
const TUNED: &str = r#"
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: tuned-macvlan
spec:
  config: '{
      "cniVersion": "VERSION",
      "plugins": [
        {
          "type": "macvlan",
          "capabilities": { "ips": true },
          "master": "PREFIX-up",
          "mode": "bridge",
          "ipam": {
            "type": "static",
            "routes": [
              {
                "dst": "0.0.0.0/0",
                "gw": "10.N.4.1"
              }
            ]
          }
        }, {
          "capabilities": { "mac": true },
          "type": "tuning"
        }
      ]
    }'
---
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata:
  name: tuned-bridge
spec:
  config: '{ "cniVersion": "VERSION", "plugins": [
      { "type": "bridge", "bridge": "PREFIXb2", "capabilities": { "ips": true }, "ipam": { "type": "static" } },
      { "type": "tuning", "capabilities": { "mac": true } } ] }'
"#;

fn node(prefix: &str, n: u8, version: &str) -> Installed {
    host::parent(&format!("{prefix}-up"));
    let node = Installed::new();
    let fill = |text: &str| {
        let text = text.replace("PREFIX", prefix).replace("VERSION", version);
        text.replace("N.", &format!("{n}."))
    };
    node.nads("macvlan.yaml", &fill(MACVLAN));
    node.nads("others.yaml", &fill(OTHERS));
    node.nads("tuned.yaml", &fill(TUNED));
    node
}

fn entry(node: &Installed, prefix: &str, n: u8, networks: &str) -> serde_json::Value {
    let ipam = json!({"type": "host-local", "subnet": format!("10.{n}.0.0/24")});
    let default = json!({"cniVersion": "0.3.1", "name": format!("{prefix}-default"), "type": "bridge",
        "bridge": format!("{prefix}b0"), "isDefaultGateway": true, "ipam": ipam});
    node.entry(&json!({"delegates": [default], "networks": networks}))
}

#[test]
fn the_quick_start_works_in_both_versions_and_both_forms() {
    for (prefix, n, version) in [("doca", 91, "0.3.0"), ("docb", 92, "0.3.1")] {
        let node = node(prefix, n, version);
        for annotation in [
            "macvlan-conf",
            r#"[ { "name": "macvlan-conf" } ]"#,
            r#"[{"name":"macvlan-conf","namespace":"default"}]"#,
        ] {
            let tool = node.runtime("0.3.1", &entry(&node, prefix, n, annotation));
            let pod = Pod::new();
            tool.add(pod.path());
            assert_eq!(pod.links(), ["lo", "eth0", "net1"], "{annotation}");
            let last = pod.addresses("net1")[0].clone();
            assert!(last.starts_with(&format!("10.{n}.1.2")), "of the range: {last}");
            tool.run("del", pod.path());
            node.assert_nothing_in(&pod);
        }
        // Other tests have networks of this name, too.
        let reserved = reserved("macvlan-conf").into_iter();
        let own = reserved.filter(|address| address.starts_with(&format!("10.{n}.")));
        assert_eq!(own.count(), 0);
    }
}

#[test]
fn the_short_form_takes_namespaces_interfaces_and_a_network_twice() {
    let node = node("docc", 93, "0.3.1");
    let annotation = "macvlan-conf@mac0, other/bridge-conf , default/macvlan-conf,other/bridge-conf@br9";
    let tool = node.runtime("1.0.0", &entry(&node, "docc", 93, annotation));
    let pod = Pod::new();
    tool.add(pod.path());
    assert_eq!(pod.links(), ["lo", "eth0", "mac0", "net2", "net3", "br9"]);
    assert_ne!(pod.addresses("mac0"), pod.addresses("net3"));
    tool.run("check", pod.path());
    tool.run("del", pod.path());
    node.assert_nothing_in(&pod);
    assert_eq!(reserved("docc-bridge"), Vec::<String>::new());
}

#[test]
fn addresses_hardware_addresses_and_the_default_route_are_as_asked() {
    let node = node("docd", 94, "0.3.1");
    let annotation = r#"[
      { "name": "asked", "ips": [ "10.94.3.205/24" ], "mac": "c2:b0:57:49:47:f1", "interface": "asked0" },
      { "name": "macvlan-conf", "default-route": [ "10.94.1.254" ] }
    ]"#;
    let tool = node.runtime("1.0.0", &entry(&node, "docd", 94, annotation));
    let pod = Pod::new();
    let result = tool.add(pod.path());
    assert_eq!(pod.links(), ["lo", "eth0", "asked0", "net2"]);
    assert_eq!(pod.addresses("asked0"), ["10.94.3.205/24"]);
    assert_eq!(pod.mac("asked0"), "c2:b0:57:49:47:f1");
    assert_eq!(pod.default_gateways(), ["10.94.1.254 net2"]);
    assert_eq!(
        result.get("routes"),
        None,
        "the runtime is told that eth0 has no default route now: {result}"
    );
    tool.run("check", pod.path());
    tool.run("del", pod.path());
    node.assert_nothing_in(&pod);
}

#[test]
fn the_next_plugin_in_the_list_gives_the_hardware_address() {
    for (prefix, n, version) in [("docf", 96, "0.3.1"), ("docg", 97, "1.0.0")] {
        let node = node(prefix, n, version);
        let annotation = format!(
            r#"[
              {{ "name": "tuned-macvlan", "ips": [ "10.{n}.4.101/24" ], "mac": "c2:b0:57:49:47:f1", "gateway": [ "10.{n}.4.1" ] }},
              {{ "name": "tuned-bridge", "ips": [ "10.{n}.5.101/24" ], "mac": "c2:b0:57:49:47:f2" }}
            ]"#
        );
        let tool = node.runtime("1.0.0", &entry(&node, prefix, n, &annotation));
        let pod = Pod::new();
        tool.add(pod.path());
        assert_eq!(pod.addresses("net1"), [format!("10.{n}.4.101/24")]);
        assert_eq!(pod.addresses("net2"), [format!("10.{n}.5.101/24")]);
        let macs = ["net1", "net2"].map(|link| pod.mac(link));
        assert_eq!(macs, ["c2:b0:57:49:47:f1", "c2:b0:57:49:47:f2"]);
        tool.run("check", pod.path());
        tool.run("del", pod.path());
        node.assert_nothing_in(&pod);
    }
}

#[test]
fn a04_requests_without_the_capability_fail_and_say_why() {
    let node = node("doce", 95, "0.3.1");
    for (key, value) in [
        ("ips", r#"["10.95.1.205/24"]"#),
        ("mac", r#""c2:b0:57:49:47:f1""#),
    ] {
        let annotation = format!(r#"[{{"name": "macvlan-conf", "{key}": {value}}}]"#);
        let tool = node.runtime("1.0.0", &entry(&node, "doce", 95, &annotation));
        let pod = Pod::new();
        let output = tool.output("add", pod.path());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        for part in ["element 1", "default/macvlan-conf", "capability", key] {
            assert!(said.contains(part), "{part}: {said}");
        }
        node.assert_nothing_in(&pod);
    }
}
