use netlink_bindings::traits::NetlinkRequest;

use super::*;

fn added(route: &Route, oif: Option<u32>) -> Vec<u8> {
    append(route, oif).payload().to_vec()
}

fn route(dst: &str) -> Route {
    Route::new(dst.parse().unwrap())
}

#[test]
fn a_route_has_the_bytes_that_ip_route_sends() {
    let mut full = route("10.2.0.9/16");
    full.gw = Some("10.1.2.1".parse().unwrap());
    full.src = Some("10.1.2.3".parse().unwrap());
    full.priority = Some(100);
    full.table = Some(1000);
    full.mtu = Some(1400);
    full.advmss = Some(1360);
    full.protocol = Some(96);
    full.onlink = true;
    #[rustfmt::skip]
    let expected = [
        2, 16, 0, 0, 0, 96, 0, 1, 4, 0, 0, 0,
        8, 0, 1, 0, 10, 2, 0, 0,
        8, 0, 5, 0, 10, 1, 2, 1,
        8, 0, 4, 0, 7, 0, 0, 0,
        8, 0, 7, 0, 10, 1, 2, 3,
        8, 0, 6, 0, 100, 0, 0, 0,
        20, 0, 8, 0x80,
            8, 0, 2, 0, 0x78, 5, 0, 0,
            8, 0, 8, 0, 0x50, 5, 0, 0,
        8, 0, 15, 0, 0xe8, 3, 0, 0,
    ];
    assert_eq!(added(&full, Some(7)), expected);
}

#[test]
fn what_is_not_said_is_what_ip_route_takes() {
    // Family, length, tos, table, protocol, scope, type of the header.
    let fields = |body: &[u8]| (body[0], body[1], body[4], body[5], body[6], body[7]);
    assert_eq!(fields(&added(&route("0.0.0.0/0"), None)), (2, 0, 254, 3, 253, 1));
    let mut via = route("::/0");
    via.gw = Some("fd00::1".parse().unwrap());
    assert_eq!(fields(&added(&via, None)), (10, 0, 254, 3, 0, 1));
    assert_eq!(fields(del(&via, None).payload()), (10, 0, 254, 0, 255, 0));
}

#[test]
fn what_was_added_reads_back() {
    let mut sent = route("fd01::/64");
    sent.gw = Some("fd00::1".parse().unwrap());
    sent.table = Some(70_000);
    sent.scope = Some(0);
    sent.mtu = Some(1280);
    sent.protocol = Some(96);
    let body = added(&sent, Some(3));
    let expected = Numbered {
        route: sent,
        oif: Some(3),
    };
    assert_eq!(read(&body), [expected]);
    for cut in 0..body.len() {
        let _ = read(&body[..cut]);
    }
}

#[test]
fn each_next_hop_of_a_multipath_route_is_a_route() {
    let mut body = added(&route("10.9.0.0/16"), None);
    #[rustfmt::skip]
    let hops = [
        36, 0, 9, 0,
            16, 0, 0, 0, 3, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 1,
            16, 0, 4, 0, 4, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 2,
    ];
    body.extend_from_slice(&hops);
    let found: Vec<_> = read(&body)
        .into_iter()
        .map(|n| (n.oif, n.route.gw, n.route.onlink))
        .collect();
    let gw = |last| Some(IpAddr::from([10, 0, 0, last]));
    assert_eq!(found, [(Some(3), gw(1), false), (Some(4), gw(2), true)]);
    for cut in 0..body.len() {
        let _ = read(&body[..cut]);
    }
}

#[test]
fn other_types_of_routes_are_left_out() {
    let mut body = added(&route("10.9.0.0/16"), None);
    body[7] = RtmType::Local as u8;
    assert_eq!(read(&body), []);
}
