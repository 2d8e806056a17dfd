use cni_net::link::Change;
use cni_net::route::{PROTOCOL, Route};
use cni_net::{Addrs, At, Links, NetError, Netns, Routes};

use crate::ground::{Ground, Net, attached};

fn route(dst: &str, gw: Option<&str>, dev: Option<&str>) -> Route {
    let mut route = Route::new(dst.parse().unwrap());
    route.gw = gw.map(|gw| gw.parse().unwrap());
    route.dev = dev.map(str::to_owned);
    route
}

/// The pod's routes, sorted, but for link-local ones, which the fake does not have.
fn routes(net: &impl Net, pod: &Netns) -> Vec<String> {
    let routes = net.routes(At::Netns(pod)).unwrap();
    let mut texts: Vec<String> = routes.iter().map(ToString::to_string).collect();
    texts.retain(|text| !text.starts_with("fe80:"));
    texts.sort();
    texts
}

const SUBNETS: [&str; 2] = [
    r#"10.1.2.0/24 dev "eth0" table 254"#,
    r#"fd00::/64 dev "eth0" table 254"#,
];

pub(crate) fn a_subnet_is_reachable_while_the_link_is_up(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(
        net,
        &pod,
        "veth1",
        &["10.1.2.3/24", "10.9.9.9/32", "fd00::3/64", "fd09::9/128"],
    );
    let at = At::Netns(&pod);
    let mut expected = SUBNETS.to_vec();
    expected.push(r#"fd09::9/128 dev "eth0" table 254"#);
    assert_eq!(routes(net, &pod), expected);
    let all = net.routes(at).unwrap();
    let of = |dst: &str| all.iter().find(|r| r.dst == dst.parse().unwrap()).unwrap();
    let v4 = of("10.1.2.0/24");
    assert_eq!((v4.protocol, v4.scope, v4.priority), (Some(2), Some(253), None));
    assert_eq!(v4.src, Some("10.1.2.3".parse().unwrap()));
    let v6 = of("fd00::/64");
    assert_eq!(
        (v6.protocol, v6.scope, v6.priority, v6.src),
        (Some(2), Some(0), Some(256), None)
    );
    for gone in ["10.1.2.3/24", "fd09::9/128"] {
        assert!(net.del_addr(at, "eth0", gone.parse().unwrap()).unwrap());
    }
    assert_eq!(routes(net, &pod), SUBNETS[1..]);
    net.set_link(at, "eth0", &Change::down()).unwrap();
    assert!(routes(net, &pod).is_empty());
}

pub(crate) fn routes_are_there_once_and_go_with_their_link(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(net, &pod, "veth1", &["10.1.2.3/24", "fd00::3/64"]);
    let at = At::Netns(&pod);
    for (dst, first, second) in [
        ("0.0.0.0/0", "10.1.2.1", "10.1.2.2"),
        ("fd08::/64", "fd00::1", "fd00::2"),
    ] {
        let both = [route(dst, Some(first), None), route(dst, Some(second), None)];
        net.add_routes(at, &both).unwrap();
        let error = net.add_routes(at, &both[..1]).unwrap_err();
        assert!(error.is_exists(), "{error:?}");
        assert_eq!(error.to_string(), format!("add route {dst} via {first}"));
        assert!(net.del_route(at, &both[0]).unwrap());
        assert!(!net.del_route(at, &both[0]).unwrap());
        net.replace_route(at, &both[0]).unwrap();
        assert!(net.del_route(at, &route(dst, None, Some("eth0"))).unwrap());
        assert!(!net.del_route(at, &route(dst, None, Some("nope"))).unwrap());
        net.replace_route(at, &both[0]).unwrap();
        let text = format!(r#"{dst} via {first} dev "eth0" table 254"#);
        assert!(routes(net, &pod).contains(&text), "{:?}", routes(net, &pod));
    }
    assert_eq!(routes(net, &pod).len(), 4);
    assert!(net.del_link(At::Host, "veth1").unwrap());
    assert!(routes(net, &pod).is_empty());
}

pub(crate) fn bad_routes_are_refused(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(net, &pod, "veth1", &["10.1.2.3/24", "fd00::3/64"]);
    let at = At::Netns(&pod);
    let refused = |route: &Route, errno| {
        let error = net.add_routes(at, std::slice::from_ref(route)).unwrap_err();
        assert_eq!(error.errno(), Some(errno), "{error:?}");
    };
    refused(&route("10.9.0.0/16", Some("192.0.2.1"), None), 101);
    refused(&route("10.9.0.0/16", Some("192.0.2.1"), Some("eth0")), 101);
    refused(&route("fd09::/64", Some("fd01::1"), None), 113);
    refused(&route("fd09::/64", Some("fd00::3"), None), 22);
    let mut from = route("10.9.0.0/16", None, Some("eth0"));
    from.src = Some("10.7.7.7".parse().unwrap());
    refused(&from, 22);
    refused(&route("10.9.0.0/16", None, Some("lo")), 100);
    refused(&route("fd09::/64", None, Some("lo")), 100);
    let error = net
        .add_routes(at, &[route("10.9.0.0/16", None, Some("nope"))])
        .unwrap_err();
    assert!(matches!(error, NetError::LinkNotFound { .. }), "{error:?}");
    let mut onlink = route("10.9.0.0/16", Some("192.0.2.1"), Some("eth0"));
    onlink.onlink = true;
    // What follows a refused one is done.
    let batch = [route("10.8.0.0/16", Some("192.0.2.1"), None), onlink];
    assert_eq!(net.add_routes(at, &batch).unwrap_err().errno(), Some(101));
    let text = r#"10.9.0.0/16 via 192.0.2.1 dev "eth0" table 254"#;
    assert!(routes(net, &pod).contains(&text.to_owned()));
}

pub(crate) fn defaults_are_filled_in(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(net, &pod, "veth1", &["10.1.2.3/24", "fd00::3/64"]);
    let at = At::Netns(&pod);
    let mut full = route("10.8.0.0/16", Some("10.1.2.1"), Some("eth0"));
    (full.table, full.priority, full.protocol) = (Some(1000), Some(7), Some(PROTOCOL));
    (full.mtu, full.advmss, full.src) = (Some(1300), Some(1200), Some("10.1.2.3".parse().unwrap()));
    full.scope = Some(0);
    let plain = [
        route("0.0.0.0/0", Some("10.1.2.1"), None),
        route("10.9.0.0/16", None, Some("eth0")),
        route("fd09::/64", Some("fd00::1"), None),
    ];
    net.add_routes(at, &plain).unwrap();
    net.add_routes(at, std::slice::from_ref(&full)).unwrap();
    let all = net.routes(at).unwrap();
    assert!(all.contains(&full), "{all:#?}");
    let expected = [(0, None), (253, None), (0, Some(1024))];
    for (added, (scope, priority)) in plain.iter().zip(expected) {
        let found = all.iter().find(|r| r.dst == added.dst).unwrap();
        let mut wanted = added.clone();
        (wanted.dev, wanted.table) = (Some("eth0".to_owned()), Some(254));
        (wanted.scope, wanted.priority, wanted.protocol) = (Some(scope), priority, Some(3));
        assert_eq!(*found, wanted);
    }
}

pub(crate) fn a_look_up_finds_the_nearest(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    attached(net, &pod, "veth1", &["10.1.2.3/24", "fd00::3/64"]);
    let at = At::Netns(&pod);
    let found = |to: &str| {
        let route = net.route_to(at, to.parse().unwrap()).unwrap()?;
        let text = |ip: Option<std::net::IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
        assert_eq!(route.dst.to_string().split('/').next(), Some(to));
        Some((
            text(route.gw),
            route.dev.unwrap_or_default(),
            text(route.src),
            route.table,
        ))
    };
    let way =
        |gw: &str, dev: &str, src: &str| Some((gw.to_owned(), dev.to_owned(), src.to_owned(), Some(254)));
    assert_eq!(found("192.0.2.1"), None);
    assert_eq!(found("2001:db8::1"), None);
    let table = |to| found(to).and_then(|(.., table)| table);
    crate::ground::soon(|| table("fd00::3") == Some(255));
    assert_eq!(
        found("10.1.2.3"),
        Some((String::new(), "lo".into(), "10.1.2.3".into(), Some(254)))
    );
    assert_eq!(
        found("fd00::3").map(|(.., src, _)| src).as_deref(),
        Some("fd00::3")
    );
    let routes = [
        route("0.0.0.0/0", Some("10.1.2.1"), None),
        route("10.9.0.0/16", Some("10.1.2.2"), None),
        route("::/0", Some("fd00::1"), None),
    ];
    net.add_routes(at, &routes).unwrap();
    assert_eq!(found("192.0.2.1"), way("10.1.2.1", "eth0", "10.1.2.3"));
    assert_eq!(found("10.9.1.1"), way("10.1.2.2", "eth0", "10.1.2.3"));
    assert_eq!(found("10.1.2.9"), way("", "eth0", "10.1.2.3"));
    assert_eq!(found("2001:db8::1"), way("fd00::1", "eth0", "fd00::3"));
    assert_eq!(found("fd00::9"), way("", "eth0", "fd00::3"));
}
