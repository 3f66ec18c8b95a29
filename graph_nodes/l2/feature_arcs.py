"""Feature arcs of bridged frames: l2-input-feat-arc and l2-output-feat-arc start them, their -end nodes go on behind.

A port with features on such an arc has a bit in its feature bitmap that leads here. By the type behind the tags the
frame goes along arc ``l2-input-ip4``, ``-ip6`` or ``-nonip`` (``l2-output-...`` for what leaves) of its port; one whose
arc has nothing on goes on at once. The arc's end takes the bit away and follows the bitmap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.feature import ArcType, feature_start
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.features import (
    FEAT_ARC,
    INPUT_FEATURES,
    NEXT_BY_BIT,
    OUT_FEAT_ARC,
    OUTPUT_FEATURES,
    bind_features,
    next_without,
)
from vectorplane.graph_nodes.l2.header import IP4_LE, IP6_LE
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import bswap16, ld16, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

IP4_ARC, IP6_ARC, NONIP_ARC = ("ip4", "ip6", "nonip")
INPUT_ARCS = tuple(f"l2-input-{kind}" for kind in (IP4_ARC, IP6_ARC, NONIP_ARC))
OUTPUT_ARCS = tuple(f"l2-output-{kind}" for kind in (IP4_ARC, IP6_ARC, NONIP_ARC))
L2_INPUT_IP4 = ArcType(INPUT_ARCS[0], ("l2-input-feat-arc",), "l2-input-feat-arc-end")
L2_INPUT_IP6 = ArcType(INPUT_ARCS[1], ("l2-input-feat-arc",), "l2-input-feat-arc-end")
L2_INPUT_NONIP = ArcType(INPUT_ARCS[2], ("l2-input-feat-arc",), "l2-input-feat-arc-end")
L2_OUTPUT_IP4 = ArcType(OUTPUT_ARCS[0], ("l2-output-feat-arc",), "l2-output-feat-arc-end")
L2_OUTPUT_IP6 = ArcType(OUTPUT_ARCS[1], ("l2-output-feat-arc",), "l2-output-feat-arc-end")
L2_OUTPUT_NONIP = ArcType(OUTPUT_ARCS[2], ("l2-output-feat-arc",), "l2-output-feat-arc-end")

RUNTIME = np.dtype(
    [NEXT_BY_BIT, ("bit", "i8"), ("is_output", "i8"), ("is_head", "i8"), ("ip4", "i8"), ("ip6", "i8"), ("nonip", "i8")],
    align=True,
)
TRACE = np.dtype([("head", "i4"), ("bitmap", "i4"), ("kind", "i4"), ("sw_if_index", "i4"), ("next", "i4")], align=True)


@helper
def kind_of(b: int) -> int:
    """The type behind the frame's tags, as a little-endian load sees it."""
    return ld16(b + DATA + rec(b, BUFFER).current_data + rec(b, L2_BUFFER).l2_len - 2)


@kernel
def feat_arc(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    data = rec(node, NODE).data
    r = rec(data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        kind = kind_of(b)
        arc = r.nonip
        if kind == IP4_LE:
            arc = r.ip4
        elif kind == IP6_LE:
            arc = r.ip6
        slot = feature_start(arc, m.tx_sw_if if r.is_output else m.rx_sw_if, b)
        if slot < 0:
            slot = next_without(data, b, r.bit)
        set_next(frame, i, slot)
    return n


@kernel
def feat_arc_end(worker: int, node: int, frame: int) -> int:
    """The bit goes, the next one leads on."""
    pool = rec(worker, WORKER).pool
    data = rec(node, NODE).data
    r = rec(data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        b = pool + buffer_index(frame, i) * CELL
        set_next(frame, i, next_without(data, b, r.bit))
    return n


@kernel
def trace_arc(worker: int, node: int, frame: int) -> int:
    """A `TRACE` for each traced packet."""
    pool = rec(worker, WORKER).pool
    runtime = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            r = rec(t, TRACE)
            r.head = runtime.is_head
            r.bitmap = rec(b, L2_BUFFER).feature_bitmap
            r.kind = bswap16(kind_of(b)) if runtime.is_head else 0
            r.sw_if_index = -1
            if runtime.is_head:
                r.sw_if_index = m.tx_sw_if if runtime.is_output else m.rx_sw_if
            r.next = get_next(frame, i)
    return n


def _format(name: str, record: Any) -> str:
    return (
        f"{name}: head {int(record['head'])} feature_bitmap {int(record['bitmap']) & 0xFFFFFFFF:x} "
        f"ethertype {int(record['kind']):x} sw_if_index {int(record['sw_if_index'])}, next_index {int(record['next'])}"
    )


def format_input(record: Any, plane: Dataplane) -> str:
    """VPP's text."""
    return _format("IN-FEAT-ARC", record)


def format_output(record: Any, plane: Dataplane) -> str:
    """VPP's text."""
    return _format("OUT-FEAT-ARC", record)


def bind(plane: Dataplane, node: Node) -> None:
    """Which of the four nodes it is, its arcs, and the nodes of the features behind."""
    is_output, is_head = "output" in node.type.name, not node.type.name.endswith("-end")
    data = node.data
    data["is_output"], data["is_head"] = int(is_output), int(is_head)
    data["bit"] = OUT_FEAT_ARC if is_output else FEAT_ARC
    for field, arc in zip(("ip4", "ip6", "nonip"), OUTPUT_ARCS if is_output else INPUT_ARCS, strict=True):
        data[field] = plane.arcs[arc].address
    bind_features(node, OUTPUT_FEATURES if is_output else INPUT_FEATURES)


def _node(way: str, end: bool) -> NodeType:
    return NodeType(
        name=f"l2-{way}-feat-arc{'-end' if end else ''}",
        kernel=feat_arc_end if end else feat_arc,
        errors=named_by_text("in default" if way == "input" else "out default"),
        runtime=RUNTIME,
        trace=Trace(TRACE, trace_arc, format_input if way == "input" else format_output),
        bind=bind,
        doc=__doc__ or "",
    )


L2_INPUT_FEAT_ARC, L2_INPUT_FEAT_ARC_END = _node("input", False), _node("input", True)
L2_OUTPUT_FEAT_ARC, L2_OUTPUT_FEAT_ARC_END = _node("output", False), _node("output", True)
