//! The fault sweep: every plugin on a fake kernel, with each call to the kernel failing in turn. Whatever
//! failed, a DEL (or a GC, where DEL never came) leaves nothing behind but what the plugin says that it leaves.
//!
//! A plugin joins with one line: a name, its configuration, and what stays on the machine after ADD and DEL,
//! as [`cni_net::fake::FakeNet::state`] shows it. There is an uplink `up0`, 192.0.2.1/24, and a pod at `/ns`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod input;
mod machine;
mod many;
mod refused;
mod taken_over;

use cni_net::fake::{Failing, Fault};

use machine::Machine;

/// Each line as a module with one test for each verb.
macro_rules! sweep {
    ($($name:ident: $conf:tt leaves [$($left:literal),*];)*) => {
    $(
        mod $name {
            pub(crate) fn machine() -> crate::Machine {
                crate::Machine::new(serde_json::json!($conf), &[$($left),*])
            }

            #[test]
            fn an_add_that_fails_anywhere_leaves_nothing() {
                crate::add(machine, crate::Fault::Refused);
            }

            #[test]
            fn an_add_whose_answer_is_lost_anywhere_leaves_nothing_after_del() {
                crate::add(machine, crate::Fault::Lost);
            }

            #[test]
            fn a_del_that_fails_anywhere_is_completed_by_the_next() {
                for fault in [crate::Fault::Refused, crate::Fault::Lost] {
                    crate::del(machine, fault);
                }
            }

            #[test]
            fn a_check_that_fails_anywhere_changes_nothing() {
                crate::check(machine);
            }

            #[test]
            fn a_gc_that_fails_anywhere_is_completed_by_the_next() {
                crate::gc(machine);
            }
        }
    )*

        /// The machine of each line.
        pub(crate) fn swept() -> Vec<Machine> {
            vec![$($name::machine()),*]
        }

        #[test]
        fn every_plugin_of_the_table_that_needs_the_kernel_is_swept() {
            let swept: Vec<String> = swept().iter().map(Machine::plugin).collect();
            let table = cni_plugins::table(&cni_net::fake::FakeNet::new());
            // These know files alone; they are swept behind the others.
            let needed = table.types().filter(|kind| !["host-local", "static"].contains(kind));
            for kind in needed {
                assert!(swept.iter().any(|plugin| plugin == kind), "{kind} is in no line");
            }
        }
    };
}

sweep! {
    bridge_layer_2: { "type": "bridge", "bridge": "br0" } leaves ["host/br0"];
    bridge_gateway: {
        "type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipMasq": true, "macspoofchk": true,
        "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.9.0.0/24" }], [{ "subnet": "fd09::/64" }]] }
    } leaves [
        "host/br0", "host/br0 addr 10.9.0.1/24", "host/br0 addr fd09::1/64",
        "host sysctl ipv4/conf/br0/arp_notify=1", "host sysctl ipv6/conf/br0/ndisc_notify=1",
        "host sysctl ipv4/ip_forward=1", "host sysctl ipv6/conf/all/forwarding=1",
        "host sysctl ipv6/conf/up0/accept_ra=2",
        "host nft inet cni_plugins_masquerade", "host nft inet cni_plugins_masquerade masq_checks",
        "host nft inet cni_plugins_masquerade postrouting",
        "host nft inet cni_plugins_masquerade postrouting rule \"\"",
        "host nft bridge nat", "host nft bridge nat PREROUTING"
    ];
    loopback: { "type": "loopback" } leaves ["/ns/lo down", "/ns/lo addr 127.0.0.1/8"];
    macvlan_layer_2: { "type": "macvlan", "master": "up0" } leaves [];
    macvlan_static: {
        "type": "macvlan", "mode": "private", "mtu": 1400,
        "ipam": { "type": "static", "addresses": [{ "address": "10.8.0.3/24", "gateway": "10.8.0.1" }, { "address": "fd08::3/64" }],
                  "routes": [{ "dst": "0.0.0.0/0" }] }
    } leaves [];
    tuning: {
        "type": "tuning", "mac": "02:00:00:00:00:0a", "mtu": 1400, "promisc": true, "allmulti": true, "txQLen": 5,
        "sysctl": { "net.ipv4.conf.IFNAME.rp_filter": "1", "net.ipv6.conf.IFNAME.accept_dad": "0" }
    } leaves ["/ns sysctl ipv4/conf/eth0/rp_filter=1", "/ns sysctl ipv6/conf/eth0/accept_dad=0"];
    vxlan_layer_2: { "type": "vxlan", "vni": 7 } leaves [];
    vxlan_gateway: {
        "type": "vxlan", "vni": 7, "peers": ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "isDefaultGateway": true, "ipMasq": true,
        "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.7.0.0/24" }]] }
    } leaves [
        "host sysctl ipv4/ip_forward=1",
        "host nft inet cni_plugins_masquerade", "host nft inet cni_plugins_masquerade masq_checks",
        "host nft inet cni_plugins_masquerade postrouting",
        "host nft inet cni_plugins_masquerade postrouting rule \"\""
    ];
}

