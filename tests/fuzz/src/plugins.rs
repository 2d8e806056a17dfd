//! The configurations of the plugins, each run on a fake kernel.

use cni_core::invoke::{Builtin, Call, Invoke, Target, Verb};
use cni_core::plugin::PANICKED;
use cni_core::spec::{
    AttachmentId, CniArgs, Error, Interface, NetnsPath, Object, PluginType, Success, Version,
};
use cni_net::link::NewMacvlan;
use cni_net::{At, Links, Namespaces};
use cni_plugins::chained::tuning::Tuning;

use crate::machine::{Machine, POD};

pub(crate) const SEEDS: &[&str] = &[
    r#"{"cniVersion":"1.1.0","name":"blue","type":"bridge","bridge":"br0","isDefaultGateway":true,"ipMasq":true,"ipMasqBackend":"nftables","macspoofchk":true,"mtu":1400,"hairpinMode":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.9.0.0/24"}],[{"subnet":"fd09::/64"}]],"routes":[{"dst":"0.0.0.0/0"}]}}"#,
    r#"{"cniVersion":"0.4.0","name":"blue","type":"bridge","forceAddress":true,"portIsolation":true,"promiscMode":true,"enabledad":true,"vlan":0,"args":{"cni":{"mac":"02:00:00:00:00:07"}},"runtimeConfig":{"mac":"02:00:00:00:00:08"},"ipam":{"type":"static","addresses":[{"address":"10.8.0.3/24","gateway":"10.8.0.1"}]}}"#,
    r#"{"cniVersion":"1.0.0","name":"blue","type":"macvlan","master":"up0","mode":"private","mtu":1400,"mac":"02:00:00:00:00:09","bcqueuelen":5,"linkInContainer":false,"CNI_ARGS":"MAC=02:00:00:00:00:0a;IgnoreUnknown=1","ipam":{"type":"static","addresses":[{"address":"10.8.0.3/24"},{"address":"fd08::3/64","gateway":"fd08::1"}],"routes":[{"dst":"::/0","gw":"fd08::1","mtu":1300,"table":7,"scope":0,"priority":5}],"dns":{"nameservers":["1.1.1.1"]}}}"#,
    r#"{"cniVersion":"1.1.0","name":"blue","type":"vxlan","vni":7,"port":4789,"local":"192.0.2.1","device":"up0","mtu":1300,"peers":["192.0.2.1","192.0.2.2"],"isGateway":true,"ipMasq":true,"portIsolation":true,"ipam":{"type":"host-local","subnet":"10.7.0.0/24","rangeStart":"10.7.0.5","rangeEnd":"10.7.0.9","gateway":"10.7.0.1"}}"#,
    r#"{"cniVersion":"1.1.0","name":"blue","type":"vxlan","vni":9,"group":"239.1.1.1","device":"up0"}"#,
    r#"{"cniVersion":"1.0.0","name":"lo","type":"loopback"}"#,
];

pub(crate) const HOST_LOCAL: &[&str] = &[
    r#"{"cniVersion":"1.1.0","name":"n","type":"host-local","ipam":{"type":"host-local","ranges":[[{"subnet":"10.9.0.0/29","rangeStart":"10.9.0.2","rangeEnd":"10.9.0.3","gateway":"10.9.0.6"},{"subnet":"10.9.1.0/30"}],[{"subnet":"fd09::/64"}]],"routes":[{"dst":"0.0.0.0/0","gw":"10.9.0.1"}]}}"#,
    r#"{"cniVersion":"0.2.0","name":"n","type":"host-local","CNI_ARGS":"IP=0.0.0.5","ipam":{"type":"host-local","subnet":"0.0.0.0/0"}}"#,
    r#"{"cniVersion":"1.0.0","name":"n","type":"host-local","runtimeConfig":{"ips":["::5/0"],"ipRanges":[[{"subnet":"::/0","rangeStart":"::2","rangeEnd":"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}]]},"args":{"cni":{"ips":["::5"]}},"ipam":{"type":"host-local"}}"#,
    r#"{"cniVersion":"1.0.0","name":"n","type":"static","CNI_ARGS":"IP=10.0.0.5/24,fd00::5/64;GATEWAY=10.0.0.1,fd00::1","args":{"cni":{"ips":["10.0.0.7/24"]}},"runtimeConfig":{"ips":["10.0.0.8/24"]},"ipam":{"type":"static","addresses":[{"address":"10.8.0.3/24","gateway":"10.8.0.1"}],"routes":[{"dst":"::ffff:10.0.0.0/104"}]}}"#,
];

