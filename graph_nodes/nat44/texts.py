"""VPP's texts for what NAT knows: flows, sessions' states, outcomes. Addresses and ports in host order."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import NamedTuple

from vectorplane.graph_nodes.nat44.session import OP_DADDR, OP_DPORT, OP_ICMP_ID, OP_SADDR, OP_SPORT, OP_TXFIB
from vectorplane.graph_nodes.trace_names import IP_PROTOCOLS

TRANSLATION_ERRORS = (
    "success",
    "translation-failed",
    "flow-mismatch",
    "packet-truncated",
    "inner-ip-corrupted",
    "invalid-checksum",
)
TCP_STATES = ("closed", "established", "closing")
SLOW_PATH_REASONS = (
    "no reason for slow path",
    "slow path because lookup failed",
    "slow path because vrf expired",
    "slow path because session expired",
)


def named(names: Sequence[str], number: int) -> str:
    """The name of a number; any number has one."""
    return names[number] if 0 <= number < len(names) else f"unknown {number}"


class Flow(NamedTuple):
    """One direction of a session: what it is found by, and what it becomes."""

    source: int
    source_port: int
    destination: int
    destination_port: int
    proto: int
    fib: int
    ops: int
    """OP_* bits of `vectorplane.graph_nodes.nat44.session`."""
    new_source: int
    new_source_port: int
    new_destination: int
    new_destination_port: int
    new_icmp_id: int
    new_fib: int


def protocol_text(proto: int) -> str:
    """``TCP``; without a name ``unknown 200``."""
    return IP_PROTOCOLS.get(proto, f"unknown {proto}")


def match_text(flow: Flow) -> str:
    """What a flow is found by."""
    return (
        f"saddr {IPv4Address(flow.source)} sport {flow.source_port} "
        f"daddr {IPv4Address(flow.destination)} dport {flow.destination_port} "
        f"proto {protocol_text(flow.proto)} fib_idx {flow.fib}"
    )


def flow_text(flow: Flow) -> str:
    """A whole flow, with the blank at its end that VPP writes."""
    parts = [
        (OP_SADDR, f"saddr {IPv4Address(flow.new_source)} "),
        (OP_SPORT, f"sport {flow.new_source_port} "),
        (OP_DADDR, f"daddr {IPv4Address(flow.new_destination)} "),
        (OP_DPORT, f"dport {flow.new_destination_port} "),
        (OP_ICMP_ID, f"icmp-id {flow.new_icmp_id} "),
        (OP_TXFIB, f"txfib {flow.new_fib} "),
    ]
    rewrite = "".join(text for op, text in parts if flow.ops & op)
    return f"match: {match_text(flow)} " + (f"rewrite: {rewrite}" if rewrite else "")


def key_text(flow: Flow, worker: int, session: int) -> str:
    """An entry of VPP's flow table."""
    return (
        f"local {IPv4Address(flow.source)}:{flow.source_port} remote {IPv4Address(flow.destination)}:"
        f"{flow.destination_port} proto {protocol_text(flow.proto)} fib {flow.fib} "
        f"thread-index {worker} session-index {session}"
    )