/// Runs `case` with each call failing in turn, until there are no more of them.
fn each_call(
    machine: fn() -> Machine,
    fault: Fault,
    case: impl Fn(&Machine, &Failing<cni_net::fake::FakeNet>, usize),
) {
    /// Far more than any verb needs.
    const ENOUGH: usize = 500;
    for nth in 0..ENOUGH {
        let machine = machine();
        let failing = Failing::new(machine.net.clone(), nth, fault);
        case(&machine, &failing, nth);
        if !failing.has_failed() {
            return;
        }
    }
    panic!("there is no end of calls");
}

fn add(machine: fn() -> Machine, fault: Fault) {
    let unharmed = machine();
    unharmed.add(&unharmed.net).unwrap();
    let whole = unharmed.state();
    each_call(machine, fault, |machine, failing, nth| {
        let added = machine.add(failing);
        assert!(failing.calls() > 0, "the kernel was not asked for anything");
        match &added {
            // What the plugin can do without, or did another way: then the whole is there.
            Ok(success) => {
                machine.check(&machine.net, success).unwrap();
                machine.is_whole(&whole, nth);
            }
            Err(_) if fault == Fault::Refused => machine.is_undone(nth),
            Err(_) => {}
        }
        machine.del(&machine.net, added.as_ref().ok()).unwrap();
        machine.is_clean(nth, "DEL");
        // Nothing stands in the way of the next one.
        let again = machine.add(&machine.net).unwrap();
        machine.check(&machine.net, &again).unwrap();
        machine.del(&machine.net, Some(&again)).unwrap();
        machine.is_clean(nth, "ADD and DEL again");
    });
}

fn del(machine: fn() -> Machine, fault: Fault) {
    for whole in [true, false] {
        each_call(machine, fault, |machine, failing, nth| {
            let success = machine.add(&machine.net).unwrap();
            if !whole {
                machine.net.del_netns(machine::POD);
            }
            let prev = whole.then_some(&success);
            if machine.del(failing, prev).is_ok() {
                // No runtime calls again then.
                machine.is_clean(nth, "DEL that overcame a failure");
            }
            machine.del(&machine.net, prev).unwrap();
            machine.is_clean(nth, "DEL after one that failed");
        });
    }
}

fn check(machine: fn() -> Machine) {
    each_call(machine, Fault::Refused, |machine, failing, nth| {
        let success = machine.add(&machine.net).unwrap();
        let before = machine.state();
        let checked = machine.check(failing, &success);
        assert_eq!(checked.is_err(), failing.has_failed(), "call {nth}: {checked:?}");
        assert_eq!(machine.state(), before, "after CHECK failed at call {nth}");
    });
}

fn gc(machine: fn() -> Machine) {
    for fault in [Fault::Refused, Fault::Lost] {
        each_call(machine, fault, |machine, failing, nth| {
            machine.add(&machine.net).unwrap();
            let before = machine.state();
            machine.gc(&machine.net, true).unwrap();
            assert_eq!(machine.state(), before, "after GC that keeps the pod");
            if machine.gc(failing, false).is_ok() {
                machine.is_clean_on_host(nth, "GC that overcame a failure");
            }
            machine.gc(&machine.net, false).unwrap();
            machine.is_clean_on_host(nth, "GC after one that failed");
        });
    }
}
