//! ADD of `macvlan`.

use cni_core::plugin::{Add, Rollback};
use cni_core::spec::{Error, Success};
use cni_net::link::{Change, Link, NewMacvlan};
use cni_net::route::{Route, TABLE_MAIN};
use cni_net::{At, Links, NetError, Netns, Routes};

use super::config::ConfigError;
use super::{Config, Net};
use crate::shared::configure::{Options, Plan};
use crate::shared::{Attachment, interface};

/// Where the interface stands in the result.
const CONTAINER: i64 = 0;

/// Makes the attachment. Nothing is left if that fails.
pub(super) fn add<N: Net>(net: &N, request: &Add<'_, Config>) -> Result<Success, Error> {
    let (config, ifname) = (&request.config, &request.id.ifname);
    config.ipam.fits(request.env.version)?;
    let netns = net.open(&request.netns)?;
    let at = At::Netns(&netns);
    let mut rollback = Rollback::default();

    let new = new_link(net, request, &netns)?;
    let link = net.add_macvlan(&new)?;
    rollback.on_failure("macvlan", || {
        Ok(net.del_link(At::Netns(&netns), ifname.as_str()).map(drop)?)
    });
    let mut mark = Change::default();
    mark.alias = Some(Attachment::new(&request.env.network, &request.id).mark());
    net.set_link(at, ifname.as_str(), &mark)?;

    let mut success = config.ipam.add(request, &mut rollback)?.unwrap_or_default();
    for ip in &mut success.ips {
        ip.interface = Some(CONTAINER);
    }
    if config.ipam.plugin.is_some() {
        let plan = Plan::new(ifname, &success, CONTAINER, Options::default())?;
        plan.apply(net, &netns)?;
        plan.announce(net, &netns, link.mac);
    } else {
        net.set_link(at, ifname.as_str(), &Change::up())?;
    }

    success.interfaces = vec![interface::inside(&link, &request.netns)];
    success.dns = config.dns.or(success.dns);
    rollback.commit();
    Ok(success)
}

/// The interface that the device hangs on: the one named, else the default route's.
///
/// # Errors
/// [`ConfigError::NoMaster`], [`NetError::LinkNotFound`], or when the kernel refuses.
pub(super) fn master<N: Links + Routes>(net: &N, config: &Config, netns: &Netns) -> Result<Link, Error> {
    let at = parent_at(config, netns);
    let name = match &*config.master {
        "" => default_route_link(net.routes(at)?).ok_or(ConfigError::NoMaster)?,
        master => master.to_owned(),
    };
    let link = net.link(at, &name)?;
    Ok(link.ok_or(NetError::LinkNotFound { name })?)
}

fn parent_at<'n>(config: &Config, netns: &'n Netns) -> At<'n> {
    if config.link_in_container {
        At::Netns(netns)
    } else {
        At::Host
    }
}

fn new_link<'n, N: Net>(
    net: &N,
    request: &Add<'_, Config>,
    netns: &'n Netns,
) -> Result<NewMacvlan<'n>, Error> {
    let config = &request.config;
    let (mode, mac) = (config.mode()?, config.mac(&request.env)?);
    let master = master(net, config, netns)?;
    let ifname = request.id.ifname.clone();
    let mut new = NewMacvlan::new(netns, ifname, parent_at(config, netns), master.index);
    (new.mode, new.mac) = (mode, mac);
    new.mtu = config.mtu(master.mtu)?;
    new.bcqueuelen = (config.bcqueuelen != 0).then_some(config.bcqueuelen);
    Ok(new)
}

/// The interface of the default route of the main table: IPv4 before IPv6, then the lowest metric.
fn default_route_link(routes: Vec<Route>) -> Option<String> {
    let is_default = |route: &Route| {
        route.dst.prefix_len() == 0 && route.dev.is_some() && route.table.is_none_or(|t| t == TABLE_MAIN)
    };
    let defaults = routes.into_iter().filter(is_default);
    let best = defaults.min_by_key(|route| (route.dst.addr().is_ipv6(), route.priority.unwrap_or(0)))?;
    best.dev
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(dst: &str, dev: &str, priority: Option<u32>, table: Option<u32>) -> Route {
        let mut route = Route::new(dst.parse().unwrap());
        route.dev = Some(dev.to_owned());
        (route.priority, route.table) = (priority, table);
        route
    }

    #[test]
    fn the_default_route_is_ipv4_before_ipv6_and_of_the_main_table() {
        let routes = vec![
            route("::/0", "v6", None, None),
            route("10.0.0.0/8", "subnet", None, None),
            route("0.0.0.0/0", "elsewhere", None, Some(100)),
            route("0.0.0.0/0", "backup", Some(200), None),
            route("0.0.0.0/0", "best", Some(100), Some(TABLE_MAIN)),
        ];
        let v6 = vec![routes[0].clone()];
        assert_eq!(default_route_link(routes).as_deref(), Some("best"));
        assert_eq!(default_route_link(v6).as_deref(), Some("v6"));
        assert_eq!(default_route_link(Vec::new()), None);
    }
}
