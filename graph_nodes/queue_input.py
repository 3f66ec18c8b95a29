"""Input nodes that look through queues of devices, a table of them a worker (`QueueTables`): whose turn it is.

A worker begins each time with the queue behind the one that it began with before, so that a busy interface does not
starve another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import F_N as FRAME_N
from vectorplane.dataplane.abi import NEVER, NODE, WORKER
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import rec, st32

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane
    from vectorplane.dataplane.worker_tables import QueueTables

RUNTIME = np.dtype([("queues", "i8"), ("n_queues", "i8"), ("arc", "i8"), ("first", "i8")])
"""``queues``: address of the worker's table; ``arc``: of device-input; ``first``: where the last turn began."""


@helper
def begin_turn(runtime: int) -> int:
    """The queue to begin with; 0 when there is none."""
    r = rec(runtime, RUNTIME)
    first = r.first + 1
    if first >= r.n_queues:
        first = 0
    r.first = first
    return int(first)


@helper
def in_turn(runtime: int, first: int, k: int) -> int:
    """The queue that is looked at as number ``k`` of this turn."""
    i = first + k
    if i >= rec(runtime, RUNTIME).n_queues:
        i -= rec(runtime, RUNTIME).n_queues
    return int(i)


@helper
def end_turn(worker: int, node: int, frame: int, n: int) -> int:
    """``n`` packets are in the frame; when there are none the node is not looked at again before something comes."""
    rec(node, NODE).next_time = rec(worker, WORKER).now if n > 0 else NEVER
    st32(frame + FRAME_N, n)
    return n


def bind_to(tables: type[QueueTables]) -> Callable[[Dataplane, Node], None]:
    """A node's ``bind``: its tables and the device-input arc."""

    def bind(plane: Dataplane, node: Node) -> None:
        node.data["queues"] = plane.shared(tables).addresses  # type: ignore[call-arg, arg-type]
        node.data["arc"] = plane.arcs["device-input"].address

    return bind
