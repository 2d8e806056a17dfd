use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, SystemTime};

use cni_core::invoke::Verb;
use cni_core::spec::Success;
use serde_json::{Value, json};

use super::HostLocal;
use crate::ipam::fixture::{Fixture, refused};

fn fixture(name: &str, ipam: Value) -> Fixture {
    Fixture::new(HostLocal, name, ipam)
}

/// Two addresses, 10.1.0.2 and 10.1.0.3, and the gateway before them.
fn two(name: &str) -> Fixture {
    let range = json!({"subnet": "10.1.0.0/24", "rangeEnd": "10.1.0.3"});
    fixture(name, json!({"ranges": [[range]]}))
}

/// The network's files but the lock, with their content, in order.
fn files(fixture: &Fixture) -> Vec<(String, String)> {
    let mut all: Vec<_> = fs::read_dir(fixture.dir.join("net1"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let content = fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), content)
        })
        .filter(|(name, _)| name != "lock")
        .collect();
    all.sort();
    all
}

#[track_caller]
fn holds(fixture: &Fixture, expected: &[(&str, &str)]) {
    let found = files(fixture);
    let found: Vec<_> = found
        .iter()
        .map(|(name, content)| (&**name, &**content))
        .collect();
    assert_eq!(found, expected);
}

fn put(fixture: &Fixture, name: &str, content: &str) {
    fs::create_dir_all(fixture.dir.join("net1")).unwrap();
    fs::write(fixture.dir.join("net1").join(name), content).unwrap();
}

#[test]
fn the_files_are_the_references() {
    let net = fixture(
        "files",
        json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]}),
    );
    assert_eq!(net.add("c1").unwrap(), ["10.1.0.2/24", "fd00:1::2/64"]);
    holds(
        &net,
        &[
            ("10.1.0.2", "c1\r\neth0"),
            ("fd00:1::2", "c1\r\neth0"),
            ("last_reserved_ip.0", "10.1.0.2"),
            ("last_reserved_ip.1", "fd00:1::2"),
        ],
    );
    net.run(Verb::Del, "c1", None).unwrap();
    net.run(Verb::Del, "c1", None).unwrap();
    let left = [
        ("last_reserved_ip.0", "10.1.0.2"),
        ("last_reserved_ip.1", "fd00:1::2"),
    ];
    holds(&net, &left);
    // A released address is not given out again at once.
    assert_eq!(net.add("c2").unwrap(), ["10.1.0.3/24", "fd00:1::3/64"]);
}

#[test]
fn routes_and_name_servers_reach_the_result() {
    let mut net = two("result");
    put(&net, "resolv", "nameserver 192.0.2.53\nsearch a.example\n");
    net.config["ipam"]["resolvConf"] = json!(net.dir.join("net1/resolv"));
    net.config["ipam"]["routes"] = json!([
        {"dst": "0.0.0.0/0"}, {"dst": "10.9.0.0/16", "gw": "10.1.0.9", "mtu": 1400, "table": 7, "scope": 253}
    ]);
    let result = net.result("c1").unwrap();
    assert_eq!(result.ips[0].gateway, Some("10.1.0.1".parse().unwrap()));
    assert_eq!(result.routes.len(), 2);
    let route = &result.routes[1];
    assert_eq!(
        (route.mtu, route.table, route.scope),
        (Some(1400), Some(7), Some(253))
    );
    assert_eq!(route.gw, Some("10.1.0.9".parse().unwrap()));
    assert_eq!(result.dns.nameservers, ["192.0.2.53"]);
    net.config["ipam"]["resolvConf"] = json!("/nowhere");
    refused(net.add("c2"), 145, "read resolvConf \"/nowhere\"");
}

