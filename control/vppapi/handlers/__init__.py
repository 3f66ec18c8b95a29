"""Handlers, one small file a topic: each ends with ``HANDLERS``, message name to function ``(api, m)``.

A handler gets the `Api` and the request as a named tuple (see `codec`). It returns None or 0 (retval 0), another
retval, or a dict of the reply's fields; it refuses with `ApiError`. A dump is a generator of the details' fields;
one of a `..._get` message returns the reply's fields at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers import (
    acl,
    acl_interface,
    acl_macip,
    af_packet,
    arp,
    feature,
    fib_source,
    geneve,
    gre,
    gso,
    infrastructure,
    interface_address,
    interface_create,
    interface_dump,
    interface_events,
    interface_state,
    ip4_interface,
    ip6_link,
    ip6_nd,
    ip_address,
    ip_flow_hash,
    ip_mroute,
    ip_neighbor,
    ip_neighbor_events,
    ip_path_mtu,
    ip_punt,
    ip_reassembly,
    ip_route,
    ip_table,
    ipip,
    l2_arp_term_events,
    l2_bridge,
    l2_features,
    l2_fib,
    l2_ip_mac,
    l2_macs_events,
    l2_ports,
    l2_tag_rewrite,
    l3xc,
    memif,
    nat44,
    nat44_addresses,
    nat44_mappings,
    nat44_sessions,
    pg,
    span,
    tap,
    vxlan,
)

Handler = Callable[[Api, Any], Any]


def all_handlers() -> dict[str, Handler]:
    """Every message that is served, by name."""
    modules: list[Mapping[str, Handler]] = [
        infrastructure.HANDLERS,
        interface_address.HANDLERS,
        interface_create.HANDLERS,
        interface_dump.HANDLERS,
        interface_events.HANDLERS,
        interface_state.HANDLERS,
        pg.HANDLERS,
        acl.HANDLERS,
        acl_interface.HANDLERS,
        acl_macip.HANDLERS,
        arp.HANDLERS,
        feature.HANDLERS,
        fib_source.HANDLERS,
        ip4_interface.HANDLERS,
        ip6_link.HANDLERS,
        ip6_nd.HANDLERS,
        ip_neighbor.HANDLERS,
        ip_neighbor_events.HANDLERS,
        ip_address.HANDLERS,
        ip_flow_hash.HANDLERS,
        ip_mroute.HANDLERS,
        ip_path_mtu.HANDLERS,
        ip_punt.HANDLERS,
        ip_reassembly.HANDLERS,
        ip_route.HANDLERS,
        ip_table.HANDLERS,
        l2_arp_term_events.HANDLERS,
        l2_bridge.HANDLERS,
        l2_features.HANDLERS,
        l2_fib.HANDLERS,
        l2_ip_mac.HANDLERS,
        l2_macs_events.HANDLERS,
        l2_ports.HANDLERS,
        l2_tag_rewrite.HANDLERS,
        vxlan.HANDLERS,
        geneve.HANDLERS,
        gre.HANDLERS,
        ipip.HANDLERS,
        span.HANDLERS,
        gso.HANDLERS,
        l3xc.HANDLERS,
        nat44.HANDLERS,
        nat44_addresses.HANDLERS,
        nat44_mappings.HANDLERS,
        nat44_sessions.HANDLERS,
        tap.HANDLERS,
        memif.HANDLERS,
        af_packet.HANDLERS,
    ]
    return {name: handler for module in modules for name, handler in module.items()}
