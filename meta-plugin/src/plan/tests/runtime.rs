//! What the runtime asks of the default network, as runtimes write it.

use super::*;
use crate::config::CapabilityCheck;

fn asked(capability_args: &'static str) -> World {
    World::new("a").with(|w| w.capability_args = capability_args)
}

#[test]
fn what_somebody_asks_for_through_the_runtime_needs_its_capability() {
    for (capability, args) in [
        (
            "portMappings",
            r#"{"portMappings":[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":""}]}"#,
        ),
        ("ips", r#"{"dns":{},"ips":["10.0.0.5","fd00::5"]}"#),
        ("mac", r#"{"mac":"02:00:00:00:00:01"}"#),
        (
            "bandwidth",
            r#"{"bandwidth":{"IngressRate":0,"IngressBurst":0,"EgressRate":1000000,"EgressBurst":4294967295}}"#,
        ),
        (
            "infinibandGUID",
            r#"{"infinibandGUID":"24:8a:07:03:00:8d:ae:2f"}"#,
        ),
        // Not even where a plugin declares it otherwise: it would be handed to none.
        (
            "PortMappings",
            r#"{"PortMappings":[{"hostPort":8080,"containerPort":80}]}"#,
        ),
    ] {
        let message = format!(
            "the runtime's \"runtimeConfig\": no plugin of network \"kube-system/cbr0\" declares capability {capability:?}"
        );
        asked(args).check_error(2, &[&message]);
        let able = |w: &mut World| w.cluster_network = Some(ClusterNetwork::Named("pods/able".to_owned()));
        let able = asked(args).with(able);
        match capability {
            // `able` declares it `false`, in one plugin; the other one has it.
            "PortMappings" => able.check_error(2, &["pods/able", capability]),
            _ => assert!(able.check(&["eth0=pods/able", "net1=pods/a"]).warnings.is_empty()),
        }
    }
}

#[test]
fn what_runtimes_tell_of_their_own_accord_is_never_refused() {
    for args in [
        r#"{"io.kubernetes.cri.pod-annotations":{"kubernetes.io/x":"y"},"cgroupPath":"/kubepods/besteffort",
            "dns":{"Servers":["10.96.0.10"],"Searches":["svc.cluster.local"],"Options":["ndots:5"]}}"#,
        r#"{"aliases":{"plexus":["web","0a1b2c3d4e5f"]},"ipRanges":[[{"subnet":"10.1.0.0/24"}]]}"#,
        r#"{"deviceID":"0000:01:00.1","CNIDeviceInfoFile":"/run/x","org.example.own":{"a":1}}"#,
        r#"{"portMappings":[],"ips":[],"mac":"","bandwidth":{},"infinibandGUID":null}"#,
        r#"{"portMappings":null,"ips":[""],"bandwidth":{"ingressRate":0,"ingressBurst":0.0,"egressRate":null}}"#,
    ] {
        let plan = asked(args).check(&["eth0=kube-system/cbr0", "net1=pods/a"]);
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
        let expected = Object::from_slice(args.as_bytes()).unwrap();
        assert_eq!(plan.attachments[0].capability_args, expected);
    }
}

#[test]
fn with_warn_every_missing_capability_is_logged_with_who_asks_for_it() {
    let world = asked(r#"{"mac":"02:00:00:00:00:01","portMappings":[{"hostPort":80}]}"#)
        .default_network(r#"[{"name":"cbr0","mac":"02:00:00:00:00:02"}]"#)
        .with(|w| w.policy.capability_check = CapabilityCheck::Warn);
    let plan = world.check(&["eth0=kube-system/cbr0", "net1=pods/a"]);
    let warnings: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    let expected = [
        (
            "element 1 of annotation \"v1.multus-cni.io/default-network\"",
            "mac",
        ),
        ("the runtime's \"runtimeConfig\"", "mac"),
        ("the runtime's \"runtimeConfig\"", "portMappings"),
    ]
    .map(|(origin, capability)| {
        format!("{origin}: no plugin of network \"kube-system/cbr0\" declares capability {capability:?}")
    });
    assert_eq!(warnings, expected);
    assert_eq!(
        plan.attachments[0].capability_args.to_string(),
        r#"{"mac":"02:00:00:00:00:02","portMappings":[{"hostPort":80}]}"#
    );
}
