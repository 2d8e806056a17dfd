//! What is lost, kept and computed on the way from one layout to another.

use super::check;

#[test]
fn families_become_addresses_and_routes_follow_in_order() {
    check(
        r#"{"ip6":{"ip":"fd00::2/64","routes":[{"dst":"::/0"}]},
            "ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1","routes":[{"dst":"0.0.0.0/0"},{"dst":"10.9.0.0/16","gw":"10.0.0.9"}]}}"#,
        "0.2.0",
        "0.3.1",
        r#"{"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.0.0.2/24","gateway":"10.0.0.1"},{"version":"6","address":"fd00::2/64"}],
            "routes":[{"dst":"0.0.0.0/0"},{"dst":"10.9.0.0/16","gw":"10.0.0.9"},{"dst":"::/0"}],"dns":{}}"#,
    );
}

#[test]
fn only_the_first_address_of_a_family_reaches_0_2_0() {
    check(
        r#"{"interfaces":[{"name":"eth0"}],"dns":{"domain":"d"},
            "ips":[{"version":"4","address":"10.0.0.2/24","gateway":"10.0.0.1","interface":0},{"version":"4","address":"10.0.1.2/24"}]}"#,
        "0.4.0",
        "0.2.0",
        r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1"},"dns":{"domain":"d"}}"#,
    );
}

#[test]
fn an_address_of_ipv6_alone_reaches_0_1_0() {
    check(
        r#"{"ips":[{"address":"fd00::2/64","gateway":"fd00::1"}],"routes":[{"dst":"::/0","gw":"fd00::1"}]}"#,
        "1.1.0",
        "0.1.0",
        r#"{"cniVersion":"0.1.0","ip6":{"ip":"fd00::2/64","gateway":"fd00::1","routes":[{"dst":"::/0","gw":"fd00::1"}]},"dns":{}}"#,
    );
}

#[test]
fn a_route_of_a_family_without_address_is_dropped_at_0_2_0() {
    check(
        r#"{"ips":[{"address":"10.0.0.2/24"}],"routes":[{"dst":"::/0"},{"dst":"0.0.0.0/0"}]}"#,
        "1.0.0",
        "0.2.0",
        r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24","routes":[{"dst":"0.0.0.0/0"}]},"dns":{}}"#,
    );
}

#[test]
fn a_result_without_address_cannot_be_0_2_0() {
    let lost = "cannot convert: no valid IP addresses";
    check(r#"{"interfaces":[{"name":"eth0"}]}"#, "1.0.0", "0.2.0", lost);
    check(r#"{"routes":[{"dst":"0.0.0.0/0"}]}"#, "0.4.0", "0.1.0", lost);
}

#[test]
fn the_family_is_the_address_s_also_where_version_is_missing_or_wrong() {
    let expected = r#"{"cniVersion":"0.3.0","ips":[{"version":"4","address":"10.0.0.2/24"},{"version":"6","address":"fd00::2/64"}],"dns":{}}"#;
    check(
        r#"{"ips":[{"address":"10.0.0.2/24"},{"address":"fd00::2/64"}]}"#,
        "0.3.0",
        "0.3.0",
        expected,
    );
    check(
        r#"{"ips":[{"version":"6","address":"10.0.0.2/24"},{"version":"","address":"fd00::2/64"}]}"#,
        "0.4.0",
        "0.3.0",
        expected,
    );
    check(
        r#"{"ips":[{"address":"10.0.0.2/24"}]}"#,
        "0.4.0",
        "0.2.0",
        r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24"},"dns":{}}"#,
    );
}

#[test]
fn addresses_lose_their_version_on_the_way_up_and_get_it_back() {
    let old = r#"{"cniVersion":"0.4.0","ips":[{"version":"6","address":"fd00::2/64"}],"dns":{}}"#;
    let new = r#"{"cniVersion":"1.0.0","ips":[{"address":"fd00::2/64"}]}"#;
    check(old, "0.4.0", "1.0.0", new);
    check(new, "1.0.0", "0.4.0", old);
}

#[test]
fn interfaces_are_kept_by_index_whatever_the_index() {
    let document = r#"{"cniVersion":"1.0.0","interfaces":[{"name":"eth0"}],"ips":[{"address":"10.0.0.2/24","interface":-1},
        {"address":"10.0.0.3/24","interface":7},{"address":"10.0.0.4/24","interface":0},{"address":"10.0.0.5/24"}]}"#;
    check(document, "1.0.0", "1.0.0", document);
}

