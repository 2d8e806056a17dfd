//! The one table of our plugins.

use cni_core::invoke::Builtin;
use cni_core::plugin::Plugin;
use cni_net::{Addrs, Kernel, Links, Namespaces, Neighbours, Nft, Routes, Sysctl};

use crate::chained::tuning::Tuning;
use crate::ipam::host_local::HostLocal;
use crate::ipam::static_::Static;
use crate::main::bridge::Bridge;
use crate::main::loopback::Loopback;
use crate::main::macvlan::Macvlan;
use crate::main::vxlan::Vxlan;

/// Every plugin of this crate, on `net`: for the multi-call program, and for whoever links them in.
pub fn table<N>(net: &N) -> Builtin
where
    N: Addrs + Links + Namespaces + Neighbours + Nft + Routes + Sysctl + Clone + Send + Sync + 'static,
{
    let net = || net.clone();
    Builtin::new()
        .with(Bridge { net: net() })
        .with(HostLocal)
        .with(Loopback { net: net() })
        .with(Macvlan { net: net() })
        .with(Static)
        .with(Tuning::new(net()))
        .with(Vxlan { net: net() })
}

/// Whether the plugin of this type leaves addresses to the one that `ipam.type` names; the others do not look there.
pub fn has_ipam(kind: &str) -> bool {
    [
        <Bridge<Kernel> as Plugin>::NAME,
        <Macvlan<Kernel> as Plugin>::NAME,
        <Vxlan<Kernel> as Plugin>::NAME,
    ]
    .contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plugin_is_in_the_table_under_its_own_type() {
        let table = table(&Kernel::new());
        let types: Vec<&str> = table.types().collect();
        assert_eq!(
            types,
            [
                "bridge",
                "host-local",
                "loopback",
                "macvlan",
                "static",
                "tuning",
                "vxlan"
            ]
        );
    }
}
