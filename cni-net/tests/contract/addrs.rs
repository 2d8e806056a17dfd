use cni_net::link::{Change, NewVeth};
use cni_net::{Addrs, At, Links, NetError, Sysctl};

use crate::ground::{Ground, addr, addrs, attached};

pub(crate) fn an_address_is_there_once_and_goes(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(net, &pod, "veth1", &["10.1.2.3/24", "fd00::3/64"]);
    let at = At::Netns(&pod);
    assert_eq!(addrs(net, at, "eth0"), ["10.1.2.3/24", "fd00::3/64"]);
    for text in ["10.1.2.3/24", "fd00::3/64", "fd00::3/80"] {
        let error = net.add_addrs(at, "eth0", &[addr(text)]).unwrap_err();
        assert!(error.is_exists(), "{error:?}");
        assert_eq!(error.to_string(), format!("add address {text} to \"eth0\""));
    }
    // IPv4 takes the same address with another prefix, and what follows a refused one is done.
    let batch = [addr("10.1.2.3/24"), addr("10.1.2.3/16"), addr("fd01::3/64")];
    assert!(net.add_addrs(at, "eth0", &batch).unwrap_err().is_exists());
    assert_eq!(
        addrs(net, at, "eth0"),
        ["10.1.2.3/24", "10.1.2.3/16", "fd01::3/64", "fd00::3/64"]
    );
    for text in ["10.1.2.3/16", "fd01::3/64"] {
        assert!(net.del_addr(at, "eth0", text.parse().unwrap()).unwrap());
        assert!(!net.del_addr(at, "eth0", text.parse().unwrap()).unwrap());
    }
    assert!(!net.del_addr(at, "eth0", "10.1.2.3/25".parse().unwrap()).unwrap());
    assert!(!net.del_addr(at, "nope", "10.1.2.3/24".parse().unwrap()).unwrap());
    assert_eq!(addrs(net, at, "eth0"), ["10.1.2.3/24", "fd00::3/64"]);
    for error in [
        net.addrs(at, "nope").unwrap_err(),
        net.add_addrs(at, "nope", &batch).unwrap_err(),
    ] {
        assert!(matches!(error, NetError::LinkNotFound { .. }), "{error:?}");
    }
}

pub(crate) fn addresses_wait_for_no_link(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    net.add_veth(&NewVeth::new(
        &pod,
        "eth0".parse().unwrap(),
        "veth1".parse().unwrap(),
    ))
    .unwrap();
    let at = At::Netns(&pod);
    let mut detected = addr("fd00::4/64");
    detected.nodad = false;
    net.add_addrs(at, "eth0", &[addr("10.1.2.3/24"), addr("fd00::3/64"), detected])
        .unwrap();
    let found = net.addrs(at, "eth0").unwrap();
    let of = |text: &str| found.iter().find(|a| a.address.to_string() == text).unwrap();
    assert!(!of("10.1.2.3/24").tentative && !of("fd00::3/64").tentative && of("fd00::3/64").nodad);
    assert!(of("fd00::4/64").tentative && !of("fd00::4/64").nodad);
    // Down again, IPv6 addresses are kept only if that is said.
    net.set_sysctls(at, &[("ipv6/conf/eth0/accept_dad".to_owned(), "0".to_owned())])
        .unwrap();
    for (keep, left) in [("1", 3), ("0", 1)] {
        net.set_sysctls(
            at,
            &[("ipv6/conf/eth0/keep_addr_on_down".to_owned(), keep.to_owned())],
        )
        .unwrap();
        net.set_link(at, "eth0", &Change::up()).unwrap();
        net.set_link(at, "eth0", &Change::down()).unwrap();
        assert_eq!(addrs(net, at, "eth0").len(), left, "{keep}");
    }
}

pub(crate) fn an_interface_without_ipv6_takes_none(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(net, &pod, "veth1", &[]);
    let at = At::Netns(&pod);
    let key = "ipv6/conf/eth0/disable_ipv6".to_owned();
    net.set_sysctls(at, &[(key, "1".to_owned())]).unwrap();
    let error = net.add_addrs(at, "eth0", &[addr("fd00::3/64")]).unwrap_err();
    assert_eq!(error.errno(), Some(13), "{error:?}");
    net.add_addrs(at, "eth0", &[addr("10.1.2.3/24")]).unwrap();
}

pub(crate) fn loopback_gets_its_addresses_when_it_comes_up(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    let at = At::Netns(&pod);
    let lo = net.link(at, "lo").unwrap().unwrap();
    assert_eq!((lo.index, lo.mtu, lo.up, lo.group), (1, 65_536, false, 0));
    assert!(addrs(net, at, "lo").is_empty());
    for _ in 0..2 {
        net.set_link(at, "lo", &Change::up()).unwrap();
        assert_eq!(addrs(net, at, "lo"), ["127.0.0.1/8", "::1/128"]);
        net.set_link(at, "lo", &Change::down()).unwrap();
        assert_eq!(addrs(net, at, "lo"), ["127.0.0.1/8"]);
    }
}