#[test]
fn a_full_set_says_so_and_leaves_nothing_of_the_others() {
    let net = fixture(
        "full",
        json!({"ranges": [[{"subnet": "fd00:1::/64"}], [{"subnet": "10.1.0.0/30"}]]}),
    );
    assert_eq!(net.add("c1").unwrap(), ["fd00:1::2/64", "10.1.0.2/30"]);
    net.run(Verb::Check, "c1", None).unwrap();
    let words = "no IP addresses available in range set: 10.1.0.1-10.1.0.2";
    refused(net.add("c2"), 140, words);
    refused(net.run(Verb::Status, "c1", None), 50, words);
    let owners = files(&net)
        .into_iter()
        .filter(|(_, owner)| owner.starts_with("c2"));
    assert_eq!(owners.count(), 0);
    net.run(Verb::Del, "c1", None).unwrap();
    net.run(Verb::Status, "c1", None).unwrap();
    assert_eq!(net.add("c2").unwrap(), ["fd00:1::4/64", "10.1.0.2/30"]);
}

#[test]
fn a_requested_address_is_given_or_the_reason_why_not() {
    let mut net = two("requested");
    net.config["runtimeConfig"] = json!({"ips": ["10.1.0.3/24"]});
    assert_eq!(net.add("c1").unwrap(), ["10.1.0.3/24"]);
    refused(
        net.add("c2"),
        141,
        "requested IP address 10.1.0.3 is not available in range set 10.1.0.1-10.1.0.3",
    );
    net.config["runtimeConfig"] = json!({"ips": ["10.1.0.1"]});
    refused(net.add("c2"), 141, "requested ip 10.1.0.1 is subnet's gateway");
    net.config["runtimeConfig"] = json!({"ips": ["10.1.0.255", "10.9.0.1"]});
    refused(
        net.add("c2"),
        141,
        "failed to allocate all requested IPs: 10.1.0.255 10.9.0.1",
    );
    net.config["runtimeConfig"] = json!({});
    net.config["args"] = json!({"cni": {"ips": ["10.1.0.2"]}});
    // The reference gives a second address here.
    refused(
        net.add("c1"),
        142,
        "10.1.0.3 has been allocated to c1, duplicate allocation is not allowed",
    );
    assert_eq!(net.add("c2").unwrap(), ["10.1.0.2/24"]);
    net.config["args"] = Value::Null;
    net.run(Verb::Del, "c1", None).unwrap();
    net.args = "IP=10.1.0.3;MAC=02:00:00:00:00:01".parse().unwrap();
    assert_eq!(net.add("c1").unwrap(), ["10.1.0.3/24"]);
    net.args = "IP=10.1.0.3;FOO=1".parse().unwrap();
    refused(net.add("c3"), 4, "FOO");
}

#[test]
fn an_attachment_gets_its_addresses_once() {
    let net = two("once");
    net.add("c1").unwrap();
    let before = files(&net);
    refused(net.add("c1"), 142, "10.1.0.2 has been allocated to c1");
    assert_eq!(files(&net), before);
    // A file of a very old version names the container alone.
    let old = two("old");
    put(&old, "10.1.0.3", "c1");
    refused(old.add("c1"), 142, "10.1.0.3 has been allocated to c1");
    old.run(Verb::Check, "c1", None).unwrap();
    old.run(Verb::Del, "c1", None).unwrap();
    holds(&old, &[]);
}

#[test]
fn a_wrong_configuration_is_refused_before_any_file_is_made() {
    let cases = [
        (json!({}), "no IP ranges specified"),
        (
            json!({"ranges": [[{"subnet": "10.1.0.0/24"}], []]}),
            "invalid range set 1: empty range set",
        ),
        (
            json!({"subnet": "10.1.0.0/24", "ranges": [[{"subnet": "10.1.0.0/16"}]]}),
            "range set 0 overlaps with 1",
        ),
        (
            json!({"subnet": "10.1.0.0/24", "routes": [{"dst": "x"}]}),
            "route destination",
        ),
        (json!({"subnet": 7}), "expected a string"),
    ];
    for (at, (ipam, words)) in cases.into_iter().enumerate() {
        let net = fixture(&format!("wrong{at}"), ipam);
        refused(net.add("c1"), 7, words);
        refused(net.run(Verb::Status, "c1", None), 7, words);
        assert!(!net.dir.join("net1").exists());
        net.run(Verb::Del, "c1", None).unwrap();
        assert!(!net.dir.join("net1").exists());
    }
    let mut old = fixture(
        "old-version",
        json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]]}),
    );
    old.config["cniVersion"] = json!("0.2.0");
    refused(
        old.add("c1"),
        7,
        "CNI version 0.2.0 does not support more than 1 address per family",
    );
}

