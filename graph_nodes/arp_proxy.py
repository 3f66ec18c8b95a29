"""arp-proxy: answers ARP requests for addresses in configured ranges, whoever has them (RFC 1027), as VPP does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, LOCALLY_ORIGINATED, buffer_at
from vectorplane.dataplane.feature import Feature
from vectorplane.dataplane.interface import INTERFACE
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.arp_header import (
    ARP_NODE_TRACE,
    ERRORS,
    OPCODE,
    REPLIES_SENT,
    REQUEST_LE,
    TARGET_IP,
    interface_at,
    make_reply,
)
from vectorplane.graph_nodes.drop import count_consumed
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import be32, ld16, ld32, ld64, load_acquire, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "interface-output")
DROP, REPLY_TX = range(2)
RUNTIME = np.dtype([("ranges", "i8")])
RANGE = np.dtype([("fib", "i8"), ("low", "i8"), ("high", "i8")])
RANGE_SIZE = RANGE.itemsize
MAX_RANGES = 4096
_LIST = 8 + MAX_RANGES * RANGE_SIZE


@helper
def proxied(ranges: int, fib: int, address: int) -> bool:
    """Does a range of this FIB hold the address?"""
    at = load_acquire(ranges)
    for k in range(ld64(at)):
        r = rec(at + 8 + k * RANGE_SIZE, RANGE)
        if r.fib == fib and r.low <= address <= r.high:
            return True
    return False


@kernel
def arp_proxy(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    ranges = rec(d.data, RUNTIME).ranges
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        arp = b + DATA + m.current_data
        interface = interface_at(worker, m.rx_sw_if)
        fib = rec(interface, INTERFACE).ip4_table
        if ld16(arp + OPCODE) == REQUEST_LE and proxied(ranges, fib, be32(arp + TARGET_IP)):
            make_reply(b, interface, m.rx_sw_if, ld32(arp + TARGET_IP))
            m.flags |= LOCALLY_ORIGINATED
            count_consumed(worker, d.err_base + REPLIES_SENT)
            w.generated += 1
            set_next(frame, i, REPLY_TX)
        else:
            # a request keeps the reason that arp-reply gave
            if ld16(arp + OPCODE) != REQUEST_LE:
                m.error = d.err_base + REPLIES_SENT
            set_next(frame, i, DROP)
    return n


class ProxyRanges:
    """The ranges: two copies, of which one is in use while the other is written."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._region = Region(64 + 2 * _LIST, name="arp proxy ranges")
        self.address = self._region.address
        self._current = self._region.view("i8", 0, 1)
        self._side = 0
        self.write([])

    def write(self, ranges: list[tuple[int, int, int]]) -> None:
        """Replace all ranges: (FIB index, lowest, highest address), ends included.

        Raises:
            OverflowError: too many.
        """
        if len(ranges) > MAX_RANGES:
            raise OverflowError(f"more than {MAX_RANGES} proxy ARP ranges")
        self._plane.epochs.synchronize()
        self._side = 1 - self._side
        at = 64 + self._side * _LIST
        self._region.view(RANGE, at + 8, MAX_RANGES)[: len(ranges)] = ranges
        self._region.view("i8", at, 1)[0] = len(ranges)
        self._current[0] = self.address + at

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """The ranges."""
    node.data["ranges"] = plane.shared(ProxyRanges).address


ARP_PROXY = NodeType(
    name="arp-proxy",
    kernel=arp_proxy,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=ARP_NODE_TRACE,
    bind=bind,
    features=(Feature("arp", after=("arp-reply",), before=("arp-disabled",)),),
    doc=__doc__ or "",
)
