//! What plugins rely on, asked of the kernel and of the fake alike: the same functions run on both. Those on
//! the kernel need root; `contract fake::` needs nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod addrs;
mod ground;
mod links;
mod neighbours;
mod nft;
mod routes;
mod sysctls;
mod tunnels;

/// Each function of a module as a test on the fake and as one on the kernel.
macro_rules! contract {
    ($($module:ident: $($test:ident)*;)*) => {
        mod fake {
            $(mod $module {
                $(#[test] fn $test() { crate::$module::$test(&crate::ground::Fake::new()); })*
            })*
        }
        mod kernel {
            $(mod $module {
                $(#[test] fn $test() { crate::$module::$test(&crate::ground::Real::new()); })*
            })*
        }
    };
}

contract! {
    addrs: an_address_is_there_once_and_goes addresses_wait_for_no_link an_interface_without_ipv6_takes_none
        loopback_gets_its_addresses_when_it_comes_up;
    links: a_pair_is_as_asked_for a_taken_name_is_refused_and_nothing_is_made a_bad_master_is_refused
        an_end_takes_the_other_along a_namespace_takes_its_links_along carrier_needs_both_ends
        a_bridge_is_made_once_and_taken_as_it_is a_bridge_that_goes_frees_its_ports
        a_macvlan_is_as_asked_for_and_goes_with_its_parent a_macvlan_is_refused_what_its_parent_cannot
        changes_are_made_and_the_rest_stays what_is_not_there_is_none the_pods_links_go_in_one_request;
    neighbours: the_forwarding_database_is_kept neighbours_are_kept_until_the_link_goes_down;
    nft: rules_come_back_and_go a_refused_part_undoes_all chains_in_use_stay;
    routes: a_subnet_is_reachable_while_the_link_is_up routes_are_there_once_and_go_with_their_link
        bad_routes_are_refused defaults_are_filled_in a_look_up_finds_the_nearest;
    sysctls: parameters_are_of_their_namespace parameters_go_with_their_link;
    tunnels: a_vxlan_device_is_as_asked_for a_taken_vni_or_port_is_refused a_group_is_flooded_to;
}