#[test]
fn ranges_of_the_runtime_stand_before_those_of_the_configuration() {
    let mut net = two("runtime");
    net.config["runtimeConfig"] = json!({"ipRanges": [[{"subnet": "10.7.0.0/24"}]]});
    assert_eq!(net.add("c1").unwrap(), ["10.7.0.2/24", "10.1.0.2/24"]);
}

#[test]
fn del_needs_no_valid_ranges() {
    let mut net = two("bad-ranges");
    net.add("c1").unwrap();
    net.config["ipam"]["ranges"] = json!([[{"subnet": "nonsense", "rangeStart": 7}]]);
    refused(net.add("c2"), 7, "");
    net.run(Verb::Del, "c1", None).unwrap();
    holds(&net, &[("last_reserved_ip.0", "10.1.0.2")]);
}

#[test]
fn del_reports_what_it_could_not_free() {
    let net = two("stuck");
    net.add("c1").unwrap();
    // A directory cannot be unlinked, whoever tries; root would be let past a mere permission.
    let hint = net.dir.join("net1/.unfinished");
    fs::create_dir(&hint).unwrap();
    refused(net.run(Verb::Del, "c1", None), 143, ".unfinished");
    fs::remove_dir(&hint).unwrap();
    net.run(Verb::Del, "c1", None).unwrap();
}

#[test]
fn check_compares_the_addresses_of_the_result() {
    let net = two("check");
    let result = net.result("c1").unwrap();
    net.run(Verb::Check, "c1", Some(&result)).unwrap();
    fs::rename(net.dir.join("net1/10.1.0.2"), net.dir.join("net1/10.1.0.3")).unwrap();
    refused(
        net.run(Verb::Check, "c1", Some(&result)),
        144,
        "Failed to find address 10.1.0.2",
    );
    refused(
        net.run(Verb::Check, "c2", Some(&Success::new())),
        144,
        "Failed to find address added by container c2",
    );
    // An address of another plugin in the chain is none of its business.
    let other = fixture("other", json!({"subnet": "10.5.0.0/24"}));
    let mut both = other.result("c1").unwrap();
    both.ips.extend(result.ips);
    other.run(Verb::Check, "c1", Some(&both)).unwrap();
}

#[test]
fn gc_frees_what_no_valid_attachment_has() {
    let mut net = two("gc");
    for (ip, owner) in [
        ("10.1.0.2", "c1\r\neth0"),
        ("10.1.0.3", "c1\r\neth1"),
        ("10.1.0.4", "c2\r\neth0"),
        ("10.1.0.5", "c1"),
        ("10.1.0.6", "c3"),
        ("10.1.0.7", ""),
        ("last_reserved_ip.0", "10.1.0.7"),
        ("notes", "of the administrator"),
    ] {
        put(&net, ip, owner);
    }
    let before = files(&net);
    // No list is no word on what is valid.
    net.run(Verb::Gc, "x", None).unwrap();
    assert_eq!(files(&net), before);
    let valid = json!([{"containerID": "c1", "ifname": "eth0"}]);
    net.config["cni.dev/valid-attachments"] = valid;
    net.run(Verb::Gc, "x", None).unwrap();
    let left = [
        ("10.1.0.2", "c1\r\neth0"),
        ("10.1.0.5", "c1"),
        ("10.1.0.7", ""),
        ("last_reserved_ip.0", "10.1.0.7"),
        ("notes", "of the administrator"),
    ];
    holds(&net, &left);
    net.config["cni.dev/valid-attachments"] = json!([]);
    net.run(Verb::Gc, "x", None).unwrap();
    holds(&net, &left[2..]);
    assert!(net.dir.join("net1/lock").exists());
}