#[test]
fn keys_of_1_1_0_stay_in_1_0_0_and_only_those_of_routes_below() {
    let document = |version: &str| {
        format!(
            r#"{{"cniVersion":"{version}","interfaces":[{{"name":"eth0","mtu":1400,"socketPath":"/s","pciID":"p"}}],"#
        ) + r#""ips":[{"address":"10.0.0.2/24"}],"routes":[{"dst":"0.0.0.0/0","mtu":1,"advmss":2,"priority":3,"table":4,"scope":254}]}"#
    };
    check(&document("1.1.0"), "1.1.0", "1.0.0", &document("1.0.0"));
    check(
        &document("1.1.0"),
        "1.1.0",
        "0.4.0",
        r#"{"cniVersion":"0.4.0","interfaces":[{"name":"eth0"}],"ips":[{"version":"4","address":"10.0.0.2/24"}],
            "routes":[{"dst":"0.0.0.0/0","mtu":1,"advmss":2,"priority":3,"table":4,"scope":254}],"dns":{}}"#,
    );
    check(
        &document("1.1.0"),
        "1.1.0",
        "0.2.0",
        r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24","routes":[{"dst":"0.0.0.0/0"}]},"dns":{}}"#,
    );
}

#[test]
fn a_number_that_is_0_is_none_but_for_table_and_scope() {
    check(
        r#"{"interfaces":[{"name":"a","mtu":0}],"routes":[{"dst":"0.0.0.0/0","mtu":0,"advmss":0,"priority":0,"table":0,"scope":0}]}"#,
        "1.1.0",
        "1.1.0",
        r#"{"cniVersion":"1.1.0","interfaces":[{"name":"a"}],"routes":[{"dst":"0.0.0.0/0","table":0,"scope":0}]}"#,
    );
}

#[test]
fn dns_is_always_there_below_1_0_0_and_only_with_content_above() {
    check(r#"{"dns":{}}"#, "1.0.0", "1.1.0", r#"{"cniVersion":"1.1.0"}"#);
    check(
        r#"{"dns":{"search":[]}}"#,
        "0.4.0",
        "1.1.0",
        r#"{"cniVersion":"1.1.0"}"#,
    );
    check("{}", "1.1.0", "0.3.1", r#"{"cniVersion":"0.3.1","dns":{}}"#);
}

#[test]
fn empty_text_and_empty_lists_are_left_out() {
    check(
        r#"{"interfaces":[{"name":"a","mac":"","sandbox":"","socketPath":"","pciID":""}],"ips":[],"routes":[{"dst":"0.0.0.0/0","gw":""}],"dns":null}"#,
        "1.1.0",
        "1.1.0",
        r#"{"cniVersion":"1.1.0","interfaces":[{"name":"a"}],"routes":[{"dst":"0.0.0.0/0"}]}"#,
    );
    check(
        r#"{"interfaces":null,"ips":[{"address":"10.0.0.2/24","gateway":"","interface":null}]}"#,
        "1.1.0",
        "1.1.0",
        r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/24"}]}"#,
    );
}

#[test]
fn ipv4_mapped_into_ipv6_is_ipv4() {
    check(
        r#"{"ips":[{"address":"::ffff:10.0.0.2/120","gateway":"::ffff:10.0.0.1"}],"routes":[{"dst":"::ffff:0.0.0.0/96","gw":"::ffff:a00:1"}]}"#,
        "1.0.0",
        "0.2.0",
        r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1","routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1"}]},"dns":{}}"#,
    );
}

#[test]
fn route_attributes_survive_a_round_trip_below_0_3_0() {
    let document = |version: &str| {
        format!(
            r#"{{"cniVersion":"{version}","ip4":{{"ip":"10.0.0.2/24","routes":[{{"dst":"0.0.0.0/0","mtu":1400,"table":0}}]}},"dns":{{}}}}"#
        )
    };
    check(&document("0.2.0"), "0.2.0", "0.1.0", &document("0.1.0"));
    check(
        &document("0.2.0"),
        "0.2.0",
        "1.1.0",
        r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/24"}],"routes":[{"dst":"0.0.0.0/0","mtu":1400,"table":0}]}"#,
    );
}
