"""Traces of IPv6 nodes: the header, and for nodes that forward which table and which object a packet was given."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, CELL
from vectorplane.dataplane.node import Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.trace_formats import udp_header
from vectorplane.graph_nodes.trace_names import ICMP6_CODES, ICMP6_TYPES, IP_PROTOCOLS
from vectorplane.graph_nodes.trace_packet import PACKET_BYTES, kept_bytes, packet_trace, snapshot
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import offsets, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

_HEADER, _UDP, _ICMP6 = 40, 17, 58
_TARGET = (135, 136)

FORWARD6 = np.dtype(
    [("fib_index", "i4"), ("dpo_index", "i4"), ("flow_hash", "i4"), ("size", "i4"), ("data", "i1", (PACKET_BYTES,))],
    align=True,
)
_DATA = offsets(FORWARD6, "data")[0]


@kernel
def trace_forward6(worker: int, node: int, frame: int) -> int:
    """A `FORWARD6` for each traced packet."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            r = rec(t, FORWARD6)
            r.fib_index = m.tx_sw_if if m.tx_sw_if >= 0 else m.fib_index
            r.dpo_index = m.adj
            r.flow_hash = m.flow_hash
            r.size = snapshot(t + _DATA, b, PACKET_BYTES)
    return n


def icmp6_header(data: bytes) -> str:
    """Type, code and checksum; the target of neighbour discovery."""
    if len(data) < 4:
        return "ICMP header truncated"
    name = ICMP6_TYPES.get(data[0], f"unknown 0x{data[0]:x}")
    if (data[0], data[1]) in ICMP6_CODES:
        name += " " + ICMP6_CODES[data[0], data[1]]
    text = f"ICMP {name} checksum 0x{int.from_bytes(data[2:4], 'big'):x}"
    if data[0] in _TARGET and len(data) >= 24:
        text += f"\n    target address {IPv6Address(data[8:24])}"
    return text


def ip6_header(data: bytes) -> str:
    """An IPv6 header and the UDP or ICMPv6 header behind it."""
    if len(data) < _HEADER:
        return "IP header truncated"
    protocol = IP_PROTOCOLS.get(data[6], f"unknown {data[6]}")
    lines = [f"{protocol}: {IPv6Address(data[8:24])} -> {IPv6Address(data[24:40])}"]
    first = int.from_bytes(data[:4], "big")
    if first >> 28 != 6:
        lines.append(f"  version {first >> 28}")
    length = int.from_bytes(data[4:6], "big")
    line = f"  tos 0x{first >> 20 & 0xFF:02x}, flow label 0x{first & 0xFFFFF:x}, hop limit {data[7]}"
    lines.append(f"{line}, payload length {length}")
    further = {_UDP: udp_header, _ICMP6: icmp6_header}.get(data[6])
    if further is not None and len(data) > _HEADER:
        lines.append(further(data[_HEADER:]))
    return "\n".join(lines)


def _hash(record: Any) -> str:
    return f"0x{int(record['flow_hash']) & 0xFFFFFFFF:08x}"


def lookup_text(record: Any, plane: Dataplane) -> str:
    """``fib 0 dpo-idx 3 flow hash: 0x00000000`` and the header."""
    first = f"fib {record['fib_index']} dpo-idx {record['dpo_index']} flow hash: {_hash(record)}"
    return f"{first}\n{ip6_header(kept_bytes(record))}"


def forward_text(record: Any, plane: Dataplane) -> str:
    """The same in the form of nodes that follow: ``fib:0 adj:3 flow:0x00000000``."""
    first = f"fib:{record['fib_index']} adj:{record['dpo_index']} flow:{_hash(record)}"
    return f"{first}\n{ip6_header(kept_bytes(record))}"


IP6_TRACE = packet_trace(ip6_header)
IP6_BEFORE_TRACE = packet_trace(ip6_header, before=True)
IP6_LOOKUP_TRACE = Trace(FORWARD6, trace_forward6, lookup_text)
IP6_FORWARD_TRACE = Trace(FORWARD6, trace_forward6, forward_text)