#[test]
fn an_empty_file_is_taken_as_free_when_nobody_can_be_writing_it() {
    let net = two("empty");
    put(&net, "10.1.0.2", "");
    // A writer that knows no lock may be at it.
    assert_eq!(net.add("c1").unwrap(), ["10.1.0.3/24"]);
    refused(net.add("c2"), 140, "no IP addresses available");
    let file = fs::File::options()
        .write(true)
        .open(net.dir.join("net1/10.1.0.2"))
        .unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(61))
        .unwrap();
    assert_eq!(net.add("c2").unwrap(), ["10.1.0.2/24"]);
}

#[test]
fn what_a_dead_process_left_half_done_does_not_matter() {
    let net = two("half");
    net.add("c1").unwrap();
    // Killed between link and unlink: both names are one file, which must not be written to.
    fs::hard_link(net.dir.join("net1/10.1.0.2"), net.dir.join("net1/.unfinished")).unwrap();
    put(&net, "last_reserved_ip.0", "");
    assert_eq!(net.add("c2").unwrap(), ["10.1.0.3/24"]);
    holds(
        &net,
        &[
            ("10.1.0.2", "c1\r\neth0"),
            ("10.1.0.3", "c2\r\neth0"),
            ("last_reserved_ip.0", "10.1.0.3"),
        ],
    );
}

#[test]
fn what_is_no_file_keeps_its_address_and_stops_nobody() {
    let net = fixture("foreign", json!({"subnet": "10.1.0.0/29"}));
    fs::create_dir_all(net.dir.join("net1/10.1.0.2")).unwrap();
    symlink("/dev/zero", net.dir.join("net1/10.1.0.3")).unwrap();
    let pipe = Command::new("mkfifo").arg(net.dir.join("net1/10.1.0.4")).status();
    assert!(pipe.unwrap().success());
    put(&net, "10.1.0.5", &"no owner ".repeat(1000));
    assert_eq!(net.add("c1").unwrap(), ["10.1.0.6/29"]);
    refused(net.add("c2"), 140, "no IP addresses available");
    net.run(Verb::Del, "c1", None).unwrap();
    assert_eq!(net.add("c2").unwrap(), ["10.1.0.6/29"]);
}

#[test]
fn status_says_that_the_directory_cannot_be_used() {
    let mut net = two("unusable");
    put(&net, "file", "");
    net.config["ipam"]["dataDir"] = json!(net.dir.join("net1/file"));
    refused(net.run(Verb::Status, "c1", None), 50, "create directory");
    refused(net.add("c1"), 143, "create directory");
}

#[test]
fn fifty_at_once_get_fifty_addresses() {
    let net = fixture("fifty", json!({"subnet": "10.1.0.0/24"}));
    let mut given: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|n| {
                scope.spawn({
                    let net = &net;
                    move || net.add(&format!("c{n}")).unwrap()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    given.sort();
    given.dedup();
    assert_eq!(given.len(), 50);
    std::thread::scope(|scope| {
        for n in 0..50 {
            let net = &net;
            scope.spawn(move || net.run(Verb::Del, &format!("c{n}"), None).unwrap());
        }
    });
    assert_eq!(files(&net).len(), 1);
}

#[test]
fn the_whole_of_ipv6_is_no_slower_than_a_small_range() {
    let net = fixture(
        "huge",
        json!({"subnet": "::/0", "rangeStart": "2001:db8::ffff:ffff:ffff:fffe"}),
    );
    let expected = [
        "2001:db8::ffff:ffff:ffff:fffe/0",
        "2001:db8::ffff:ffff:ffff:ffff/0",
        "2001:db8:0:1::/0",
    ];
    for (n, expected) in expected.into_iter().enumerate() {
        assert_eq!(net.add(&format!("c{n}")).unwrap(), [expected]);
        net.run(Verb::Status, "x", None).unwrap();
    }
}
