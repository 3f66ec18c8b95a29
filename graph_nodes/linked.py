"""Packets that a node made of one: a list of buffers linked by `next_buffer`, whose last one's is -1."""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import BUFFER, buffer_at
from vectorplane.dataplane.frame import emit
from vectorplane.graph_nodes.rare import free
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import rec


@helper
def free_linked(worker: int, first: int) -> None:
    """Give them all back."""
    while first >= 0:
        following = rec(buffer_at(worker, first), BUFFER).next_buffer
        free(worker, first)
        first = following


@helper
def send_linked(worker: int, node: int, slot: int, first: int) -> int:
    """Send each to the node's next ``slot``; gives how many they are. All but one count as generated."""
    sent = 0
    while first >= 0:
        m = rec(buffer_at(worker, first), BUFFER)
        following = m.next_buffer
        m.next_buffer = 0
        emit(worker, node, slot, first)
        sent += 1
        first = following
    rec(worker, WORKER).generated += sent - 1
    return sent
