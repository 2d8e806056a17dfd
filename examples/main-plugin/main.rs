//! A main plugin: containers on one bridge, with the addresses that an IPAM plugin gives.

use std::process::ExitCode;

use cni_core::plugin::{Add, Check, Del, Env, Gc, Plugin, Rollback, Status, Teardown, run};
use cni_core::spec::{AttachmentId, Code, Error, IfName, Interface, PluginType, Success};
use cni_net::link::{Change, Link, NewBridge, NewVeth};
use cni_net::{Addr, Addrs, At, Kernel, Links, Mtu, Namespaces};

struct Segment {
    net: Kernel,
}

#[derive(serde::Deserialize)]
struct Config {
    bridge: IfName,
    mtu: Option<u32>,
    ipam: Ipam,
}

#[derive(serde::Deserialize)]
struct Ipam {
    r#type: PluginType,
}

/// The host end's name says whose it is, so that DEL needs no record: neither result nor namespace.
fn host_end(env: &Env<'_>, id: &AttachmentId) -> Result<IfName, Error> {
    // FNV-1a, and not `DefaultHasher`: another build of the plugin, which gets the DEL, may have another one.
    let fnv = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let whose = format!("{} {id}", env.network);
    let hash = whose.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    let name = format!("seg{:012x}", hash >> 16).parse();
    name.map_err(|error| Error::from_source(Code::INVALID_CONFIG, &error))
}

fn interface(link: &Link, sandbox: &str) -> Interface {
    let mut interface = Interface::new(&link.name);
    interface.mac = link.mac.map(|mac| mac.to_string()).unwrap_or_default();
    interface.sandbox = sandbox.to_owned();
    interface
}

impl Plugin for Segment {
    type Config = Config;
    const NAME: &'static str = "segment";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let (config, ifname) = (&request.config, &request.id.ifname);
        let netns = self.net.open(&request.netns)?;
        let mtu = config.mtu.map(Mtu::try_from).transpose()?;
        let host = host_end(&request.env, &request.id)?;
        // Every container of the network shares the bridge, so no ADD takes it away again.
        let bridge = self.net.ensure_bridge(&NewBridge::new(config.bridge.clone()))?;

        let mut rollback = Rollback::default();
        let mut veth = NewVeth::new(&netns, ifname.clone(), host.clone());
        (veth.mtu, veth.master) = (mtu, Some(bridge.index));
        let (port, container) = self.net.add_veth(&veth)?;
        rollback.on_failure("veth", || {
            Ok(self.net.del_link(At::Host, host.as_str()).map(drop)?)
        });

        let mut result = request.delegate_add(&config.ipam.r#type)?;
        rollback.on_failure("IPAM", || request.delegate_del(&config.ipam.r#type));
        let addresses: Vec<Addr> = result.ips.iter().map(|ip| Addr::new(ip.address)).collect();
        self.net
            .add_addrs(At::Netns(&netns), ifname.as_str(), &addresses)?;
        self.net
            .set_link(At::Netns(&netns), ifname.as_str(), &Change::up())?;

        let sandbox = request.netns.to_string();
        result.interfaces = vec![
            interface(&bridge, ""),
            interface(&port, ""),
            interface(&container, &sandbox),
        ];
        result.ips.iter_mut().for_each(|ip| ip.interface = Some(2));
        rollback.commit();
        Ok(result)
    }

    /// Each step is run, whatever became of the one before.
    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let host = host_end(&request.env, &request.id)?;
        let mut teardown = Teardown::default();
        let deleted = self.net.del_link(At::Host, host.as_str());
        teardown.step("veth", deleted.map(drop).map_err(Error::from));
        teardown.step("IPAM", request.delegate_del(&request.config.ipam.r#type));
        teardown.finish()
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        request.delegate_check(&request.config.ipam.r#type)?;
        let (netns, ifname) = (self.net.open(&request.netns)?, request.id.ifname.as_str());
        let found = self.net.addrs(At::Netns(&netns), ifname)?;
        for ip in request.prev.iter().flat_map(|prev| &prev.ips) {
            if !found.iter().any(|addr| addr.address == ip.address) {
                return Err(Error::new(
                    Code(100),
                    format!("check {ifname:?}: {} is not there", ip.address),
                ));
            }
        }
        Ok(())
    }

    fn status(&self, request: Status<'_, Config>) -> Result<(), Error> {
        request.delegate_status(&request.config.ipam.r#type)
    }

    /// Interfaces end with their containers; addresses do not.
    fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        request.delegate_gc(&request.config.ipam.r#type)
    }
}

fn main() -> ExitCode {
    run(&Segment { net: Kernel::new() })
}
