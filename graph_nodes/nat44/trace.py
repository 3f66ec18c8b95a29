"""Packet trace of the translating nodes: what was looked for, the session, and what became of the packet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next
from vectorplane.dataplane.buffer import BUFFER, CELL
from vectorplane.dataplane.node import Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.nat44.match import MATCH
from vectorplane.graph_nodes.nat44.nat import NAT
from vectorplane.graph_nodes.nat44.runtime import RUNTIME, SCRATCH, SCRATCH_SIZE
from vectorplane.graph_nodes.nat44.session import COLD, HALF, HALF_SIZE, I2O, O2I, P_TCP, cold_at, half_at
from vectorplane.graph_nodes.nat44.texts import (
    SLOW_PATH_REASONS,
    TCP_STATES,
    TRANSLATION_ERRORS,
    Flow,
    flow_text,
    key_text,
    named,
)
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld64, offsets, rec, st16, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

FLOW_WORDS = 5
"""Of a half: all but its counters."""
NAT_TRACE = np.dtype(
    [
        ("flows", "i8", (2, FLOW_WORDS)),
        ("addresses", "i8"),
        ("key", "i8"),
        ("sw_if_index", "i4"),
        ("next_index", "i4"),
        ("number", "i4"),
        ("worker", "i4"),
        ("ops", "i2", (2,)),
        ("outcome", "i1"),
        ("reason", "i1"),
        ("tcp_state", "i1"),
        ("pad", "i1"),
    ],
    align=True,
)
_FLOWS, _OPS = offsets(NAT_TRACE, "flows", "ops")


@kernel
def trace_nat(worker: int, node: int, frame: int) -> int:
    """A record for each traced packet, from what the node kept of its vector."""
    w = rec(worker, WORKER)
    r = rec(rec(node, NODE).data, RUNTIME)
    n = rec(r.nat, NAT)
    for i in range(frame_n(frame)):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            m = rec(w.pool + buffer_index(frame, i) * CELL, BUFFER)
            q = r.scratch + i * SCRATCH_SIZE
            s = rec(q, SCRATCH)
            x = rec(t, NAT_TRACE)
            x.sw_if_index = m.rx_sw_if
            x.next_index = get_next(frame, i)
            x.number = s.number
            x.worker = w.index
            x.outcome = s.outcome
            x.reason = s.reason
            x.addresses = rec(q, MATCH).addresses
            x.key = rec(q, MATCH).key
            if s.number >= 0:
                x.tcp_state = rec(cold_at(n.colds, s.number >> 1), COLD).tcp_state
                first = half_at(n.halves, s.number & -2)
                for k in range(FLOW_WORDS):
                    st64(t + _FLOWS + 8 * k, ld64(first + 8 * k))
                    st64(t + _FLOWS + 8 * (FLOW_WORDS + k), ld64(first + HALF_SIZE + 8 * k))
                st16(t + _OPS, rec(first, HALF).ops)
                st16(t + _OPS + 2, rec(first + HALF_SIZE, HALF).ops)
    return frame_n(frame)


def _swap(value: int, size: int) -> int:
    return int.from_bytes((value & (1 << 8 * size) - 1).to_bytes(size, "little"), "big")


def flow_of(words: Any, ops: int) -> Flow:
    """A flow from the words of a half."""
    addresses, key, new, ports, rest = (int(w) & (1 << 64) - 1 for w in words)
    return Flow(
        _swap(addresses, 4),
        _swap(key >> 32, 2),
        _swap(addresses >> 32, 4),
        _swap(key >> 48, 2),
        key & 0xFF,
        key >> 8 & 0xFFFFFF,
        ops,
        _swap(new, 4),
        _swap(ports, 2),
        _swap(new >> 32, 4),
        _swap(ports >> 16, 2),
        _swap(ports >> 32, 2),
        rest & 0xFFFFFFFF,
    )


def _text(record: Any, way: str, slow: bool) -> str:
    number = int(record["number"])
    tag = f"NAT44_{way}_ED_{'SLOW' if slow else 'FAST'}_PATH"
    text = f"{tag}: sw_if_index {int(record['sw_if_index'])}, next index {int(record['next_index'])}"
    flows = [flow_of(record["flows"][k], int(record["ops"][k])) for k in (I2O, O2I)]
    if number >= 0:
        via = "i2of" if number & 1 == I2O else "o2if"
        result = named(TRANSLATION_ERRORS, int(record["outcome"]))
        text += f", session {number >> 1}, translation result '{result}' via {via}"
        text += f"\n  i2of {flow_text(flows[I2O])}\n  o2if {flow_text(flows[O2I])}"
    if not slow:
        words = [record["addresses"], record["key"], 0, 0, 0]
        text += f"\n  search key {key_text(flow_of(words, 0), int(record['worker']), max(number, 0) >> 1)}"
        if way == "OUT2IN":
            text += f"\n  {named(SLOW_PATH_REASONS, int(record['reason']))}"
    if number >= 0 and flows[I2O].proto == P_TCP:
        text += f"\n  TCP state: {named(TCP_STATES, int(record['tcp_state']))}"
    return text


def nat_trace(way: str, slow: bool) -> Trace:
    """The trace of a node; ``way``: ``IN2OUT`` or ``OUT2IN``."""

    def text(record: Any, plane: Dataplane) -> str:
        return _text(record, way, slow)

    return Trace(NAT_TRACE, trace_nat, text)
