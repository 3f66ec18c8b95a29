"""All commands, by topic."""

from __future__ import annotations

from collections.abc import Iterator

from vectorplane.control.debug_cli import (
    absent,
    acl_lists,
    acl_macip,
    acl_settings,
    acl_state,
    acl_tables,
    api_trace,
    bridge_domain,
    interface_more,
    ip_route,
    ip_table,
    ip_tunnels,
    l2_fib,
    l2_interface,
    logging_commands,
    make_interface,
    mirrors,
    neighbour,
    packet_generator,
    pcap_trace,
    pg_interfaces,
    script,
    set_interface,
    show_adj,
    show_fib,
    show_graph,
    show_interface,
    show_ip_more,
    show_neighbour,
    show_system,
    trace,
    udp_tunnels,
)
from vectorplane.control.debug_cli.tree import Command


def commands() -> Iterator[Command]:
    """Every command of the debug CLI."""
    for topic in (
        absent,
        acl_lists,
        acl_macip,
        acl_settings,
        acl_state,
        acl_tables,
        api_trace,
        bridge_domain,
        interface_more,
        ip_route,
        ip_table,
        ip_tunnels,
        l2_fib,
        l2_interface,
        logging_commands,
        make_interface,
        mirrors,
        neighbour,
        packet_generator,
        pcap_trace,
        pg_interfaces,
        script,
        set_interface,
        show_adj,
        show_fib,
        show_graph,
        show_interface,
        show_ip_more,
        show_neighbour,
        show_system,
        trace,
        udp_tunnels,
    ):
        yield from topic.COMMANDS
