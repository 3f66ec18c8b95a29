"""All commands, by topic."""

from __future__ import annotations

from collections.abc import Iterator

from vectorplane.control.debug_cli import (
    api_trace,
    interface_more,
    ip_route,
    ip_table,
    logging_commands,
    make_interface,
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
)
from vectorplane.control.debug_cli.tree import Command


def commands() -> Iterator[Command]:
    """Every command of the debug CLI."""
    for topic in (
        api_trace,
        interface_more,
        ip_route,
        ip_table,
        logging_commands,
        make_interface,
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
    ):
        yield from topic.COMMANDS
