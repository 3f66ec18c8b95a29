"""acl-plugin-in-nonip-l2, acl-plugin-out-nonip-l2: bridged frames that are no IP pass if their type is listed.

They stand on the arcs ``l2-input-nonip`` and ``l2-output-nonip`` of ports with ACLs and a list of types; an empty list
lets everything through. Others are dropped ("dropped inbound non-whitelisted non-ip packets", "... outbound ...").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.l2.feature_arcs import kind_of
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import bswap16, ld16, ld32s, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop",)
DROP = 0
MOST_TYPES = 255
"""As many as VPP's message has room for."""
ROW = 512
"""Bytes of a list: int16 types as they stand in a packet."""

RUNTIME = np.dtype([("arc", "i8"), ("is_output", "i8"), ("counts", "i8"), ("types", "i8")])
TRACE = np.dtype([("sw_if_index", "i4"), ("next", "i4"), ("kind", "i4")], align=True)


@routine
def is_listed(types: int, n: int, kind: int) -> bool:
    """Is the type in a list? All are in an empty one."""
    found = n == 0
    for k in range(n):
        found |= ld16(types + 2 * k) == kind
    return found


@kernel
def nonip(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        sw_if = m.tx_sw_if if r.is_output else m.rx_sw_if
        if is_listed(r.types + sw_if * ROW, ld32s(r.counts + 4 * sw_if), kind_of(b)):
            set_next(frame, i, feature_next(r.arc, b))
        else:
            m.error = d.err_base
            set_next(frame, i, DROP)
    return n


@kernel
def trace_nonip(worker: int, node: int, frame: int) -> int:
    """A `TRACE` for each traced packet."""
    pool = rec(worker, WORKER).pool
    is_output = rec(rec(node, NODE).data, RUNTIME).is_output
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            r = rec(t, TRACE)
            r.sw_if_index = m.tx_sw_if if is_output else m.rx_sw_if
            r.next = get_next(frame, i)
            r.kind = bswap16(kind_of(b))
    return n


def _format(name: str, record: Any) -> str:
    return (
        f"{name}: sw_if_index {int(record['sw_if_index'])} next_index {int(record['next']):x} "
        f"ethertype {int(record['kind']):x}"
    )


def format_input(record: Any, plane: Dataplane) -> str:
    """VPP's text."""
    return _format("IN-ETHER-WHITELIST", record)


def format_output(record: Any, plane: Dataplane) -> str:
    """VPP's text."""
    return _format("OUT-ETHER-WHITELIST", record)


class TypeLists:
    """The lists of all ports, of output and of input."""

    def __init__(self, plane: Dataplane) -> None:
        half = 4 * MAX_INTERFACES
        self._region = Region(2 * half + 2 * ROW * MAX_INTERFACES, name="acl type lists")
        self.counts: npt.NDArray[np.int32] = self._region.view(np.dtype("i4"), 0, 2 * MAX_INTERFACES).reshape(2, -1)
        """int32 [2, interfaces]: types in the list."""
        self.types: npt.NDArray[np.uint16] = self._region.view(np.dtype(">u2"), 2 * half, ROW * MAX_INTERFACES).reshape(
            2, MAX_INTERFACES, ROW // 2
        )
        """uint16 [2, interfaces, 256]."""
        address = self._region.address
        self.addresses = tuple((address + k * half, address + 2 * half + k * ROW * MAX_INTERFACES) for k in range(2))
        """Where counts and types of output and of input are."""

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """Which of the two nodes it is, and its lists."""
    is_output = "-out-" in node.type.name
    data = node.data
    data["is_output"] = int(is_output)
    data["counts"], data["types"] = plane.shared(TypeLists).addresses[int(not is_output)]
    data["arc"] = plane.arcs[node.type.features[0].arc].address


ACL_IN_NONIP_L2 = NodeType(
    name="acl-plugin-in-nonip-l2",
    kernel=nonip,
    nexts=NEXTS,
    errors=named_by_text(
        "dropped inbound non-whitelisted non-ip packets", "permitted inbound whitelisted non-ip packets"
    ),
    runtime=RUNTIME,
    trace=Trace(TRACE, trace_nonip, format_input),
    bind=bind,
    features=(Feature("l2-input-nonip", before=("l2-input-feat-arc-end",)),),
    doc=__doc__ or "",
)
ACL_OUT_NONIP_L2 = NodeType(
    name="acl-plugin-out-nonip-l2",
    kernel=nonip,
    nexts=NEXTS,
    errors=named_by_text(
        "dropped outbound non-whitelisted non-ip packets", "permitted outbound whitelisted non-ip packets"
    ),
    runtime=RUNTIME,
    trace=Trace(TRACE, trace_nonip, format_output),
    bind=bind,
    features=(Feature("l2-output-nonip", before=("l2-output-feat-arc-end",)),),
    doc=__doc__ or "",
)
