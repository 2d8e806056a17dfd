//! Plugins that are killed in the middle of a call, as when a node runs out of memory.

use std::fs::File;
use std::process::{Command, Stdio};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use cni_net::link::NewBridge;
use cni_net::netns::within;
use cni_net::nft::{Chain, Family};
use cni_net::{At, Links, Namespaces, Nft};
use serde_json::json;

use crate::fixture::{Conf, Node, Pod};

/// How many moments of an ADD are tried.
const MOMENTS: u32 = 30;

/// A call of the executable, still to be run; `tracer` is a program that runs it, with its arguments.
fn call(node: &Node, verb: &str, pod: &Pod, conf: &Conf, tracer: &[&str]) -> Command {
    let bin = node.dir.join("bin");
    let program = bin.join(conf.0["type"].as_str().unwrap());
    let mut command = match tracer {
        [] => Command::new(program),
        [tracer, arguments @ ..] => {
            let mut command = Command::new(tracer);
            command.args(arguments).arg(program);
            command
        }
    };
    let config = node.dir.join(format!("{verb}-{}.json", pod.id));
    std::fs::write(&config, conf.0.to_string()).unwrap();
    command.stdin(File::open(config).unwrap()).stdout(Stdio::null());
    command
        .env_clear()
        .env("CNI_COMMAND", verb)
        .env("CNI_IFNAME", "eth0")
        .env("CNI_CONTAINERID", &pod.id)
        .env("CNI_NETNS", pod.path().to_string())
        .env("CNI_PATH", &bin)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// Starts a call and kills it after `time`, or lets it end; whether it succeeded.
fn run(node: &Node, mut command: Command, time: Option<Duration>) -> bool {
    let host = node.net.open(node.path()).unwrap();
    let mut child = within(&host, || command.spawn().unwrap()).unwrap();
    if let Some(time) = time {
        sleep(time);
        child.kill().unwrap();
    }
    child.wait().unwrap().success()
}

/// What becomes of a call at one of its requests to the kernel, after a pause in which others may come.
#[derive(Clone, Copy)]
enum Then {
    GoesOn,
    IsKilled,
}

/// Runs a call and holds it before its request number `nth` to the kernel; whether it succeeded.
fn held_at(node: &Node, verb: &str, pod: &Pod, conf: &Conf, nth: u32, then: Then) -> bool {
    let signal = match then {
        Then::GoesOn => "",
        Then::IsKilled => ":signal=KILL",
    };
    let inject = format!("inject=sendto:delay_enter=100ms{signal}:when={nth}");
    let tracer = ["strace", "-qqo", "/dev/null", "-e", "trace=sendto", "-e", &inject];
    run(node, call(node, verb, pod, conf, &tracer), None)
}

#[track_caller]
fn nothing_is_left(node: &Node, conf: &Conf, links: &[&str]) {
    let started = Instant::now();
    let pod = Pod::new(node, "whole");
    assert!(run(node, call(node, "ADD", &pod, conf, &[]), None));
    let whole = started.elapsed();
    node.del(&pod, conf, None).unwrap();
    for moment in 0..MOMENTS {
        let pod = Pod::new(node, "c1");
        run(
            node,
            call(node, "ADD", &pod, conf, &[]),
            Some(whole * moment / MOMENTS),
        );
        match moment % 3 {
            0 => node.del(&pod, conf, None).unwrap(),
            1 => node.del_at(&pod, conf, None, None).unwrap(),
            _ => node.gc(conf, Some(&[])).unwrap(),
        }
        node.has(links);
        node.reserved(&[]);
        let rules = Chain::new(Family::Inet, "cni_plugins_masquerade", "masq_checks");
        assert_eq!(node.net.rules(At::Host, &rules).unwrap(), []);
    }
}

#[test]
fn after_a_kill_at_any_moment_of_add_a_del_or_gc_leaves_only_the_bridge() {
    let node = Node::new();
    let ranges = json!([[{ "subnet": "10.9.0.0/24" }], [{ "subnet": "fd09::/64" }]]);
    let conf = node.conf(json!({
        "type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipMasq": true,
        "ipam": { "type": "host-local", "ranges": ranges }
    }));
    nothing_is_left(&node, &conf, &["br0"]);
}

#[test]
fn after_a_kill_at_any_moment_of_add_of_macvlan_a_del_or_gc_leaves_nothing() {
    let node = Node::new();
    node.net
        .ensure_bridge(&NewBridge::new("up0".parse().unwrap()))
        .unwrap();
    let conf = node.conf(json!({
        "type": "macvlan", "master": "up0", "ipam": { "type": "host-local", "subnet": "10.9.0.0/24" }
    }));
    nothing_is_left(&node, &conf, &["up0"]);
}

fn segment(node: &Node) -> Conf {
    let ipam = json!({ "type": "host-local", "subnet": "10.9.0.0/24" });
    node.conf(json!({ "type": "vxlan", "vni": 7, "mtu": 1400, "ipMasq": true, "ipam": ipam }))
}

#[test]
fn after_a_kill_at_any_moment_of_add_of_vxlan_a_del_or_gc_leaves_nothing() {
    let node = Node::new();
    nothing_is_left(&node, &segment(&node), &[]);
}

#[test]
fn vx4_the_last_one_out_and_the_next_one_in_may_be_killed_between_any_two_steps() {
    /// About as many as DEL and ADD make.
    const REQUESTS: (u32, u32) = (16, 36);
    let node = Node::new();
    let conf = segment(&node);
    for round in 0..rounds(20) {
        let (old, new) = (Pod::new(&node, "old"), Pod::new(&node, "new"));
        assert!(
            run(&node, call(&node, "ADD", &old, &conf, &[]), None),
            "round {round}"
        );
        let then = [Then::GoesOn, Then::IsKilled][(round / 2 % 2) as usize];
        let joined = scope(|scope| {
            let joining = scope.spawn(|| {
                // By then DEL is most often held. Every second one ends well.
                sleep(Duration::from_millis(40 + u64::from(round % 5) * 10));
                match round % 2 {
                    0 => run(&node, call(&node, "ADD", &new, &conf, &[]), None),
                    _ => held_at(
                        &node,
                        "ADD",
                        &new,
                        &conf,
                        1 + round * 7 % REQUESTS.1,
                        Then::IsKilled,
                    ),
                }
            });
            let nth = 1 + (round * 5 + round / REQUESTS.0) % REQUESTS.0;
            held_at(&node, "DEL", &old, &conf, nth, then);
            joining.join().unwrap()
        });
        assert!(joined || round % 2 == 1, "round {round}");
        node.del(&old, &conf, None).unwrap();
        if !joined {
            node.del(&new, &conf, None).unwrap();
            node.has(&[]);
            assert!(
                run(&node, call(&node, "ADD", &new, &conf, &[]), None),
                "round {round}"
            );
        }
        let links = node.net.links(At::Host).unwrap();
        assert_eq!(
            links.len(),
            4,
            "lo, bridge, device and veth: round {round}, {links:?}"
        );
        node.del(&new, &conf, None).unwrap();
        node.has(&[]);
        node.reserved(&[]);
        let locks = std::fs::read_dir(node.dir.join("vxlan")).unwrap().count();
        assert_eq!(locks, 0, "round {round}");
    }
}

/// How many rounds a test of chance has: `PLEXUS_ROUNDS`, or a number for every day.
#[expect(clippy::disallowed_methods, reason = "whoever wants more rounds says so here")]
fn rounds(usual: u32) -> u32 {
    let wanted = std::env::var("PLEXUS_ROUNDS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(usual)
}
