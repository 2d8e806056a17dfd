use cni_net::{At, Links, NetError, Sysctl};

use crate::ground::{Ground, attached, bridge};

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

pub(crate) fn parameters_are_of_their_namespace(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    let at = At::Netns(&pod);
    for key in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
        for (host, inside) in [("1", "0"), ("0", "1")] {
            net.set_sysctls(At::Host, &[pair(key, host)]).unwrap();
            net.set_sysctls(at, &[pair(key, inside)]).unwrap();
            assert_eq!(net.sysctl(At::Host, key).unwrap(), host);
            assert_eq!(net.sysctl(at, key).unwrap(), inside);
        }
    }
    let absent = net.sysctl(At::Host, "ipv4/conf/nope/arp_notify").unwrap_err();
    assert!(absent.is_absent(), "{absent:?}");
    // What comes before a refused one is written, what comes after is not.
    let values = [
        pair("ipv4/ip_forward", "1"),
        pair("ipv4/conf/nope/arp_notify", "1"),
        pair("ipv6/conf/all/forwarding", "1"),
    ];
    let error = net.set_sysctls(At::Host, &values).unwrap_err();
    assert_eq!(error.errno(), Some(2), "{error:?}");
    assert_eq!(
        error.to_string(),
        r#"write "1" to sysctl "ipv4/conf/nope/arp_notify""#
    );
    assert_eq!(net.sysctl(At::Host, "ipv4/ip_forward").unwrap(), "1");
    assert_eq!(net.sysctl(At::Host, "ipv6/conf/all/forwarding").unwrap(), "0");
    let error = net
        .set_sysctls(At::Host, &[pair("ipv4/ip_forward", "yes")])
        .unwrap_err();
    assert_eq!(error.errno(), Some(22), "{error:?}");
    let error = net
        .set_sysctls(At::Host, &[pair("../kernel/hostname", "1")])
        .unwrap_err();
    assert!(matches!(error, NetError::Value { .. }), "{error:?}");
}

pub(crate) fn parameters_go_with_their_link(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(net, &pod, "veth1", &[]);
    bridge(net, "br0");
    for link in ["veth1", "br0"] {
        let key = format!("ipv6/conf/{link}/accept_ra");
        assert_eq!(net.sysctl(At::Host, &key).unwrap(), "0", "{key}");
    }
    let at = At::Netns(&pod);
    let usual = [
        ("ipv4/conf/eth0/arp_notify", "0"),
        ("ipv6/conf/eth0/accept_dad", "1"),
        ("ipv6/conf/eth0/accept_ra", "1"),
        ("ipv6/conf/eth0/disable_ipv6", "0"),
        ("ipv6/conf/eth0/enhanced_dad", "1"),
        ("ipv6/conf/eth0/keep_addr_on_down", "0"),
        ("ipv6/conf/eth0/ndisc_notify", "0"),
    ];
    for (key, value) in usual {
        assert_eq!(net.sysctl(at, key).unwrap(), value, "{key}");
    }
    let key = "ipv4/conf/eth0/arp_notify";
    net.set_sysctls(at, &[pair(key, "1")]).unwrap();
    assert_eq!(net.sysctl(at, key).unwrap(), "1");
    net.del_link(At::Host, "veth1").unwrap();
    assert!(net.sysctl(at, key).unwrap_err().is_absent());
    attached(net, &pod, "veth1", &[]);
    assert_eq!(net.sysctl(at, key).unwrap(), "0");
}