pub(crate) const TUNING: &[&str] = &[
    r#"{"cniVersion":"1.1.0","name":"n","type":"tuning","mac":"02:00:00:00:00:0a","mtu":1400,"promisc":true,"allmulti":true,"txQLen":5,"sysctl":{"net.ipv4.conf.IFNAME.rp_filter":"1","net/ipv6/conf/IFNAME/accept_dad":"0"},"args":{"cni":{"sysctl":{"net.core.somaxconn":"5"},"mtu":1300,"promisc":false}},"runtimeConfig":{"mac":"02:00:00:00:00:0b"},"CNI_ARGS":"MAC=02:00:00:00:00:0c"}"#,
    r#"{"cniVersion":"1.1.0","name":"n","type":"tuning","allowlist":"^net\\.ipv4\\.conf\\.(IFNAME|[a-z]{1,5})\\..*$\nsomaxconn\n","sysctl":{"net.core.somaxconn":"500","net.ipv4.conf.IFNAME.arp_filter":"1"}}"#,
];

/// `bridge`, `loopback`, `macvlan` and `vxlan`, whatever gives them addresses.
pub(crate) fn plugins(data: &[u8]) {
    let machine = Machine::new();
    let table = cni_plugins::table(&machine.net);
    come_and_go(&machine, &table, data);
}

/// `host-local` and `static`.
pub(crate) fn host_local(data: &[u8]) {
    plugins(data);
}

/// `tuning`, with the text at the key `allowlist` as its list.
pub(crate) fn tuning(data: &[u8]) {
    let Ok(object) = Object::from_slice(data) else {
        return;
    };
    let machine = Machine::new();
    let mut tuning = Tuning::new(machine.net.clone());
    tuning.allowlist = match object.parse_key::<String>("allowlist") {
        Ok(Some(list)) => machine.scratch.file("allowlist", list.as_bytes()),
        _ => machine.scratch.path("nowhere"),
    };
    come_and_go(&machine, &Builtin::new().with(tuning), data);
}

/// Attaches a container and detaches it, and then another: the second leaves nothing that the first did not, so that
/// what stays is shared.
fn come_and_go(machine: &Machine, table: &Builtin, data: &[u8]) {
    let Ok(config) = Object::from_slice(data) else {
        return;
    };
    let Ok(Some(kind)) = config.parse_key::<PluginType>("type") else {
        return;
    };
    if table.find(kind.as_str()).is_none() {
        return;
    }
    let mut config = machine.confined(&config);
    config.remove("prevResult");
    let args: Option<CniArgs> = config
        .parse_key::<String>("CNI_ARGS")
        .ok()
        .flatten()
        .and_then(|a| a.parse().ok());
    let calls = Calls {
        table,
        plugin: &kind,
        config: &config,
        args: args.unwrap_or_default(),
    };
    calls.once(machine, "c1");
    let before = machine.left();
    calls.once(machine, "c2");
    let left: Vec<String> = machine.left().difference(&before).cloned().collect();
    assert!(left.is_empty(), "after the second DEL there is {left:#?}");
}

struct Calls<'a> {
    table: &'a Builtin,
    plugin: &'a PluginType,
    config: &'a Object,
    args: CniArgs,
}

impl Calls<'_> {
    fn once(&self, machine: &Machine, container: &str) {
        let id = AttachmentId::new(container.parse().unwrap(), "eth0".parse().unwrap());
        let mut target = Target::of(id, Some(NetnsPath::new(POD)));
        target.args = self.args.clone();
        let prev = (self.plugin.as_str() == "tuning").then(|| earlier(machine));
        let added = self.table.add(&self.call(prev.as_ref(), &target));
        match &added {
            Ok(result) => {
                drop(result.encode(Version::V1_1_0).unwrap());
                let checked = self.table.run(Verb::Check, &self.call(Some(result), &target));
                checked.map_or_else(sane, drop);
            }
            Err(error) => sane(error.clone()),
        }
        // DEL must manage whatever the configuration is, as long as it is one at all.
        let result = added.as_ref().ok().or(prev.as_ref());
        match self.table.run(Verb::Del, &self.call(result, &target)) {
            Err(error) if added.is_ok() => panic!("DEL after ADD: {error}"),
            Err(error) => sane(error),
            Ok(()) => {}
        }
    }

    fn call<'a>(&'a self, prev: Option<&'a Success>, target: &'a Target) -> Call<'a> {
        let mut call = Call::new(self.plugin, self.config, target);
        call.prev = prev;
        call
    }
}

/// A refusal that says something, briefly.
fn sane(error: Error) {
    assert_ne!(error.code, PANICKED, "{error}");
    assert!(!error.msg.is_empty());
    assert!(
        error.to_string().len() <= crate::LONGEST_MESSAGE,
        "{} bytes",
        error.to_string().len()
    );
}

/// The pod's interface as an earlier plugin made it, and its result.
fn earlier(machine: &Machine) -> Success {
    let net = &machine.net;
    let pod = net.open(&NetnsPath::new(POD)).unwrap();
    let up0 = net.link(At::Host, "up0").unwrap().unwrap();
    let new = NewMacvlan::new(&pod, "eth0".parse().unwrap(), At::Host, up0.index);
    let link = net.add_macvlan(&new).unwrap();
    let mut interface = Interface::new("eth0");
    (interface.mac, interface.sandbox) = (link.mac.unwrap().to_string(), POD.to_owned());
    let mut success = Success::new();
    success.interfaces.push(interface);
    success
}
