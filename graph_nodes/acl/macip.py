"""Nodes that check MACIP lists: l2-input-acl and l2-output-acl of bridged frames, ip4-inacl ... of routed packets.

They are VPP's classifier nodes, here with one user. What no rule permits is dropped: "input ACL session deny drops"
when a rule denies it, "input ACL table-miss drops" when there is none ("output ..." for frames on the way out; of
routed packets both are counters of ip4-input and ip6-input, as in VPP). The Ethernet header of a routed packet is
looked at where it came with it; on output it is the one just put in front (VPP looks at the IP header there as if it
were one, and so drops what it should permit).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes import errors4, errors6
from vectorplane.graph_nodes.acl.macip_table import MISS, find
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.l2.features import (
    ACL,
    INPUT_FEATURES,
    NEXT_BY_BIT,
    OUT_ACL,
    OUTPUT_FEATURES,
    bind_features,
    next_without,
)
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld64, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop",)
DROP = 0
E_MISS, E_HIT, E_CHAIN = range(3)


def _errors(way: str, is_l2: bool) -> tuple[tuple[str, str], ...]:
    counts = (f"{way} ACL misses", f"{way} ACL hits", f"{way} ACL hits after chain walk")
    if not is_l2:
        return named_by_text(*counts)
    drops = (f"{way} ACL table-miss drops", f"{way} ACL session deny drops")
    return named_by_text(f"valid {way} ACL packets", *counts, *drops)


RUNTIME = np.dtype(
    [
        NEXT_BY_BIT,
        ("lists", "i8"),
        ("arc", "i8"),
        ("bit", "i8"),
        ("is_output", "i8"),
        ("is_l2", "i8"),
        ("counts", "i8"),  # first of the three counters
        ("miss_error", "i8"),
        ("deny_error", "i8"),
    ],
    align=True,
)
TRACE = np.dtype([("sw_if_index", "i4"), ("next", "i4")], align=True)


@kernel
def macip(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    data = d.data
    r = rec(data, RUNTIME)
    is_output = r.is_output
    is_l2 = r.is_l2
    hits = 0
    chain_hits = 0
    misses = 0
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        start = int(m.current_data)
        if is_l2 == 0 and is_output == 0:
            start = int(m.l2_offset)
        length = int(m.current_length) + m.current_data - start
        slot = DROP
        found = MISS
        permitted = False
        table = ld64(r.lists + 8 * (m.tx_sw_if if is_output else m.rx_sw_if))
        if table == 0:
            permitted = True
        else:
            found = find(table, b + DATA + start, length, is_output)
            if found == MISS:
                misses += 1
                m.error = r.miss_error
            else:
                hits += 1
                chain_hits += found >> 32
                permitted = (found & 1) != 0
                m.error = r.deny_error
        if permitted:
            if is_l2:
                slot = next_without(data, b, r.bit)
            else:
                slot = feature_next(r.arc, b)
        set_next(frame, i, slot)
    count(worker, r.counts + E_MISS, misses)
    count(worker, r.counts + E_HIT, hits)
    count(worker, r.counts + E_CHAIN, chain_hits)
    return n


@kernel
def trace_macip(worker: int, node: int, frame: int) -> int:
    """A `TRACE` for each traced packet."""
    pool = rec(worker, WORKER).pool
    is_output = rec(rec(node, NODE).data, RUNTIME).is_output
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            rec(t, TRACE).sw_if_index = m.tx_sw_if if is_output else m.rx_sw_if
            rec(t, TRACE).next = get_next(frame, i)
    return n


def format_input(record: Any, plane: Dataplane) -> str:
    """As VPP's begins; the tables are not numbered here."""
    return f"INACL: sw_if_index {int(record['sw_if_index'])}, next_index {int(record['next'])}"


def format_output(record: Any, plane: Dataplane) -> str:
    """As VPP's begins; the tables are not numbered here."""
    return f"OUTACL: sw_if_index {int(record['sw_if_index'])}, next_index {int(record['next'])}"


class MacipLists:
    """Where the list of each interface is (0: none), of output and of input."""

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(16 * MAX_INTERFACES, name="macip lists")
        self.lists: npt.NDArray[np.int64] = self._region.view(np.dtype("i8"), 0, 2 * MAX_INTERFACES).reshape(2, -1)
        """int64 [2, interfaces]: of output, of input."""
        self.addresses = (self._region.address, self._region.address + 8 * MAX_INTERFACES)

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """Which of the nodes it is, its lists, and what comes behind."""
    name = node.type.name
    is_output, is_l2 = "out" in name, name.startswith("l2-")
    data = node.data
    data["is_output"], data["is_l2"] = int(is_output), int(is_l2)
    data["lists"] = plane.shared(MacipLists).addresses[int(not is_output)]
    data["bit"] = OUT_ACL if is_output else ACL
    base = node.error_base
    if is_l2:
        bind_features(node, OUTPUT_FEATURES if is_output else INPUT_FEATURES)
        data["counts"], data["miss_error"], data["deny_error"] = base + 1, base + 4, base + 5
    else:
        ip6 = name.startswith("ip6")
        drops = plane.graph.add("ip6-input" if ip6 else "ip4-input").error_base
        errors = errors6 if ip6 else errors4
        data["counts"] = base
        data["miss_error"], data["deny_error"] = drops + errors.INACL_TABLE_MISS, drops + errors.INACL_SESSION_DENY
        data["arc"] = plane.arcs[node.type.features[0].arc].address


def _node(name: str, *features: Feature) -> NodeType:
    way = "output" if "out" in name else "input"
    return NodeType(
        name=name,
        kernel=macip,
        nexts=NEXTS,
        errors=_errors(way, name.startswith("l2-")),
        runtime=RUNTIME,
        trace=Trace(TRACE, trace_macip, format_output if way == "output" else format_input),
        bind=bind,
        features=features,
        doc=__doc__ or "",
    )


L2_INPUT_ACL, L2_OUTPUT_ACL = _node("l2-input-acl"), _node("l2-output-acl")
IP4_INACL = _node(
    "ip4-inacl",
    Feature("ip4-unicast", before=("ip4-lookup", "ip4-policer-classify"), after=("acl-plugin-in-ip4-fa",)),
)
IP6_INACL = _node(
    "ip6-inacl",
    Feature("ip6-unicast", before=("ip6-lookup", "ip6-policer-classify"), after=("acl-plugin-in-ip6-fa",)),
)
IP4_OUTACL = _node(
    "ip4-outacl",
    Feature("ip4-output", before=("ipsec4-output-feature", "interface-output"), after=("acl-plugin-out-ip4-fa",)),
)
